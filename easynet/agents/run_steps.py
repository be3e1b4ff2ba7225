"""The later steps of a run: a plan's nodes, price and execution, and what came of it."""

from contextlib import suppress

from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from easynet.agents.evaluator import measured, shortfall
from easynet.agents.input_files import call_inputs, check_inputs, take_in
from easynet.agents.offers import failures, offers_of
from easynet.agents.work import State, Work, ask, end, finish, step
from easynet.core.errors import DataDirectoryUnusable, InputNeeded, NoNodeFound, PlanRejected
from easynet.core.events import (
    ApprovalRequested,
    AttemptFailed,
    NodesFound,
    Problem,
    Question,
    RunEvent,
    ScheduleMade,
)
from easynet.core.language import say
from easynet.core.offer import Trust
from easynet.core.quantities import format_credits
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.machine import NEVER_RAN
from easynet.planners.plan_shape import shape_of
from easynet.planners.run_state import Failure
from easynet.planners.validate import validate
from easynet.scheduling.estimates import Estimates

APPROVAL = "approve"
"""The name under which agreement to a plan is asked for."""
_RUNS_TO_LEARN_FROM = 10

_WORTH_A_NEW_PLAN = frozenset(
    {"subtask_failed", "remote_failure", "node_unreachable", "node_refused", "call_timeout", "no_node_found"}
)
"""Failures of a function or its nodes, not of the user's data: another way to the goal may exist."""


@step
async def discover(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Look at the inputs, and find the nodes that may do the work."""
    work, memory = runtime.context, runtime.context.memory
    assert memory.parsed is not None
    check_inputs(work, work.plan, state.get("files", {}))
    avoid = {offer for f in failures(state) for offer in f.offers}
    found = await offers_of(state, work, work.plan.capabilities)
    offers = {name: tuple(o for o in able if (o.node, name) not in avoid) for name, able in found.items()}
    if missing := [s.capability for s in work.left if not offers[s.capability]]:
        raise NoNodeFound(
            f"no node may do {missing[0]!r} under these requirements",
            hint="`easynet nodes` shows who is there; with privacy high only your own nodes count.",
            zh=f"在这些要求下，没有节点可以执行 {missing[0]!r}",
            hint_zh="`easynet nodes` 显示有哪些节点；高隐私时只使用您自己的节点。",
        )
    work.log.emit(NodesFound, offers=offers)
    return Command(goto="schedule")


@step
async def schedule(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Say what it will cost and how long it will take, and ask where others' nodes would see the data."""
    work, memory = runtime.context, runtime.context.memory
    assert memory.parsed is not None
    needs = memory.parsed.requirements
    left = None if needs.budget is None else needs.budget - memory.paid
    made = work.services.schedule(
        TaskGraph(subtasks=work.left),
        memory.offers,
        budget=left,
        deadline_s=work.time_left_s if state.get("failures") else needs.deadline_s,
        estimate=_estimates(work),
    )
    if problems := validate(
        work.plan,
        [*memory.catalogue.values()],
        inputs=memory.parsed.inputs.keys(),
        offers=memory.offers,
        requirements=needs,
        done=memory.done,
    ):
        raise PlanRejected(problems)
    work.log.emit(ScheduleMade, schedule=made)
    found = [o for offers in memory.offers.values() for o in offers]
    strangers = sorted({o.node for o in found if o.trust is not Trust.OWN})
    if not strangers or work.auto_approve or state.get("approved"):
        return Command(goto="execute")
    language = memory.language
    price = format_credits(made.price, language)
    question = Question(
        name=APPROVAL,
        text=say(
            language,
            f"This may send your data to {', '.join(strangers)}, for about {price}. Go ahead?",
            f"这可能把您的数据发送到 {'、'.join(strangers)}，大约花费 {price}。继续吗？",
        ),
        choices=("yes", "no"),
    )
    work.log.emit(ApprovalRequested, question=question, price=made.price)
    return Command(goto="approve", update={"question": question.model_dump()})


def _estimates(work: Work) -> Estimates:
    """What the latest runs teach about how long things take."""
    journal = work.services.journal
    runs: list[list[RunEvent]] = []
    for run in journal.runs(limit=_RUNS_TO_LEARN_FROM):
        with suppress(DataDirectoryUnusable):  # written by another version: it teaches nothing here
            runs.append(journal.events(run.id))
    return Estimates.of(runs)


async def approve(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Wait until someone agrees to the plan; anything but yes ends the run."""
    answer = interrupt(state.get("question"))
    if str(answer).strip().lower() in ("yes", "y", "是", "好", "true"):
        return Command(goto="execute", update={"approved": True})
    return end("cancelled")


@step
async def execute(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Run what is not yet done; finished subtasks are read from the journal."""
    work, memory = runtime.context, runtime.context.memory
    assert memory.parsed is not None
    assert memory.schedule is not None
    needs = memory.parsed.requirements
    files = await take_in(work, work.plan, state.get("files", {}))
    outcome = await work.runner.run(
        work.plan,
        capabilities=memory.catalogue,
        inputs=call_inputs(work, files),
        offers=memory.offers,
        schedule=memory.schedule,
        budget=Budget(needs.budget, spent=memory.paid),
        deadline_at=work.deadline_at,
        done=work.stored_results(),
        history=History.of(memory.events),
        avoid=frozenset(offer for f in failures(state) for offer in f.offers),
    )
    kept = {"files": files}
    if outcome.question is not None:
        return ask(work, outcome.question, kept)
    if outcome.status == "succeeded":
        return Command(goto="evaluate", update=kept)
    problem = outcome.problem
    if problem is None or outcome.failed is None or problem.code not in _WORTH_A_NEW_PLAN:
        return end(outcome.status, problem, kept)
    failure = _failure(work, work.plan.by_id[outcome.failed], problem).model_dump(mode="json")
    update = {**kept, "failures": [*state.get("failures", []), failure], "is_broken": True}
    return Command(goto="replan", update=update)


def _failure(work: Work, subtask: Subtask, problem: Problem) -> Failure:
    """What is to be known of a subtask that failed, to plan without it."""
    failed = [e for e in work.memory.this_start if isinstance(e, AttemptFailed) and e.subtask == subtask.id]
    failed = [e for e in failed if e.problem.code != InputNeeded.code]
    is_unknown = History.of(work.memory.events).may_have_run(subtask)
    may_have_run = is_unknown or any(e.problem.code not in NEVER_RAN for e in failed)
    return Failure(
        subtask=subtask,
        nodes=tuple(dict.fromkeys(e.node for e in failed)),
        problem=problem,
        may_have_run=may_have_run and not work.memory.catalogue[subtask.capability].idempotent,
        shape=shape_of(work.plan),
    )


@step
async def evaluate(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Compare what was measured with what was asked for."""
    work, memory = runtime.context, runtime.context.memory
    assert memory.parsed is not None
    metrics = measured(work.plan, memory.catalogue, work.results())
    missed = shortfall(metrics, memory.parsed.requirements.quality, memory.language)
    return end("failed", missed) if missed else end("succeeded")


async def report(state: State, runtime: Runtime[Work]) -> None:
    """Write the files and the page, and say how the run ended."""
    problem = state.get("problem")
    await finish(
        runtime.context, state.get("status", "failed"), Problem.model_validate(problem) if problem else None
    )
