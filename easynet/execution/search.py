"""Who offers a capability now, after a node has failed or gone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Offer


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
