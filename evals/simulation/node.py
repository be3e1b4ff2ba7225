"""A node that answers from recordings, with a speed, a price and a claim of its own."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from easynet.core.call import CallUpdate, Returned
from easynet.core.capability import Capability
from easynet.core.errors import UnknownFunction
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer, Trust
from evals.simulation.answers import Answers
from evals.simulation.call import Served
from evals.simulation.chance import Chance

NOISE = 0.1
"""How much the time of one call differs from that of the next: the deviation of its logarithm."""


class MockNode(Protocol):
    """What a mock network has many of. Faults are nodes around nodes."""

    @property
    def name(self) -> NodeId: ...

    @property
    def site(self) -> int:
        """Nodes of one site are lost together."""
        ...

    @property
    def trust(self) -> Trust: ...

    def offers(self) -> Sequence[Offer]:
        """What it says of itself now; nothing while it is known to be away."""
        ...

    def seconds(self, capability: CapabilityName, subtask: SubtaskId) -> float:
        """What a call truly takes here, without what goes wrong."""
        ...

    def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        """The updates of a call, which is cancelled when the generator is closed."""
        ...


@dataclass(frozen=True)
class Terms:
    """One capability at one node."""

    capability: Capability
    price: int
    """Credits."""
    claimed_s: float
    seconds: float
    """What a call truly takes on the mean."""


@dataclass
class SteadyNode:
    """Does what it says: nothing goes wrong with it."""

    name: NodeId
    site: int
    trust: Trust
    concurrency: int
    terms: Mapping[CapabilityName, Terms]
    answers: Answers
    chance: Chance
    _calls: dict[str, "asyncio.Task[Any]"] = field(default_factory=dict[str, "asyncio.Task[Any]"])
    """By their keys: a node remembers what it does, and what it has done."""

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.concurrency)

    def offers(self) -> Sequence[Offer]:
        return [
            Offer(
                node=self.name,
                capability=name,
                price=terms.price,
                expected_s=terms.claimed_s,
                trust=self.trust,
                concurrency=self.concurrency,
            )
            for name, terms in self.terms.items()
        ]

    def seconds(self, capability: CapabilityName, subtask: SubtaskId) -> float:
        noise = self.chance.around_one(NOISE, self.name, capability, subtask)
        return self.terms[capability].seconds * noise

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        """A call that is sent again, with the same key, is given what came of the first one."""
        call = served.call
        if call.capability not in self.terms:
            raise UnknownFunction(f"{self.name} has no {call.capability}")
        if call.key not in self._calls:
            self._calls[call.key] = asyncio.create_task(self._run(served))
        task = self._calls[call.key]
        try:
            result = await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            self._calls.pop(call.key, None)
            raise
        yield Returned(result)

    async def _run(self, served: Served) -> Any:
        call = served.call
        async with self._slots:
            began = asyncio.get_running_loop().time()
            try:
                await asyncio.sleep(self.seconds(call.capability, call.subtask))
                served.effects += 1
                return self.answers.value(call)
            finally:
                served.worked_s += asyncio.get_running_loop().time() - began
