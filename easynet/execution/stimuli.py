"""What the state machine of an execution is told."""

from dataclasses import dataclass

from easynet.core.events import Problem, Question, Status
from easynet.core.ids import NodeId, SubtaskId
from easynet.core.task_graph import Subtask


@dataclass(frozen=True)
class Begun:
    """The execution begins."""


@dataclass(frozen=True)
class Grown:
    """The graph has more subtasks; they read each other and those that were there."""

    subtasks: tuple[Subtask, ...]
    done: frozenset[SubtaskId] = frozenset()
    """Those that have results already."""
    once: frozenset[SubtaskId] = frozenset()
    """Those that must not run twice."""
    uncertain: frozenset[SubtaskId] = frozenset()
    """Those that may have run earlier."""
    is_complete: bool = False
    """No more will come."""


@dataclass(frozen=True)
class Placed:
    """A start was given to a node."""

    subtask: SubtaskId
    attempt: int
    node: NodeId


@dataclass(frozen=True)
class Overdue:
    """An attempt takes longer than almost all others did."""

    subtask: SubtaskId
    attempt: int


@dataclass(frozen=True)
class Succeeded:
    """An attempt gave a result."""

    subtask: SubtaskId
    attempt: int
    suffices: bool = True
    """Nobody else has to confirm it."""
    agrees_with: tuple[int, ...] = ()
    """The earlier attempts that gave the same."""


@dataclass(frozen=True)
class Failed:
    """An attempt failed."""

    subtask: SubtaskId
    attempt: int
    node: NodeId
    problem: Problem
    retryable: bool
    question: Question | None = None
    """What the function asked, where that is why it failed."""


@dataclass(frozen=True)
class Unplaced:
    """No node can be given a start."""

    subtask: SubtaskId
    status: Status
    problem: Problem
    question: Question | None = None


@dataclass(frozen=True)
class Stopped:
    """The time is over."""

    problem: Problem


@dataclass(frozen=True)
class Abandoned:
    """An attempt was cancelled."""

    subtask: SubtaskId
    attempt: int


Stimulus = Begun | Grown | Placed | Overdue | Succeeded | Failed | Unplaced | Stopped | Abandoned
