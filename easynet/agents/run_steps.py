"""The later steps of a run: a plan's nodes, price and execution, and what came of it."""

from collections.abc import Collection, Sequence

from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from easynet.agents.approval_question import approval_question
from easynet.agents.approvals import needed
from easynet.agents.evaluator import contradiction, measured, shortfall
from easynet.agents.input_files import call_inputs, check_inputs, check_private, take_in
from easynet.agents.offers import failures, offers_of, trusted, uses_others
from easynet.agents.work import State, Work, ask, end, finish, step
from easynet.core.errors import (
    DeadlinePassed,
    Infeasible,
    InputNeeded,
    NoNodeFound,
    OverBudget,
    PlanRejected,
)
from easynet.core.events import (
    ApprovalAnswered,
    ApprovalRequested,
    AttemptFailed,
    NodesFound,
    Problem,
    ScheduleMade,
    SubtaskFinished,
)
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Privacy
from easynet.core.offer import Offer
from easynet.core.privacy import may_see
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.ladder import NEVER_RAN
from easynet.planners.plan_shape import shape_of
from easynet.planners.run_state import Failure
from easynet.planners.validate import validate
from easynet.tools.node_discovery import discover as discover_offers

_WORTH_A_NEW_PLAN = frozenset(
    {
        "subtask_failed",
        "remote_failure",
        "wrong_result",
        "node_unreachable",
        "node_refused",
        "call_timeout",
        "no_node_found",
    }
)
"""Failures of a function or its nodes, not of the user's data: another way to the goal may exist."""


