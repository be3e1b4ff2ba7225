"""The process that serves the built-in specialists: `python -m easynet.worker GATEWAY`.

A process of its own, so that training never stalls the command line. It prints `ready` once its nodes have
joined, and ends when its standard input does: that is, when whoever started it is gone, even by SIGKILL.
"""

import asyncio
import os
import sys
import threading
from contextlib import AsyncExitStack

from easynet.fabric.node import ComputeNode
from easynet.specialists import NODES, functions


async def serve_specialists(gateway: str) -> None:
    """Serve every specialist, each on its logical node, until cancelled."""
    async with AsyncExitStack() as stack:
        for name in NODES:
            node = ComputeNode(gateway, name=name)
            for function in functions(name):
                node.register(function)
            await stack.enter_async_context(node)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        # Nobody reads on: what functions print from here on is part of the story, not of a full pipe.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        await asyncio.Event().wait()


def _end_with_standard_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    # A training thread cannot be stopped from outside; nothing here is worth saving.
    os._exit(0)


def main() -> None:
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    asyncio.run(serve_specialists(sys.argv[1]))


if __name__ == "__main__":
    main()
