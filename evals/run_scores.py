"""How one simulated run went, by its events and by what the mock nodes truly did."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean, quantiles

from easynet.core.artifact import Artifact
from easynet.core.capability import Capability
from easynet.core.events import (
    ApprovalRequested,
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    IntentParsed,
    ModelAnswered,
    PlanMade,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    SubtaskFinished,
    paid_by,
)
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.intent import Privacy
from easynet.core.offer import Trust
from easynet.core.task_graph import FromInput, Subtask, TaskGraph
from easynet.planners.likeness import f1
from easynet.planners.planner import LANGUAGE_INPUT
from easynet.testing.simulated_time import START
from evals.report import Figure, Measure
from evals.simulation.call import Served

MEASURES = (
    Measure("runs", digits=0),
    Measure("ended", "higher", unit="%", digits=0, must_be=100.0),
    Measure("success", "higher", slack=1.0, unit="%", digits=1),
    Measure("node F1", "higher", slack=1.0, unit="%", digits=1),
    Measure("link F1", "higher", slack=1.0, unit="%", digits=1),
    Measure("makespan", "lower", tolerance=0.1, slack=0.05, unit="x"),
    Measure("makespan p95", "lower", tolerance=0.2, slack=0.1, unit="x", digits=1),
    Measure("cost", "lower", tolerance=0.1, slack=0.05, unit="x"),
    Measure("waste", "lower", tolerance=0.1, slack=1.0, unit="%", digits=1),
    Measure("re-plans", "lower", slack=0.1),
    Measure("questions", "lower", slack=0.05),
    Measure("tokens", "lower", tolerance=0.1, digits=0),
    Measure("privacy breaches", "lower", must_be=0.0, digits=0),
    Measure("budget breaches", "lower", must_be=0.0, digits=0),
    Measure("repeated effects", "lower", must_be=0.0, digits=0),
)
"""The columns of suites that replay runs. Makespan is over the critical path on the truly fastest nodes, as
the geometric mean; cost over the cheapest feasible; both of runs that succeeded. Waste is the share of
attempts' seconds that gave no result."""


@dataclass(frozen=True)
class Truth:
    """What a run cannot know."""

    graph: TaskGraph
    """The plan that is right."""
    critical_path_s: float
    cheapest: int
    """Credits."""
    trust: Mapping[NodeId, Trust]
    secrets: frozenset[str] = frozenset()
    """Words and digests of private inputs, which no node may see that is not trusted."""


@dataclass(frozen=True)
class RunScore:
    """One run, measured."""

    ended: bool
    success: bool
    """It succeeded, and what it took for right is right."""
    nodes: float
    links: float
    makespan: float | None
    """Over the critical path; None where it did not succeed."""
    cost: float | None
    attempts_s: float
    wasted_s: float
    replans: int
    questions: int
    tokens: int
    privacy: int
    budget: int
    effects: int


def scored(
    events: Sequence[RunEvent],
    served: Sequence[Served],
    catalogue: Mapping[CapabilityName, Capability],
    truth: Truth,
) -> RunScore:
    """The scores of a run; `served` is what the nodes did for it."""
    graphs = [e.graph for e in events if isinstance(e, PlanMade)]
    last = events[-1] if events else None
    finished = last if isinstance(last, RunFinished) else None
    is_bug = finished is not None and finished.problem is not None and finished.problem.code == "bug"
    success = (
        finished is not None
        and finished.status == "succeeded"
        and not _wrong_results(events, served, graphs[-1])
    )
    paid = sum(map(paid_by, events))
    attempts_s, wasted_s = _attempts(events)
    return RunScore(
        ended=finished is not None and not is_bug,
        success=success,
        nodes=f1(*(_steps(g) for g in (graphs[-1], truth.graph))) if graphs else 0.0,
        links=_links_f1(graphs[-1], truth.graph) if graphs else 0.0,
        makespan=_duration_s(events) / truth.critical_path_s if success and truth.critical_path_s else None,
        cost=paid / truth.cheapest if success and truth.cheapest else None,
        attempts_s=attempts_s,
        wasted_s=wasted_s,
        replans=sum(isinstance(e, Replanned) for e in events),
        questions=sum(isinstance(e, QuestionAsked | ApprovalRequested) for e in events),
        tokens=sum(e.input_tokens + e.output_tokens for e in events if isinstance(e, ModelAnswered)),
        privacy=_privacy_breaches(events, served, catalogue, truth, graphs),
        budget=_budget_breaches(events, paid),
        effects=_repeated_effects(served, catalogue),
    )


def row(scores: Sequence[RunScore]) -> dict[str, Figure]:
    """Means over runs, and totals of what must not happen."""
    spans = [s.makespan for s in scores if s.makespan is not None]
    costs = [s.cost for s in scores if s.cost is not None]
    all_s = sum(s.attempts_s for s in scores)
    return {
        "runs": len(scores),
        "ended": 100 * fmean(s.ended for s in scores),
        "success": 100 * fmean(s.success for s in scores),
        "node F1": 100 * fmean(s.nodes for s in scores),
        "link F1": 100 * fmean(s.links for s in scores),
        "makespan": geometric_mean(spans) if spans else None,
        "makespan p95": quantiles(spans, n=20, method="inclusive")[-1] if len(spans) > 1 else None,
        "cost": fmean(costs) if costs else None,
        "waste": 100 * sum(s.wasted_s for s in scores) / all_s if all_s else 0.0,
        "re-plans": fmean(s.replans for s in scores),
        "questions": fmean(s.questions for s in scores),
        "tokens": fmean(s.tokens for s in scores),
        "privacy breaches": sum(s.privacy for s in scores),
        "budget breaches": sum(s.budget for s in scores),
        "repeated effects": sum(s.effects for s in scores),
    }


