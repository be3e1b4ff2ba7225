"""A node that something goes wrong with, and when it does."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from easynet.core.call import CallUpdate
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer, Trust
from evals.simulation.call import Served
from evals.simulation.chance import Chance
from evals.simulation.node import MockNode

_OFTEN: Final = 0.5
"""The share of an affected node's calls in which its fault shows."""


@dataclass(frozen=True)
class Occasion:
    """The run that a fault befalls."""

    chance: Chance
    expected_s: float
    """What the run would take on the fastest nodes."""


@dataclass
class Around:
    """A node that is as the one inside, until a fault says otherwise."""

    inside: MockNode
    occasion: Occasion
    _served: int = 0

    @property
    def name(self) -> NodeId:
        return self.inside.name

    @property
    def site(self) -> int:
        return self.inside.site

    @property
    def trust(self) -> Trust:
        return self.inside.trust

    def offers(self) -> Sequence[Offer]:
        return self.inside.offers()

    def seconds(self, capability: CapabilityName, subtask: SubtaskId) -> float:
        return self.inside.seconds(capability, subtask)

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        async with aclosing(self.inside.serve(served)) as updates:
            async for update in updates:
                yield update

    def _strikes(self, served: Served) -> bool:
        """Whether the fault shows in this call."""
        self._served += 1
        is_struck = self.occasion.chance.share(self.name, "strikes", self._served) < _OFTEN
        if is_struck:
            served.notes.append(type(self).__name__)
        return is_struck
