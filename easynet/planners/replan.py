"""A failed run's plan made good: what is finished stays; what failed, and what reads it, is planned anew."""

from collections.abc import Set
from dataclasses import dataclass, field
from math import ceil

from easynet.core.errors import EasyNetError
from easynet.core.ids import SubtaskId
from easynet.core.language import say
from easynet.core.quantities import format_credits, format_duration
from easynet.core.relaxation import Relaxation
from easynet.core.task_graph import TaskGraph
from easynet.planners.deeds import acts
from easynet.planners.planner import Alternative, Planner, PlanResult
from easynet.planners.repairs import How, Repairs
from easynet.planners.run_state import RunState
from easynet.planners.validate import validate


class Repair(PlanResult):
    """A plan for the rest of a run, or what stands in its way."""

    how: How | None = None
    """What the new plan changes; only where there is one."""
    keeps: tuple[SubtaskId, ...] = ()
    """The finished subtasks that are a part of it."""
    more_credits: int = 0
    """What the cheapest relaxation of the budget adds to it; only where `status` is `infeasible`."""
    more_s: float = 0.0
    """Seconds that it adds to the time; likewise."""
    relaxation: Relaxation | None = None
    """The limits with which the run could go on; likewise."""


async def replan(state: RunState, planner: Planner) -> Repair:
    """The plan that changes least: other nodes, else a substitute, else another chain, else a new plan.

    Its graph holds every finished subtask that is still needed, unchanged, passes the validator, calls
    nothing that only failed offers could do, and costs and takes no more than is left. `planner` is asked
    where nothing smaller helps. `unsupported` where there is no other way, `infeasible` where there is one
    and the budget or the time does not suffice. Replanning ends: each failure takes away a capability, or
    some of its offers, and no capability is planned after its second failure.
    """
    if state.failures[-1].may_have_run:
        return _unsupported(state)
    judge = _Judge(state)
    repairs = Repairs(state)
    for how, graph in repairs.all():
        if judge.admits(graph):
            return judge.planned(how, PlanResult(status="planned", planner="repair"), graph)
    asked = await _asked(state, planner)
    if asked is None:
        return judge.nothing()
    if asked.question is not None:
        return Repair.model_validate(dict(asked))
    for plan in (asked.graph, *(a.graph for a in asked.alternatives)):
        merged = None if plan is None else repairs.merged(plan)
        if merged is None or _does_otherwise(state, merged):
            continue
        if judge.admits(merged, asked.found_inputs.keys()):
            return judge.planned("new_plan", asked, merged)
    return judge.nothing()


async def _asked(state: RunState, planner: Planner) -> PlanResult | None:
    """What the planner makes of the request without what failed; nothing where it gives up."""
    avoid = tuple(sorted({*state.request.avoid, *state.unusable}))
    try:
        return await planner.plan(state.request.model_copy(update={"avoid": avoid}))
    except EasyNetError:
        return None  # why the run failed says more than that there is no other way


def _does_otherwise(state: RunState, graph: TaskGraph) -> bool:
    """Whether a plan does something to the world that the failed one did not, in place of what was asked for.

    Where paying failed, cancelling looks much like it.
    """
    if not any(s.id in state.wanted for s in state.lost):
        return False
    known = state.catalogue
    meant = {deed for s in state.graph.subtasks for deed in acts(known[s.capability])}
    return any(not acts(known[name]) <= meant for name in graph.capabilities if name in known)


@dataclass(frozen=True)
class _Dear:
    """A sound plan that lacks money or time."""

    graph: TaskGraph
    credits: int
    """That it costs beyond what is left."""
    seconds: float
    """That it takes beyond what is left."""


