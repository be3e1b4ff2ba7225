"""A node for tests of traces: `traced_node.py GATEWAY NAME`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from easynet import ComputeNode

node = ComputeNode(sys.argv[1], name=sys.argv[2])


@node.register
def add(a: int, b: int) -> int:
    return a + b


@node.register
def fail(word: str) -> None:
    raise LookupError(word)


@node.register
async def numbers(count: int) -> AsyncIterator[int]:
    for i in range(count):
        yield i


@node.register
async def train(word: str) -> str:
    return word


@node.register
async def wait(marks: str) -> str:
    """Never returns the first time."""
    if not is_marked(Path(marks)):
        await asyncio.Event().wait()
    return node.name


def is_marked(file: Path) -> bool:
    """Whether a call has come by before; this one leaves its mark."""
    was_there = file.exists()
    file.write_text(str(os.getpid()))
    return was_there


node.serve()
