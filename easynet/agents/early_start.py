"""A plan that is begun while its planner goes on, as far as that can do no harm."""

from contextlib import aclosing
from typing import Any

from easynet.agents.approvals import waits
from easynet.agents.input_files import call_inputs, check_inputs, take_in
from easynet.agents.offers import offers_of, trusted
from easynet.agents.work import State, Work
from easynet.core.errors import EasyNetError
from easynet.core.events import PlanMade
from easynet.core.ids import CapabilityName
from easynet.core.offer import Offer
from easynet.core.privacy import labels
from easynet.core.schedule import Schedule
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.order import Order
from easynet.planners.deeds import acts
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.planners.validate import validate


async def streamed(state: State, work: Work, request: PlanRequest) -> tuple[PlanResult, dict[str, Any]]:
    """The planner's result, with the files that were taken in for what was begun before it came.

    What was begun runs on where the result goes on from it. Otherwise it is given up; what had finished is
    kept. Raises what the planner raises.
    """
    early = _EarlyStart(state, work, request)
    result: PlanResult | None = None
    try:
        async with aclosing(work.planner.stream(request)) as items:
            async for item in items:
                if isinstance(item, PlanResult):
                    result = item
                else:
                    await early.take(item)
    except BaseException:
        await work.runner.abandon()
        raise
    assert result is not None, "a result is the last item"
    if not early.is_begin_of(result.graph):
        await work.runner.abandon()
    return result, early.files


class _EarlyStart:
    """The subtasks that have come so far, of which some are begun."""

    def __init__(self, state: State, work: Work, request: PlanRequest) -> None:
        self.files: dict[str, Any] = dict(state.get("files", {}))
        """What the run holds of the input files; as in the checkpoint."""
        self._subtasks: list[Subtask] = []
        self._begun: list[Subtask] = []
        self._offers: dict[CapabilityName, tuple[Offer, ...]] = {}
        self._state = state
        self._work = work
        self._request = request
        self._catalogue = request.by_name
        self._is_sound = True

    def is_begin_of(self, graph: TaskGraph | None) -> bool:
        """Whether a plan has all that was begun, unchanged."""
        return graph is not None and all(graph.by_id.get(s.id) == s for s in self._begun)

    async def take(self, subtask: Subtask) -> None:
        """Make a subtask known, and begin it where that can do no harm.

        From the first one on that does not fit nothing more is begun: the whole plan will say what is wrong.
        """
        graph = TaskGraph(subtasks=(*self._subtasks, subtask))
        inputs = self._request.input_names
        self._is_sound = self._is_sound and not validate(graph, self._request.catalogue, inputs=inputs)
        if not self._is_sound:
            return
        self._subtasks.append(subtask)
        memory = self._work.memory
        titles = {c: self._catalogue[c].describe(memory.language) for c in graph.capabilities}
        self._work.log.emit(PlanMade, graph=graph, planner="", titles=titles, is_complete=False)
        if await self._is_harmless(subtask):
            self._begun.append(subtask)
            self._begin()

    async def _is_harmless(self, subtask: Subtask) -> bool:
        """Whether it may run although nobody knows yet what comes after it.

        It can run twice and is not said to act on the world, nodes of the user's own or that the user trusts
        offer it, it takes nothing of a budget and needs nobody's agreement, and what it reads is there or
        begun.
        """
        capability = self._catalogue[subtask.capability]
        if not capability.idempotent or acts(capability):
            return False
        if not subtask.needs <= {s.id for s in self._begun}:
            return False
        offers = await self._trusted_offers(subtask.capability)
        if waits(self._work.memory, capability, offers):
            return False
        return bool(offers) and self._is_affordable(subtask) and await self._has_inputs(subtask)

    async def _trusted_offers(self, capability: CapabilityName) -> tuple[Offer, ...]:
        if capability not in self._offers:
            found = await offers_of(self._state, self._work, [capability], [])
            self._offers[capability] = trusted(found[capability])
        return self._offers[capability]

    def _is_affordable(self, subtask: Subtask) -> bool:
        # What the rest of the plan will cost is not known yet, nor what the planner itself does.
        is_free = all(offer.price == 0 for offer in self._offers[subtask.capability])
        return is_free or self._request.parsed.requirements.budget is None

    async def _has_inputs(self, subtask: Subtask) -> bool:
        """Take in the files that it reads; where that fails, the whole plan will say why."""
        graph = TaskGraph(subtasks=(subtask,))
        try:
            check_inputs(self._work, graph, self.files)
            self.files = await take_in(self._work, graph, self.files)
        except EasyNetError:
            return False
        return True

    def _begin(self) -> None:
        work, graph = self._work, TaskGraph(subtasks=tuple(self._begun))
        order = Order(
            graph=graph,
            capabilities=self._catalogue,
            inputs=call_inputs(work, self.files),
            offers=self._offers,
            schedule=Schedule(assignments=()),
            budget=Budget(self._request.parsed.requirements.budget, spent=work.memory.paid),
            deadline_at=work.deadline_at,
            history=History.of(work.memory.events),
            labels=labels(graph, self._request.parsed, self._catalogue),
        )
        work.runner.begin(order, work.stored_results())
