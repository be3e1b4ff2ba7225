"""Where the execution of a task graph stands: a value that steps of the machine turn into the next one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from immutables import Map

from easynet.core.errors import PlanRejected
from easynet.core.ids import NodeId, SubtaskId
from easynet.core.language import Language
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.commands import Finish
from easynet.execution.stimuli import Failed

MAX_ATTEMPTS = 5

Phase = Literal["waiting", "ready", "running", "succeeded", "failed"]
"""`waiting` for other subtasks; `ready` to be given to a node; `running` while an attempt is."""


@dataclass(frozen=True)
class Attempt:
    """A number and the node that it was made on."""

    number: int
    node: NodeId


Attempts = tuple[Attempt, ...]


@dataclass(frozen=True)
class Rules:
    """What does not change while an execution goes on."""

    attempts: int = MAX_ATTEMPTS
    """How often a subtask is tried at most."""
    language: Language = "en"


class State(NamedTuple):
    """One execution, at one moment. Its maps share what they have in common with those before.

    A tuple, because a step makes several, and of a tuple that is cheap.
    """

    rules: Rules = Rules()
    order: tuple[SubtaskId, ...] = ()
    """All subtasks. The maps below have no order; what is done for several subtasks goes by this one."""
    phases: Map[SubtaskId, Phase] = Map()
    missing: Map[SubtaskId, int] = Map()
    """How many results each subtask still waits for."""
    readers: Map[SubtaskId, tuple[SubtaskId, ...]] = Map()
    once: frozenset[SubtaskId] = frozenset()
    """What must not run twice."""
    uncertain: frozenset[SubtaskId] = frozenset()
    """What may have run in an earlier process."""
    numbers: Map[SubtaskId, int] = Map()
    """The number of the last attempt."""
    running: Map[SubtaskId, Attempts] = Map()
    answers: Map[SubtaskId, Attempts] = Map()
    """The attempts whose results wait to be confirmed."""
    failures: Map[SubtaskId, tuple[Failed, ...]] = Map()
    left: int = 0
    """How many subtasks have no result yet."""
    is_complete: bool = True
    """The graph does not grow."""
    verdict: Finish | None = None
    is_over: bool = False

    @property
    def is_ending(self) -> bool:
        """Whether nothing new may start."""
        return self.verdict is not None


def state_of(
    graph: TaskGraph,
    rules: Rules = Rules(),  # frozen
    *,
    done: Collection[SubtaskId] = (),
    once: Collection[SubtaskId] = (),
    uncertain: Collection[SubtaskId] = (),
    numbers: Mapping[SubtaskId, int] | None = None,
    is_complete: bool = True,
) -> State:
    """Where the execution of a graph begins of which `done` have results already.

    `numbers` are those of the last attempts of earlier processes. The graph may grow unless it `is_complete`.
    Raises PlanRejected where it could never finish.
    """
    before = State(
        rules=rules,
        once=frozenset(once),
        uncertain=frozenset(uncertain),
        numbers=Map(numbers or {}),
        is_complete=is_complete,
    )
    return grown(before, graph.subtasks, done)


def grown(before: State, subtasks: Sequence[Subtask], done: Collection[SubtaskId]) -> State:
    """The state with more subtasks, all of which wait; raises PlanRejected where they never could finish."""
    new = {s.id: s for s in subtasks}
    if len(new) < len(subtasks) or any(i in before.phases for i in new):
        raise PlanRejected(["two subtasks have one name"])
    phases: Map[SubtaskId, Phase] = before.phases.update(
        {i: ("succeeded" if i in done else "waiting") for i in new}
    )
    missing: dict[SubtaskId, int] = {}
    readers: dict[SubtaskId, list[SubtaskId]] = {i: [] for i in new}
    for subtask in subtasks:
        needed = [n for n in subtask.needs if n not in done and phases.get(n) != "succeeded"]
        missing[subtask.id] = len(needed)
        for n in needed:
            if n not in phases:
                raise PlanRejected([f"{subtask.id!r} reads {n!r}, which is not in the plan"])
            readers.setdefault(n, [*before.readers.get(n, ())]).append(subtask.id)
    _check(new, phases)
    return before._replace(
        order=(*before.order, *new),
        phases=phases,
        missing=before.missing.update(missing),
        readers=before.readers.update({i: tuple(found) for i, found in readers.items()}),
        left=before.left + sum(phases[i] != "succeeded" for i in new),
    )


def _check(new: Mapping[SubtaskId, Subtask], phases: Mapping[SubtaskId, Phase]) -> None:
    """Nothing that was there waits for what is new, so a circle is among the new subtasks."""
    waiting = tuple(s for i, s in new.items() if phases[i] == "waiting")
    in_order = {s.id for s in TaskGraph(subtasks=waiting).in_order}
    if stuck := [s.id for s in waiting if s.id not in in_order]:
        raise PlanRejected([f"{', '.join(map(repr, stuck[:3]))} wait for each other"])
