"""The later steps of a run: a plan's nodes, price and execution, and what came of it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from errno import EACCES, EISDIR, ENOENT, ENOTDIR
from pathlib import Path
from stat import S_ISREG

from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from easynet.agents.evaluator import measured, shortfall
from easynet.agents.work import State, Work, ask, end, finish, step
from easynet.core.artifact import Artifact
from easynet.core.capability import Capability, Parameter
from easynet.core.errors import (
    BadData,
    DataDirectoryUnusable,
    NoNodeFound,
    PlanRejected,
)
from easynet.core.events import (
    ApprovalRequested,
    NodesFound,
    Problem,
    Question,
    RunEvent,
    ScheduleMade,
)
from easynet.core.ids import CapabilityName
from easynet.core.language import say
from easynet.core.offer import Offer, Trust
from easynet.core.quantities import format_credits
from easynet.core.task_graph import TaskGraph
from easynet.core.typed_input import typed_input
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.planners.validate import validate
from easynet.scheduling.estimates import Estimates
from easynet.tools.node_discovery import discover as discover_nodes

APPROVAL = "approve"
"""The name under which agreement to a plan is asked for."""
MAX_REPLANS = 2
"""How often one run may plan anew."""
_RUNS_TO_LEARN_FROM = 10

_WORTH_A_NEW_PLAN = frozenset(
    {"subtask_failed", "remote_failure", "node_unreachable", "node_refused", "call_timeout"}
)
"""Failures of a function or its nodes, not of the user's data: another way to the goal may exist."""


_WHY_ZH = {ENOENT: "文件不存在", ENOTDIR: "文件不存在", EACCES: "没有读取权限", EISDIR: "它是一个文件夹"}
"""Why a file cannot be read, for those reasons that the system tells in English."""


@step
async def discover(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Look at the inputs, and find the nodes that may do the work."""
    work, memory = runtime.context, runtime.context.memory
    assert memory.parsed is not None
    for parameter, name in _inputs_read(work.plan, memory.catalogue):
        if name in memory.parsed.inputs:
            typed_input(memory.parsed.inputs[name], parameter, name)
    for name, path in _files_to_take_in(state, work).items():
        _check_readable(work, name, path)
    offers = await discover_nodes(
        work.services.discovery, work.plan.capabilities, memory.parsed.requirements.privacy
    )
    if not (work.auto_approve or state.get("approved")):
        offers = {name: _own(found) or found for name, found in offers.items()}
    if missing := [name for name, found in offers.items() if not found]:
        raise NoNodeFound(
            f"no node may do {missing[0]!r} under these requirements",
            hint="`easynet nodes` shows who is there; with privacy high only your own nodes count.",
            zh=f"在这些要求下，没有节点可以执行 {missing[0]!r}",
            hint_zh="`easynet nodes` 显示有哪些节点；高隐私时只使用您自己的节点。",
        )
    work.log.emit(NodesFound, offers=offers)
    return Command(goto="schedule")


def _own(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    return tuple(o for o in offers if o.trust is Trust.OWN)


def _files_to_take_in(state: State, work: Work) -> dict[str, Path]:
    """The input files that the run does not hold yet, by the name of the input.

    As long as nothing is built on a file, it counts as it is now: it may have been mended since.
    """
    assert work.memory.parsed is not None
    inputs, held = work.memory.parsed.inputs, state.get("files", {})
    read = _inputs_read(work.plan, work.memory.catalogue)
    files = {name for parameter, name in read if parameter.type.name == "File"}
    paths = {name: Path(str(inputs[name])) for name in sorted(files & inputs.keys())}
    return {
        name: path
        for name, path in paths.items()
        if held.get(name, {}).get("path") != str(path) or (not work.memory.done and path.is_file())
    }


def _inputs_read(
    graph: TaskGraph, catalogue: Mapping[CapabilityName, Capability]
) -> list[tuple[Parameter, str]]:
    """The parameters of a plan that take an input of the intent, each with the input's name."""
    return [
        (parameter, binding.name)
        for subtask in graph.subtasks
        for argument, binding in subtask.arguments.items()
        if binding.kind == "input"
        and (parameter := catalogue[subtask.capability].parameter(argument)) is not None
    ]


def _check_readable(work: Work, name: str, path: Path) -> None:
    """Raise BadData unless `path` is a file. Looking at it, unlike opening it, cannot block."""
    language = work.memory.language
    try:
        is_file = S_ISREG(path.stat().st_mode)
        why = "" if is_file else say(language, "it is not a file", "它不是文件")
    except (OSError, ValueError) as error:
        known = _WHY_ZH.get(getattr(error, "errno", None) or 0) if language == "zh" else None
        why = known or getattr(error, "strerror", None) or str(error)
    if not why:
        return
    raise BadData(
        say(
            language,
            f"the input {name!r} cannot be read: {path} ({why})",
            f"无法读取输入 {name!r}：{path}（{why}）",
        ),
        hint=say(
            language,
            f"Give a readable file: --input {name}=FILE.",
            f"请提供可读取的文件：--input {name}=文件。",
        ),
    )


@step
async def schedule(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Say what it will cost and how long it will take, and ask where others' nodes would see the data."""
    work, memory = runtime.context, runtime.context.memory
    assert memory.parsed is not None
    needs = memory.parsed.requirements
    left = None if needs.budget is None else needs.budget - memory.paid
    made = work.services.schedule(
        TaskGraph(subtasks=tuple(s for s in work.plan.subtasks if s.id not in memory.done)),
        memory.offers,
        budget=left,
        deadline_s=needs.deadline_s,
        estimate=_estimates(work),
    )
    if problems := validate(
        work.plan,
        [*memory.catalogue.values()],
        inputs=memory.parsed.inputs.keys(),
        offers=memory.offers,
        requirements=needs,
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
    files = dict(state.get("files", {}))
    for name, path in _files_to_take_in(state, work).items():
        artifact = await work.services.catalogue.upload(path)
        files[name] = {"path": str(path), "artifact": artifact.model_dump()}
    taken_in = {name: Artifact.model_validate(file["artifact"]) for name, file in files.items()}
    outcome = await work.runner.run(
        work.plan,
        capabilities=memory.catalogue,
        inputs={"language": memory.language, **memory.parsed.inputs, **taken_in},
        offers=memory.offers,
        schedule=memory.schedule,
        budget=Budget(needs.budget, spent=memory.paid),
        deadline_at=None if needs.deadline_s is None else memory.started_at + needs.deadline_s,
        done=work.stored_results(),
        history=History.of(memory.events),
    )
    kept = {"files": files}
    if outcome.question is not None:
        return ask(work, outcome.question, kept)
    if outcome.status == "succeeded":
        return Command(goto="evaluate", update=kept)
    avoid, problem = state.get("avoid", []), outcome.problem
    may_replan = problem is not None and problem.code in _WORTH_A_NEW_PLAN and len(avoid) < MAX_REPLANS
    if problem is None or outcome.failed is None or not may_replan:
        return end(outcome.status, problem, kept)
    failed = work.plan.by_id[outcome.failed].capability
    return Command(goto="plan", update={**kept, "avoid": [*avoid, failed], "problem": problem.model_dump()})


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
