"""Single calls and many at once through EasyNet, beside raw NATS request and reply."""

import asyncio
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

import msgpack

from benchmarks.fabric import raw
from benchmarks.fabric.program import ours, program
from benchmarks.fabric.way import Way, measure, p50_ratio, rate_ratio
from benchmarks.figure import figure
from easynet import AsyncClient, Client

ROUNDS: Final = 7
CALLS: Final = 400
CALLS_IN_FLIGHT: Final = {64: 5000, 512: 5000}


async def measured(rounds: int, calls: int, calls_in_flight: dict[int, int]) -> list[Way]:
    """Raw NATS, an async function, a function in a thread and the client without `async`, in this order.

    The gateway, the node, the raw worker and both servers are processes of their own.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with (
            raw.plain_server() as plain,
            program(*ours("gateway", folder)) as gateway,
            program(*ours("raw", plain)),
            program(*ours("node", gateway.ready, folder)),
            AsyncClient(gateway.ready, data_dir=Path(folder)) as client,
        ):
            floor = await raw.connected(plain)
            blocking = await asyncio.to_thread(Client, gateway.ready, data_dir=Path(folder))

            async def by_hand(number: int) -> int:
                reply = await floor.request("echo", raw.pack(number), timeout=raw.TIMEOUT_S)
                return int(msgpack.unpackb(reply.data))

            ways = [
                Way("raw NATS", by_hand),
                Way("async function", lambda number: client.execute("n.echo", number)),
                Way("function in a thread", lambda number: client.execute("n.threaded", number)),
                Way("Client.execute", lambda number: int(blocking.execute("n.echo", number)), many=False),
            ]
            try:
                await measure(ways, rounds=rounds, calls=calls, calls_in_flight=calls_in_flight)
            finally:
                await asyncio.to_thread(blocking.close)
                await floor.close()
            return ways


def main() -> None:
    floor, coroutine, threaded, blocking = asyncio.run(measured(ROUNDS, CALLS, CALLS_IN_FLIGHT))
    figure("raw NATS request and reply, one call, p50", median(floor.p50_s) * 1000, "ms")
    for in_flight in CALLS_IN_FLIGHT:
        figure(f"  the same, {in_flight} in flight", median(floor.rates[in_flight]), "calls/s")
    figure("one call of an async function, p50 over raw", p50_ratio(coroutine, floor), "x", at_most=1.15)
    for in_flight in CALLS_IN_FLIGHT:
        share = rate_ratio(coroutine, floor, in_flight)
        figure(f"  {in_flight} in flight, calls per second over raw", share, "x", at_least=0.9)
    figure("one call of a function in a thread, p50 over raw", p50_ratio(threaded, floor), "x")
    for in_flight in CALLS_IN_FLIGHT:
        share = rate_ratio(threaded, floor, in_flight)
        figure(f"  {in_flight} in flight, calls per second over raw", share, "x")
    figure("one call from code without async, p50 over raw", p50_ratio(blocking, floor), "x", at_most=1.5)


if __name__ == "__main__":
    main()
