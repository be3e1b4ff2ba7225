"""64 MiB to a function and 64 other MiB back, beside the same bytes in chunks over raw NATS."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from statistics import median
from typing import Final

from nats.aio.client import Client

from benchmarks.fabric import raw
from benchmarks.fabric.program import ours, program
from benchmarks.figure import figure
from easynet import AsyncClient

ROUNDS: Final = 5
BYTES: Final = 64 * 1024 * 1024


async def measured(rounds: int, size_bytes: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of each round trip: raw, between two machines, and with the client at the gateway's.

    Each machine is a folder of its own. New bytes go out in every round and the function gives other bytes
    back, so no side ever has what the other is about to send.
    """
    with tempfile.TemporaryDirectory() as folder:
        at_gateway, at_node, at_client = (Path(folder) / name for name in ("gateway", "node", "client"))
        async with (
            raw.plain_server() as plain,
            program(*ours("gateway", at_gateway)) as gateway,
            program(*ours("raw", plain)),
        ):
            for other in (at_node, at_client):  # the ways in that the gateway made, and nothing else
                shutil.copytree(at_gateway / "gateways", other / "gateways")
            async with (
                program(*ours("node", gateway.ready, at_node)),
                AsyncClient(gateway.ready, data_dir=at_client) as far,
                AsyncClient(gateway.ready, data_dir=at_gateway) as near,
            ):
                floor = await raw.connected(plain)
                try:
                    rows = [await _round(floor, far, near, size_bytes) for _ in range(rounds)]
                finally:
                    await floor.close()
    by_hand, between, from_gateway = map(list, zip(*rows, strict=True))
    return by_hand, between, from_gateway


async def _round(
    floor: Client, far: AsyncClient, near: AsyncClient, size_bytes: int
) -> tuple[float, float, float]:
    first, second, third = (os.urandom(size_bytes) for _ in range(3))
    return (
        await _seconds(raw.echo_in_chunks(floor, first), first),
        await _seconds(far.execute("n.flip", second), second),
        await _seconds(near.execute("n.flip", third), third),
    )


async def _seconds(work: Awaitable[bytes], sent: bytes) -> float:
    began = time.perf_counter()
    got = await work
    took = time.perf_counter() - began
    if got != raw.flipped(sent):
        raise RuntimeError("other bytes came back than had to")
    return took


def main() -> None:
    by_hand, between, near = asyncio.run(measured(ROUNDS, BYTES))
    figure("64 MiB there and 64 MiB back in chunks over raw NATS", median(by_hand), "s")
    speeds = [its / mine for its, mine in zip(by_hand, between, strict=True)]
    figure("  through EasyNet between two machines, speed over raw", median(speeds), "x", at_least=0.8)
    speeds = [its / mine for its, mine in zip(by_hand, near, strict=True)]
    figure("  the same with the client at the gateway's machine", median(speeds), "x")


if __name__ == "__main__":
    main()
