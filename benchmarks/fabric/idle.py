"""5,000 clients that do nothing: whether any is lost, and what they cost one that works."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from benchmarks.fabric.crowd import can_open, crowd
from benchmarks.fabric.program import ours, program
from benchmarks.fabric.way import Way, p50_s
from benchmarks.figure import figure
from easynet import AsyncClient

IDLE: Final = 5000
FEW: Final = 10
CALLS: Final = 2000
SETTLE_S: Final = 3.0
_OTHER_FILES: Final = 500


async def measure(count: int, few: int, calls: int) -> None:
    """Print how one client's calls do beside that many idle ones, and whether all of these still answer."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            gateway = await stack.enter_async_context(program(*ours("gateway", folder)))
            await stack.enter_async_context(program(*ours("node", gateway.ready, folder)))
            client = await stack.enter_async_context(AsyncClient(gateway.ready, data_dir=Path(folder)))
            way = Way("async function", lambda number: client.execute("n.echo", number))
            await p50_s(way, calls)
            await crowd(stack, "clients", few, gateway.ready, folder)
            with_few = await p50_s(way, calls)
            programs = await crowd(stack, "clients", count, gateway.ready, folder)
            await asyncio.sleep(SETTLE_S)
            with_many = await p50_s(way, calls)
            figure(f"one call beside {few} idle clients, p50", with_few * 1000, "ms")
            name = f"  beside {count:,} idle clients, p50 over that"
            figure(name, with_many / with_few, "x", at_most=1.5)
            answered = sum([int(await crowded.ask("call")) for crowded in programs])
            figure(f"  of {count:,} idle clients then get an answer", answered, "", at_least=count)


def main() -> None:
    if can_open(IDLE + _OTHER_FILES):
        asyncio.run(measure(IDLE, FEW, CALLS))
    else:
        print(f"{IDLE:,} idle clients: left out, the system does not let one process open so many files")


if __name__ == "__main__":
    main()