def bars(
    rows: Mapping[str, Mapping[str, Figure]], labels: Sequence[str], score: str
) -> list[tuple[float | str, float]]:
    """A score of some rows as bars of a plot."""
    return [(label, value) for label in labels if (value := rows[label][score]) is not None]


def _duration_s(events: Sequence[RunEvent]) -> float:
    return events[-1].at - events[0].at


def _steps(graph: TaskGraph) -> list[CapabilityName]:
    return [s.capability for s in graph.subtasks]


def _links_f1(one: TaskGraph, other: TaskGraph) -> float:
    """As `f1` over pairs of which the second reads the first; plans without any are alike in that."""
    links = [
        [(g.by_id[n].capability, s.capability) for s in g.subtasks for n in sorted(s.needs)]
        for g in (one, other)
    ]
    return f1(*links) if any(links) else 1.0


def _wrong_results(events: Sequence[RunEvent], served: Sequence[Served], graph: TaskGraph) -> int:
    """Results that the run took for right and that no such function gives."""
    wrong = 0
    for event in events:
        if isinstance(event, SubtaskFinished) and event.subtask in graph.by_id:
            given = [
                s
                for s in served
                if (s.call.subtask, s.call.node, s.how) == (event.subtask, event.node, "returned")
                and s.ended_at is not None
                and START + s.ended_at <= event.at + 1e-6
            ]
            wrong += bool(given) and given[-1].is_wrong
    return wrong


def _attempts(events: Sequence[RunEvent]) -> tuple[float, float]:
    """Seconds of all attempts, and of those that gave no result."""
    began: dict[tuple[SubtaskId, int], float] = {}
    all_s = wasted_s = 0.0
    confirmed: set[tuple[SubtaskId, NodeId]] = set()
    nodes: dict[tuple[SubtaskId, int], NodeId] = {}
    for event in events:
        match event:
            case AttemptStarted():
                began[event.subtask, event.attempt] = event.at
                nodes[event.subtask, event.attempt] = event.node
            case SubtaskFinished():
                confirmed |= {(event.subtask, n) for n in event.confirmed_by}
                all_s += event.at - began.pop((event.subtask, event.attempt), event.at)
            case AttemptFailed() | AttemptCancelled():
                took = event.at - began.pop((event.subtask, event.attempt), event.at)
                all_s += took
                wasted_s += took
            case _:
                pass
    for (subtask, attempt), at in began.items():
        took = events[-1].at - at
        if (subtask, nodes[subtask, attempt]) not in confirmed:
            all_s += took
            wasted_s += took
    return all_s, wasted_s


def _budget_breaches(events: Sequence[RunEvent], paid: int) -> int:
    parsed = [e.parsed for e in events if isinstance(e, IntentParsed)]
    budget = parsed[-1].requirements.budget if parsed else None
    return int(budget is not None and paid > budget)


def _repeated_effects(served: Sequence[Served], catalogue: Mapping[CapabilityName, Capability]) -> int:
    """How often a function that must not run twice for one piece of work ran once more."""
    ran: Counter[str] = Counter()
    for one in served:
        if not catalogue[one.call.capability].idempotent:
            ran[one.call.piece] += one.effects
    return sum(n - 1 for n in ran.values() if n > 1)


def _privacy_breaches(
    events: Sequence[RunEvent],
    served: Sequence[Served],
    catalogue: Mapping[CapabilityName, Capability],
    truth: Truth,
    graphs: Sequence[TaskGraph],
) -> int:
    """Calls that brought private data, or what was made of it, to a node that is nobody's to trust."""
    parsed = [e.parsed for e in events if isinstance(e, IntentParsed)]
    if not parsed or parsed[-1].requirements.privacy is not Privacy.HIGH:
        return 0
    private = {s for g in graphs for s in _private(g, catalogue)}
    public = [s.call for s in served if truth.trust.get(s.call.node, Trust.PUBLIC) is Trust.PUBLIC]
    return sum(
        c.subtask in private or not truth.secrets.isdisjoint(_words(c.arguments.values())) for c in public
    )


def _private(graph: TaskGraph, catalogue: Mapping[CapabilityName, Capability]) -> set[SubtaskId]:
    """The subtasks that are given the user's data, or what was made of it without aggregating."""
    private: set[SubtaskId] = set()
    spreading: set[SubtaskId] = set()
    for subtask in graph.in_order:
        if _reads_input(subtask) or subtask.needs & spreading:
            private.add(subtask.id)
            if not getattr(catalogue[subtask.capability], "aggregates", False):
                spreading.add(subtask.id)
    return private


def _reads_input(subtask: Subtask) -> bool:
    return any(isinstance(b, FromInput) and b.name != LANGUAGE_INPUT for b in subtask.arguments.values())


def _words(values: Iterable[object]) -> Iterable[str]:
    """Every text and every digest in some arguments."""
    for value in values:
        match value:
            case str():
                yield value
            case Artifact():
                yield value.digest
            case dict():
                yield from _words(value.values())
            case list() | tuple():
                yield from _words(value)
            case _:
                pass