@dataclass(frozen=True)
class _Judge:
    """Admits the first plan that is sound and within the bounds, and remembers those beyond them."""

    state: RunState
    dear: list[_Dear] = field(default_factory=list[_Dear])

    def admits(self, graph: TaskGraph, found: Set[str] = frozenset()) -> bool:
        """Whether the run may go on by this plan. `found` are inputs that the planner read from the words."""
        state = self.state
        inputs = state.request.input_names | found
        is_sound = not validate(graph, [*state.catalogue.values()], inputs=inputs)
        if not is_sound or not state.may_be_tried(graph) or self._forgets_an_input(graph):
            return False
        left = [s for s in graph.in_order if s.id not in state.finished]
        price = sum(state.price(s.capability) for s in left)
        ends: dict[SubtaskId, float] = {}
        for subtask in left:
            ends[subtask.id] = state.seconds(subtask.capability) + max(
                (ends.get(n, 0.0) for n in subtask.needs), default=0.0
            )
        credits = 0 if state.budget is None else max(0, price - state.budget)
        seconds = 0.0 if state.time_s is None else max(0.0, max(ends.values(), default=0.0) - state.time_s)
        if not credits and not seconds:
            return True
        self.dear.append(_Dear(graph, credits, seconds))
        return False

    def _forgets_an_input(self, graph: TaskGraph) -> bool:
        """Whether something that the user gave was read before and is not any longer."""
        given = self.state.request.input_names & self.state.graph.inputs.keys()
        return not given <= graph.inputs.keys()

    def planned(self, how: How, result: PlanResult, graph: TaskGraph) -> Repair:
        keeps = tuple(i for i in self.state.finished if i in graph.by_id)
        return Repair.model_validate({**dict(result), "graph": graph, "how": how, "keeps": keeps})

    def nothing(self) -> Repair:
        """What the cheapest relaxation would be; or that nothing helps."""
        if not self.dear:
            return _unsupported(self.state)
        # Whoever allows more money or more time is asked for one of them, if one will do.
        least = min(self.dear, key=lambda d: (bool(d.credits) + bool(d.seconds), d.credits, d.seconds))
        return Repair(
            status="infeasible",
            planner="repair",
            why=_relaxation(self.state, least),
            alternatives=tuple(Alternative(graph=d.graph, score=0.0) for d in self.dear),
            more_credits=least.credits,
            more_s=least.seconds,
            relaxation=_limits(self.state, least),
        )


# ── in words ────────────────────────────────────────────────────────────────────────────────────


def _unsupported(state: RunState) -> Repair:
    language, failed = state.request.parsed.language, state.failures[-1]
    who = repr(failed.subtask.capability)
    if failed.may_have_run:
        why = say(
            language,
            f"{who} must not run twice and may have had its effect, so nothing was tried in its place.",
            f"{who} 不能运行两次，而且可能已经生效，因此没有尝试用别的功能代替。",
        )
    else:
        why = say(
            language,
            f"Nothing else on this network does what {who} does, and no other way leads to the goal.",
            f"网络上没有其他功能可以代替 {who}，也没有其他途径达到目标。",
        )
    return Repair(status="unsupported", planner="repair", why=why)


def _limits(state: RunState, dear: _Dear) -> Relaxation:
    budget = state.request.parsed.requirements.budget or 0
    return Relaxation(
        budget=budget + dear.credits if dear.credits else None,
        time_s=(state.time_s or 0.0) + dear.seconds if dear.seconds else None,
    )


def _relaxation(state: RunState, dear: _Dear) -> str:
    language, needs = state.request.parsed.language, state.request.parsed.requirements
    new = [c for c in dear.graph.capabilities if c not in state.graph.capabilities]
    instead = ", ".join(map(repr, new)) or say(language, "Other nodes", "其他节点")
    en: list[str] = []
    zh: list[str] = []
    if dear.credits:
        enough = (needs.budget or 0) + dear.credits
        en.append(f"a budget of {format_credits(enough)}")
        zh.append(f"预算提高到 {format_credits(enough, 'zh')}")
    if dear.seconds:
        allowed = ceil((needs.deadline_s or 0.0) + dear.seconds)
        en.append(f"a deadline of {format_duration(allowed)}")
        zh.append(f"期限放宽到 {format_duration(allowed, 'zh')}")
    return say(
        language,
        f"{instead} could go on from what is finished, but not within what is left;"
        f" {' and '.join(en)} would do.",
        f"{instead} 可以在已完成的基础上继续，但超出了剩余的限度；{'，并'.join(zh)}即可。",
    )
