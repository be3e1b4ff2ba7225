"""A node as a process: `python -m benchmarks.fabric.node GATEWAY DATA_DIR`."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from benchmarks.fabric.program import orders
from benchmarks.fabric.raw import flipped
from easynet import ComputeNode


async def echo(value: Any) -> Any:
    """Give the value back, from a coroutine."""
    return value


def threaded(value: Any) -> Any:
    """Give the value back, from a thread."""
    return value


def flip(data: bytes) -> bytes:
    """Other bytes than were given, so that no side has them already."""
    return flipped(data)


async def main() -> None:
    node = ComputeNode(sys.argv[1], name="n", data_dir=Path(sys.argv[2]))
    for function in (echo, threaded, flip):
        node.register(function)
    async with node:
        async for _ in orders("ready"):
            pass


if __name__ == "__main__":
    asyncio.run(main())
