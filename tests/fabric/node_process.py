"""A node in a process of its own, for tests that kill it: `node_process.py GATEWAY NAME MARKS`.

Every call of `once` and of `twice` appends its key to the file MARKS, and takes as long as it is told; where
it is given a gate, until that file is there.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from easynet import ComputeNode, call_key

node = ComputeNode(sys.argv[1], name=sys.argv[2], concurrency=64)
marks = Path(sys.argv[3])


def mark(word: str) -> None:
    with marks.open("a") as file:
        file.write(f"{node.name} {word}\n")


async def open_gate(seconds: float, gate: str) -> None:
    await asyncio.sleep(seconds)
    while gate and not Path(gate).exists():  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.005)


@node.register(idempotent=False)
async def once(seconds: float, gate: str = "") -> str:
    mark(call_key())
    await open_gate(seconds, gate)
    return call_key()


@node.register
async def twice(seconds: float, gate: str = "") -> str:
    mark(call_key())
    await open_gate(seconds, gate)
    return call_key()


@node.register(concurrency=2)
def blocks(count: int, size: int) -> Iterator[bytes]:
    try:
        for i in range(count):
            yield i.to_bytes(4, "big") + os.urandom(16) * (size // 16)
    finally:
        mark("closed")


@node.register
async def numbers(count: int, wait_s: float) -> AsyncIterator[int]:
    for i in range(count):
        await asyncio.sleep(wait_s)
        yield i


@node.register
def memory_kib() -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


node.serve()
