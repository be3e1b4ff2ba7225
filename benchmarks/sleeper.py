"""A node for benchmarks, as a process: `python -m benchmarks.sleeper GATEWAY`."""

import asyncio
import sys

from easynet import ComputeNode

node = ComputeNode(sys.argv[1], name="sleeper", concurrency=256)


@node.register(price=0, expected_s=0.0)
async def nothing(after: list[int], seconds: float = 0.0) -> int:
    """Wait `seconds`, and return how many results it was given."""
    if seconds:
        await asyncio.sleep(seconds)
    return len(after)


async def serve() -> None:
    """Serve until terminated; `ready` on stdout once the node has joined."""
    async with node:
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
