"""A node for journeys, as a process: `python -m tests.journeys.quarry GATEWAY thread|process`.

Its functions work for a minute unless somebody stops them, and say in the file `signs` that they work.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Literal, cast

from easynet import ComputeNode, check_cancelled

_TURNS, _TURN_S = 3000, 0.02


def _say(signs: str, what: str) -> None:
    with Path(signs).open("a") as file:
        file.write(json.dumps({"what": what, "pid": os.getpid()}) + "\n")


def _is_enough(signs: str) -> bool:
    return Path(signs).with_name("enough").exists()


def dig_pit(signs: str) -> str:
    """Dig a pit in the quarry."""
    _say(signs, "began")
    try:
        for _ in range(_TURNS):
            check_cancelled()
            time.sleep(_TURN_S)
            if _is_enough(signs):
                break
    finally:
        _say(signs, "stopped")
    return "a pit"


def fill_pit(signs: str) -> str:
    """Fill a pit in the quarry."""
    _say(signs, "began")
    for _ in range(_TURNS):
        time.sleep(_TURN_S)  # without ever asking whether that is still wanted
        if _is_enough(signs):
            break
    return "no pit"


async def serve() -> None:
    """Serve until terminated; `ready` on stdout once the node has joined."""
    isolation = cast('Literal["thread", "process"]', sys.argv[2])
    node = ComputeNode(sys.argv[1], name="quarry", isolation=isolation)
    node.register(dig_pit)
    node.register(fill_pit)
    async with node:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
