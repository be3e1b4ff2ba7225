"""The one way from the steps of a run to its nodes: what needs agreement and has none does not pass."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from easynet.agents.approvals import capability_limits, within
from easynet.agents.run_memory import RunMemory
from easynet.core.capability import Capability
from easynet.core.errors import NotApproved
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.offer import Offer
from easynet.core.task_graph import TaskGraph
from easynet.execution.order import Order
from easynet.execution.outcome import Outcome
from easynet.execution.runner import Runner

Offers = Mapping[CapabilityName, Sequence[Offer]]


class ApprovedRunner:
    """Runs plans as a `Runner` does, on the offers that what was agreed to allows.

    Whichever step of the orchestrator calls it, and whatever that has forgotten to ask.
    """

    def __init__(self, runner: Runner, memory: RunMemory) -> None:
        self._runner = runner
        self._memory = memory

    async def run(
        self,
        graph: TaskGraph,
        *,
        capabilities: Mapping[CapabilityName, Capability],
        offers: Offers,
        **rest: Any,
    ) -> Outcome:
        """Run what is left of a plan; `rest` goes to the runner as it is.

        Raises NotApproved, and then nothing of it has run, where a step needs agreement that it has not.
        """
        allowed = self._allowed(graph, capabilities, offers)
        return await self._runner.run(graph, capabilities=capabilities, offers=allowed, **rest)

    def begin(self, order: Order, done: Mapping[SubtaskId, bytes]) -> None:
        """Run a part of a plan while the rest is being planned; raises NotApproved likewise."""
        allowed = self._allowed(order.graph, order.capabilities, order.offers)
        self._runner.begin(replace(order, offers=allowed), done)

    async def abandon(self) -> None:
        """Give up what was begun."""
        await self._runner.abandon()

    def late(self, capability: CapabilityName, offers: Sequence[Offer]) -> tuple[Offer, ...]:
        """Those of the offers found while the plan runs that what was agreed to allows."""
        memory = self._memory
        if memory.graph is None:
            return tuple(offers)
        return within(capability_limits(memory, memory.graph, memory.catalogue).get(capability), offers)

    def _allowed(
        self, graph: TaskGraph, capabilities: Mapping[CapabilityName, Capability], offers: Offers
    ) -> dict[CapabilityName, tuple[Offer, ...]]:
        limits = capability_limits(self._memory, graph, capabilities)
        allowed = {name: within(limits.get(name), found) for name, found in offers.items()}
        for name in limits:
            if offers.get(name) and not allowed[name]:
                raise NotApproved(
                    f"{name!r} needs a person's agreement, and there is none for it as it would run now",
                    hint="Resume the run: it asks again.",
                    zh=f"{name!r} 需要有人批准，而目前没有对它的批准",
                    hint_zh="请恢复该运行，它会再次询问。",
                )
        return allowed
