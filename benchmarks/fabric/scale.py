"""1,000 nodes on one gateway: how soon they are found and seen, and what the gateway weighs."""

import asyncio
import tempfile
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Final

import psutil

from benchmarks.fabric.crowd import crowd
from benchmarks.fabric.program import ours, program
from benchmarks.figure import figure
from easynet import AsyncClient, ComputeNode
from easynet.core.ids import CapabilityName
from easynet.core.offer import Node
from easynet.fabric.registry import Registry

NODES: Final = 1000
LOOKUPS: Final = 500
NEWCOMERS: Final = 10


async def measure(count: int, lookups: int, newcomers: int) -> None:
    """Print how a gateway does with that many nodes, each with a connection of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            gateway = await stack.enter_async_context(program(*ours("gateway", folder)))
            began = time.perf_counter()
            await crowd(stack, "nodes", count, gateway.ready, folder)
            figure(f"{count:,} nodes have joined, from two processes", time.perf_counter() - began, "s")
            client = await stack.enter_async_context(AsyncClient(gateway.ready, data_dir=Path(folder)))
            nodes = await client.nodes()
            if len(nodes) != count:
                raise RuntimeError(f"{len(nodes):,} nodes are on the network, not {count:,}")
            numbers = range(0, count, max(1, count // lookups))
            asked = median([await seconds_to_ask(client, number) for number in numbers])
            figure("  a client asks the gateway who offers a function, p50", asked * 1000, "ms", at_most=1)
            looked = seconds_to_look_up(nodes, numbers)
            figure("  the gateway's own index answers that, p50", looked * 1000, "ms", at_most=1)
            all_of_them = await seconds_to_find_all(client, count)
            figure("  a client asks for what every node offers", all_of_them * 1000, "ms")
            waits = [
                await seconds_to_see(client, gateway.ready, Path(folder), number)
                for number in range(count, count + newcomers)
            ]
            name = f"  a new node is seen by a client, from its start, longest of {newcomers}"
            figure(name, max(waits) * 1000, "ms", at_most=200)
            figure("  gateway and NATS server, resident memory", memory_mb(gateway.pid), "MB", at_most=300)


async def seconds_to_ask(client: AsyncClient, number: int) -> float:
    """How long it takes to find a function that one node alone offers and nobody asked for before."""
    began = time.perf_counter()
    found = await client.find(CapabilityName(f"only_{number}"))
    took = time.perf_counter() - began
    if [offer.node for offer in found] != [f"node-{number}"]:
        raise RuntimeError(f"only_{number} was found at {[offer.node for offer in found]}")
    return took


def seconds_to_look_up(nodes: Iterable[Node], numbers: Iterable[int]) -> float:
    """The median of the same without the network: an index with these nodes in it is asked."""
    registry = Registry()
    for node in nodes:
        registry.join(node, now=0.0)
    times: list[float] = []
    for number in numbers:
        began = time.perf_counter()
        registry.find(CapabilityName(f"only_{number}"))
        times.append(time.perf_counter() - began)
    return median(times)


async def seconds_to_find_all(client: AsyncClient, count: int) -> float:
    """How long it takes to find a function that every node offers."""
    began = time.perf_counter()
    found = await client.find(CapabilityName("common"))
    took = time.perf_counter() - began
    if len(found) != count:
        raise RuntimeError(f"{len(found):,} of {count:,} nodes were found")
    return took


async def seconds_to_see(client: AsyncClient, gateway: str, data_dir: Path, number: int) -> float:
    """How long after a node begins to start a client finds what it offers; asks again and again."""

    async def newcomer() -> int:
        return number

    node = ComputeNode(gateway, name=f"node-{number}", data_dir=data_dir)
    name = CapabilityName(f"only_{number}")
    node.register(newcomer, name=name)
    began = time.perf_counter()
    starting = asyncio.create_task(node.start())
    while not await client.find(name):
        pass
    took = time.perf_counter() - began
    await starting
    if await client.execute(f"{node.name}.{name}") != number:
        raise RuntimeError(f"{node.name} gave another answer than its own")
    await node.stop()
    return took


def memory_mb(pid: int) -> float:
    """The memory that a process and its descendants hold, in MB."""
    process = psutil.Process(pid)
    together = [process, *process.children(recursive=True)]
    return float(sum(one.memory_info().rss for one in together)) / 2**20


def main() -> None:
    asyncio.run(measure(NODES, LOOKUPS, NEWCOMERS))


if __name__ == "__main__":
    main()