@step
async def discover(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Look at the inputs, and find the nodes that may do the work."""
    work, memory = runtime.context, runtime.context.memory
    assert memory.parsed is not None
    check_private(work)
    check_inputs(work, work.plan, state.get("files", {}))
    avoid = {offer for f in failures(state) for offer in f.offers}
    found = await offers_of(state, work, work.plan.capabilities, [work.plan])
    offers = {name: tuple(o for o in able if (o.node, name) not in avoid) for name, able in found.items()}
    labels = work.labels
    if missing := [s.capability for s in work.left if not _may_do(offers[s.capability], labels[s.id])]:
        raise await _nobody_may(work, missing[0], avoid)
    used = tuple(memory.catalogue[name] for name in work.plan.capabilities)
    work.log.emit(NodesFound, offers=offers, capabilities=used)
    return Command(goto="schedule")


def _may_do(offers: Sequence[Offer], label: Privacy) -> bool:
    return any(may_see(o.trust, label) for o in offers)


async def _nobody_may(
    work: Work, capability: CapabilityName, avoid: Collection[tuple[NodeId, CapabilityName]]
) -> NoNodeFound:
    """Which requirement is in the way, and of whom."""
    everyone = (await discover_offers(work.services.discovery, [capability], Privacy.NORMAL))[capability]
    able = [o for o in everyone if (o.node, capability) not in avoid]
    names = ", ".join(sorted(o.node for o in able)[:3])
    if not able:
        hint = "`easynet nodes` shows who is there; start a node that offers it, and resume the run."
        hint_zh = "`easynet nodes` 显示有哪些节点；请启动提供该功能的节点，然后恢复运行。"
    else:
        hint = (
            f"Private data goes only to your own nodes and to those that you trust, and {names} would do:"
            " name it in EASYNET_TRUSTED_NODES where you trust it, or ask again with privacy normal."
        )
        hint_zh = (
            f"私密数据只发送到您自己的和您信任的节点，而 {names} 可以执行：如果您信任它，"
            "请写入 EASYNET_TRUSTED_NODES；或者以普通隐私重新提出。"
        )
    return NoNodeFound(
        f"no node may do {capability!r} under these requirements",
        hint=hint,
        zh=f"在这些要求下，没有节点可以执行 {capability!r}",
        hint_zh=hint_zh,
    )


@step
async def schedule(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Say what it will cost and how long it will take, and ask where somebody has to agree to it."""
    work, memory = runtime.context, runtime.context.memory
    assert memory.parsed is not None
    needs = memory.parsed.requirements
    made = work.services.schedule(
        TaskGraph(subtasks=work.left),
        memory.offers,
        budget=needs.budget,
        spent=memory.paid,
        deadline_s=_time_for(work, needs.deadline_s, goes_on=bool(state.get("failures"))),
        estimate=work.services.steering.estimates.seconds,
        labels=work.labels,
    )
    if problems := validate(
        work.plan,
        [*memory.catalogue.values()],
        inputs=memory.parsed.inputs.keys(),
        offers=memory.offers,
        requirements=needs,
        labels=work.labels,
        done=memory.done,
    ):
        raise PlanRejected(problems)
    work.log.emit(ScheduleMade, schedule=made)
    found = [o for offers in memory.offers.values() for o in offers]
    strangers = sorted({o.node for o in found} - {o.node for o in trusted(found)})
    others = () if uses_others(state, work) else tuple(strangers)
    if work.auto_approve and strangers and not memory.may_use_others:
        # Kept, so that a process that takes the run over after a crash need not be told again.
        work.log.emit(ApprovalAnswered, agreed=True, others=tuple(strangers))
    steps = needed(memory, work.plan, made)
    if named := tuple(s for s in steps if s.capability in work.approve and "again" not in s.why):
        work.log.emit(ApprovalAnswered, agreed=True, steps=named, by="name")
        steps = tuple(s for s in steps if s not in named)
    if not steps and not others:
        return Command(goto="execute")
    question = approval_question(memory, work.plan, steps, others, made.price)
    work.log.emit(ApprovalRequested, question=question, price=made.price, steps=steps, others=others)
    return Command(goto="approve", update={"question": question.model_dump()})


def _time_for(work: Work, deadline_s: float | None, *, goes_on: bool) -> float | None:
    """Seconds that the rest may take. What the planning of a new run took is not held against its plan.

    Where no time is left it is for the execution to say so, and how much is unfinished.
    """
    memory = work.memory
    is_fresh = not goes_on and (not memory.is_resumed or memory.timed_from == memory.started_at)
    return deadline_s if is_fresh else work.time_left_s or deadline_s


async def approve(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Wait until someone agrees to the plan; anything but yes ends the run."""
    answer = interrupt(state.get("question"))
    return Command(goto="execute") if note_answer(runtime.context, answer) else end("cancelled")


def note_answer(work: Work, answer: object) -> bool:
    """Keep what was answered to the open request for approval, with what was asked; whether it is a yes."""
    asked = work.memory.approval
    assert asked is not None, "nobody answers what was not asked"
    agreed = str(answer).strip().lower() in ("yes", "y", "是", "好", "true")
    work.log.emit(ApprovalAnswered, agreed=agreed, steps=asked.steps, others=asked.others)
    return agreed


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
        labels=work.labels,
        confirm=bool(needs.quality),
    )
    kept = {"files": files}
    if outcome.question is not None:
        return ask(work, outcome.question, kept)
    if outcome.status == "succeeded":
        return Command(goto="evaluate", update=kept)
    problem = _with_relaxations(work, outcome.problem)
    if problem is None or outcome.failed is None or problem.code not in _WORTH_A_NEW_PLAN:
        return end(outcome.status, problem, kept)
    failure = _failure(work, work.plan.by_id[outcome.failed], problem).model_dump(mode="json")
    update = {**kept, "failures": [*state.get("failures", []), failure], "is_broken": True}
    return Command(goto="replan", update=update)


def _with_relaxations(work: Work, problem: Problem | None) -> Problem | None:
    """The problem with the least limits that would do for what is left, where limits ended the execution."""
    memory = work.memory
    if problem is None or problem.code not in (OverBudget.code, DeadlinePassed.code):
        return problem
    assert memory.parsed is not None
    is_late = problem.code == DeadlinePassed.code
    failed = {(e.subtask, e.node) for e in memory.this_start if isinstance(e, AttemptFailed)}
    avoid = {(work.plan.by_id[s].capability, n) for s, n in failed if s in work.plan.by_id}
    try:
        work.services.schedule(
            TaskGraph(subtasks=work.left),
            {
                name: [o for o in found if (name, o.node) not in avoid]
                for name, found in memory.offers.items()
            },
            budget=memory.parsed.requirements.budget,
            spent=memory.paid,
            deadline_s=0.0 if is_late else None,
            estimate=work.services.steering.estimates.seconds,
            labels=work.labels,
        )
    except (OverBudget, Infeasible) as error:
        _, hint = error.in_language(memory.language)
        return problem.model_copy(update={"relaxations": error.relaxations, "hint": hint})
    except NoNodeFound:
        pass
    return problem


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
    if work.left:  # the process ended after it had withdrawn a result
        return Command(goto="execute")
    results = work.results()
    if wrong := contradiction(work.plan, memory.catalogue, results, memory.language):
        return _withdraw(state, work, work.plan.by_id[wrong.subtask], wrong.problem)
    metrics = measured(work.plan, memory.catalogue, results)
    missed = shortfall(metrics, memory.parsed.requirements.quality, memory.language)
    return end("failed", missed) if missed else end("succeeded")


def _withdraw(state: State, work: Work, subtask: Subtask, problem: Problem) -> Command[str]:
    """Count what a finished subtask did as a failure, and plan without it.

    Where an effect built on it must not be repeated, the run ends; of one that is irreversible somebody is
    asked anew.
    """
    built = [work.memory.catalogue[work.plan.by_id[i].capability] for i in work.plan.built_on(subtask.id)]
    if any(not c.idempotent and not c.irreversible for c in built):
        return end("failed", problem)
    ends = [e for e in work.memory.events if isinstance(e, SubtaskFinished) and e.subtask == subtask.id]
    last = ends[-1]
    work.log.emit(
        AttemptFailed,
        subtask=subtask.id,
        attempt=last.attempt,
        node=last.node,
        problem=problem,
        will_retry=False,
    )
    failure = _failure(work, subtask, problem).model_dump(mode="json")
    return Command(
        goto="replan", update={"failures": [*state.get("failures", []), failure], "is_broken": True}
    )


async def report(state: State, runtime: Runtime[Work]) -> None:
    """Write the files and the page, and say how the run ended."""
    problem = state.get("problem")
    await finish(
        runtime.context, state.get("status", "failed"), Problem.model_validate(problem) if problem else None
    )
