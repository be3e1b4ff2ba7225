"""A look at the network: open it, ask one thing, close it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from easynet.network import IntelligentNetwork

T = TypeVar("T")


def look(gateway: str | None, ask: Callable[[IntelligentNetwork], Awaitable[T]]) -> T:
    """What `ask` finds out from an open network."""

    async def opened() -> T:
        async with IntelligentNetwork(gateway) as network:
            return await ask(network)

    return asyncio.run(opened())
