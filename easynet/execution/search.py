"""Who offers a capability now, after a node has failed or gone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Offer
from easynet.execution.commands import Start

Found = asyncio.Task[Sequence[Offer]]


class Search:
    """Asks the registry, with patience where it knows only nodes that did not serve, or none."""

    def __init__(
        self, find_offers: Callable[[CapabilityName], Awaitable[Sequence[Offer]]], pauses_s: Sequence[float]
    ) -> None:
        self._find_offers = find_offers
        self._pauses_s = tuple(pauses_s)

    async def offers(self, capability: CapabilityName, failed_on: Sequence[NodeId]) -> Sequence[Offer]:
        """The offers now. Those of `failed_on` alone are taken after one pause, none after all pauses."""
        offers: Sequence[Offer] = ()
        for count, pause_s in enumerate((0.0, *self._pauses_s)):
            await asyncio.sleep(pause_s)
            offers = await self._find_offers(capability)
            if any(o.node not in failed_on for o in offers) or (count and offers):
                break
        return offers


class Searches:
    """The searches of an execution, at most one for each start."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._tasks: dict[Start, Found] = {}

    def __contains__(self, start: Start) -> bool:
        return start in self._tasks

    def begin(self, start: Start, capability: CapabilityName, then: Callable[[Found], None]) -> None:
        """Look for nodes that have not failed the start; `then` is called when that has ended."""
        task = asyncio.create_task(self._search.offers(capability, (*start.failed_on, *start.not_on)))
        self._tasks[start] = task
        task.add_done_callback(then)

    async def cancel(self) -> None:
        """End all that go on."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
