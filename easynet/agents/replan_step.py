"""The step after a failure: another plan for what is left, or a diagnosis."""

from collections.abc import Sequence
from dataclasses import replace

from langgraph.runtime import Runtime
from langgraph.types import Command

from easynet.agents.diagnosis import diagnosis
from easynet.agents.offers import failures, offers_of
from easynet.agents.plan_steps import adopt, planning
from easynet.agents.work import State, Work, ask, end, step
from easynet.core.events import Replanned, Status
from easynet.planners.replan import Repair
from easynet.planners.replan import replan as replanned
from easynet.planners.run_state import Failure, RunState

MAX_REPLANS = 5
"""How often one run may plan anew before it ends."""


@step
async def replan(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Keep what is finished, and plan anew what failed and what depends on it."""
    work, failed = runtime.context, failures(state)
    if len(failed) > MAX_REPLANS:
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
    """The smallest repair that the nodes of today allow: what it needs is looked up before it is taken."""
    memory = work.memory
    finished = {i: s for i, s in memory.results.items() if s.capability in memory.catalogue}
    called = {s.capability for s in (*work.plan.subtasks, *finished.values())}
    planned = {name: c for name, c in memory.catalogue.items() if name in called}
    request = await planning(work)
    memory.catalogue = planned | memory.catalogue  # what is finished may be offered no longer
    budget = request.parsed.requirements.budget
    run = RunState(
        request=request,
        graph=work.plan,
        failures=tuple(failed),
        planned=planned,
        finished=finished,
        offers=await offers_of(state, work, [*{s.capability for s in work.left}]),
        budget=None if budget is None else budget - memory.paid,
        time_s=work.time_left_s,
    )
    while True:
        repair = await replanned(run, work.planner)
        considered = [g for g in (repair.graph, *(a.graph for a in repair.alternatives)) if g is not None]
        done = run.finished
        needed = {s.capability for g in considered for s in g.subtasks if s.id not in done}
        if not (unknown := needed - run.offers.keys()):
            return repair
        run = replace(run, offers={**run.offers, **await offers_of(state, work, sorted(unknown))})


def _status(repair: Repair) -> Status:
    if repair.status != "infeasible":
        return "failed"
    return "over_budget" if repair.more_credits and not repair.more_s else "infeasible"
