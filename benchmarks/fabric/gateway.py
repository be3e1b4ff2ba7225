"""A gateway as a process: `python -m benchmarks.fabric.gateway DATA_DIR`; says its address."""

import asyncio
import sys
from pathlib import Path

from benchmarks.fabric.program import orders
from easynet.fabric.gateway.gateway import Gateway


async def main() -> None:
    async with Gateway(Path(sys.argv[1])) as gateway:
        async for _ in orders(gateway.url):
            pass


if __name__ == "__main__":
    asyncio.run(main())
