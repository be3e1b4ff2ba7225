"""Many devices in one process: `python -m benchmarks.fabric.crowd nodes|clients GATEWAY DATA_DIR FROM TO`.

Each has a connection of its own. A node offers `common`, as all do, and `only_<number>`, as no other does.
A client does nothing until it is told `call`; then each calls once, and the process says how many got their
number back.
"""

import asyncio
import resource
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final

from benchmarks.fabric.program import Program, orders, ours, program
from easynet import AsyncClient, ComputeNode, EasyNetError

PROCESSES: Final = 2
_AT_ONCE: Final = 32


async def crowd(stack: AsyncExitStack, kind: str, count: int, *arguments: object) -> list[Program]:
    """That many devices in two processes, all of them connected, until the stack is closed."""
    half = -(-count // PROCESSES)
    ranges = [(first, min(first + half, count)) for first in range(0, count, half)]
    programs = [program(*ours("crowd", kind, *arguments, *numbers)) for numbers in ranges]
    return await asyncio.gather(*map(stack.enter_async_context, programs))


def can_open(files: int) -> bool:
    """Let this process, and those that it starts, open that many files, where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < files:
        return False
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return True


async def common(value: int) -> int:
    """Give the value back."""
    return value


async def _nodes(gateway: str, data_dir: Path, numbers: range) -> None:
    async def join(number: int) -> None:
        node = ComputeNode(gateway, name=f"node-{number}", data_dir=data_dir)
        node.register(common)
        node.register(common, name=f"only_{number}")
        await node.start()

    await _each(join, numbers)
    async for _ in orders("ready"):
        pass


async def _clients(gateway: str, data_dir: Path, numbers: range) -> None:
    client_by_number = {number: AsyncClient(gateway, data_dir=data_dir) for number in numbers}
    answered = 0

    async def connect(number: int) -> None:
        await client_by_number[number].connect()

    async def call(number: int) -> None:
        nonlocal answered
        with suppress(EasyNetError):  # then it is not among those that were answered
            is_right = await client_by_number[number].execute("n.echo", number) == number
            answered += is_right

    await _each(connect, numbers)
    async for _ in orders("ready"):
        answered = 0
        await _each(call, numbers)
        print(answered, flush=True)


async def _each(work: Callable[[int], Awaitable[None]], numbers: range) -> None:
    """Do the work for each number, some at a time."""
    left = iter(numbers)

    async def take() -> None:
        for number in left:
            await work(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(take())


async def _main() -> None:
    kind, gateway, folder, first, end = sys.argv[1:]
    serve = {"nodes": _nodes, "clients": _clients}[kind]
    await serve(gateway, Path(folder), range(int(first), int(end)))


if __name__ == "__main__":
    asyncio.run(_main())
