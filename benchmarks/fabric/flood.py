"""10,000 messages a second that nobody can read, sent to the node that one client calls."""

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.fabric.program import ours, program
from benchmarks.fabric.way import NUMBERS, Way, p50_s
from benchmarks.figure import figure
from easynet import AsyncClient

RATE: Final = 10_000
SENT: Final = RATE + RATE // 20
"""A little more is sent, so that a moment's delay does not count as a lower rate."""
SECONDS: Final = 10
CALLS: Final = 2000


async def measure(rate: int, sent: int, seconds: int, calls: int) -> None:
    """Print how one client's calls do while another client sends bad messages to the same node."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            gateway = await stack.enter_async_context(program(*ours("gateway", folder)))
            await stack.enter_async_context(program(*ours("node", gateway.ready, folder)))
            flooder = await stack.enter_async_context(program(*ours("flooder", gateway.ready, folder)))
            client = await stack.enter_async_context(AsyncClient(gateway.ready, data_dir=Path(folder)))
            way = Way("async function", lambda number: client.execute("n.echo", number))
            await p50_s(way, calls)
            before_s = await p50_s(way, calls)
            flooding = asyncio.create_task(flooder.ask(f"{sent} {seconds}"))
            times = await _times_until(flooding, way)
            figure("bad messages a second to a node", float(await flooding), "/s", at_least=rate)
            figure("  good calls meanwhile, one at a time, each answered", len(times) / seconds, "/s")
            figure("  their p50 over that without", median(times) / before_s, "x")
            figure("  the slowest of them", max(times) * 1000, "ms", at_most=1000)


async def _times_until(flooding: asyncio.Task[str], way: Way) -> list[float]:
    """The seconds that each call took; raises where one is not answered, or wrongly."""
    times: list[float] = []
    while not flooding.done():
        began = time.perf_counter()
        await way.one(next(NUMBERS))
        times.append(time.perf_counter() - began)
    return times


def main() -> None:
    asyncio.run(measure(RATE, SENT, SECONDS, CALLS))


if __name__ == "__main__":
    main()
