"""One of this folder's programs as a process of its own, which is told what to do by lines of text."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

_END_TIMEOUT_S: Final = 5.0


class Program:
    """A running program. `ready` is the first line that it wrote."""

    def __init__(self, process: Process, ready: str) -> None:
        self._process = process
        self.ready = ready

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, order: str) -> str:
        """What the program answers to an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(order.encode() + b"\n")
        return await _line(self._process)


@asynccontextmanager
async def program(*command: str, quiet: bool = False) -> AsyncGenerator[Program]:
    """Run a program until the block is left; it has said that it is ready when the block is entered."""
    errors = DEVNULL if quiet else None
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=errors)
    try:
        yield Program(process, await _line(process))
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_END_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def ours(module: str, *arguments: object) -> tuple[str, ...]:
    """The command that runs a module of this folder."""
    return (sys.executable, "-m", f"benchmarks.fabric.{module}", *map(str, arguments))


async def orders(ready: str) -> AsyncGenerator[str]:
    """For a program's own use: say that it is ready, then give each order until nobody is there to order."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(ready, flush=True)
    try:
        while line := await reader.readline():
            yield line.decode().strip()
    finally:
        transport.close()


async def _line(process: Process) -> str:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"a program ended before it answered (status {await process.wait()})")
    return line.decode().strip()
