"""The step after a failure: another plan for what is left, or a diagnosis."""

from collections.abc import Sequence
from dataclasses import replace

from langgraph.runtime import Runtime
from langgraph.types import Command

from easynet.agents.diagnosis import diagnosis
from easynet.agents.offers import failures, offers_of
from easynet.agents.plan_steps import adopt, planning
from easynet.agents.work import State, Work, ask, end, step
from easynet.core.errors import EasyNetError
from easynet.core.events import Replanned, Status
from easynet.core.ids import CapabilityName
from easynet.planners.planner import Planner, PlanRequest, PlanResult
from easynet.planners.replan import Repair
from easynet.planners.replan import replan as replanned
from easynet.planners.run_state import Failure, RunState

_MOST_ASKED = 2
"""How often a planner may be asked for one repair."""


@step
async def replan(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Keep what is finished, and plan anew what failed and what depends on it."""
    work, failed = runtime.context, failures(state)
    if len(failed) > work.services.max_replans:
        return end("failed", diagnosis(failed, None, work.memory.language, work.log.run_id))
    before = work.plan
    repair = await _repair(state, work, failed)
    if repair.question is not None:
        return ask(work, repair.question)
    if repair.graph is None:
        return end(_status(repair), diagnosis(failed, repair, work.memory.language, work.log.run_id))
    work.log.emit(
        Replanned,
        reason=failed[-1].problem.message,
        keeps=repair.keeps,
        failed=failed[-1].subtask.id,
        how=repair.how,
        adds=tuple(s.id for s in repair.graph.subtasks if s.id not in before.by_id),
    )
    return adopt(state, work, repair, repair.graph, state.get("files", {}))


async def _repair(state: State, work: Work, failed: Sequence[Failure]) -> Repair:
    """The smallest repair that the nodes of today allow: what it needs is looked up before it is taken.

    It keeps to the money and the time that are left once the planner has answered. Each round looks up more
    of the catalogue or has asked the planner, so this ends.
    """
    memory, planner = work.memory, _SparingPlanner(work.planner)
    finished = {i: s for i, s in memory.results.items() if s.capability in memory.catalogue}
    called = {s.capability for s in (*work.plan.subtasks, *finished.values())}
    planned = {name: c for name, c in memory.catalogue.items() if name in called}
    request = await planning(work)
    memory.catalogue = planned | memory.catalogue  # what is finished may be offered no longer
    run = RunState(
        request=request,
        graph=work.plan,
        failures=tuple(failed),
        planned=planned,
        finished=finished,
        offers=await offers_of(state, work, [*{s.capability for s in work.left}], [work.plan]),
    )
    while True:
        run, times = replace(run, budget=_budget_left(work), time_s=work.time_left_s), planner.times
        repair = await replanned(run, planner)
        considered = [g for g in (repair.graph, *(a.graph for a in repair.alternatives)) if g is not None]
        done = run.finished
        needed = {s.capability for g in considered for s in g.subtasks if s.id not in done}
        unknown = needed - run.offers.keys()
        if not unknown and planner.times == times:
            return repair
        found = await offers_of(state, work, sorted(unknown), considered)
        run = replace(run, offers={**run.offers, **found})


def _budget_left(work: Work) -> int | None:
    budget = work.memory.parsed.requirements.budget if work.memory.parsed else None
    return None if budget is None else budget - work.memory.paid


class _SparingPlanner:
    """Gives a planner's answer again, because it may have cost money.

    The planner is asked anew only where its answer calls what is to be avoided since.
    """

    def __init__(self, planner: Planner) -> None:
        self.times = 0
        """How often the planner was asked, at most `_MOST_ASKED`."""
        self._planner = planner
        self._answer: PlanResult | None = None

    async def plan(self, request: PlanRequest) -> PlanResult:
        if self._answer is None or (self.times < _MOST_ASKED and _calls_any(self._answer, request.avoid)):
            self.times += 1
            try:
                self._answer = await self._planner.plan(request)
            except EasyNetError as error:
                self._answer = PlanResult(status="unsupported", planner="", why=error.message)
        return self._answer


def _calls_any(result: PlanResult, avoid: Sequence[CapabilityName]) -> bool:
    return result.graph is not None and any(name in avoid for name in result.graph.capabilities)


def _status(repair: Repair) -> Status:
    if repair.status != "infeasible":
        return "failed"
    return "over_budget" if repair.more_credits and not repair.more_s else "infeasible"
