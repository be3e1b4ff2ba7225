"""What the state machine of an execution has done."""

from dataclasses import dataclass
from typing import Literal

from easynet.core.events import Problem, Question, Status
from easynet.core.ids import NodeId, SubtaskId

Reason = Literal["first", "retry", "hedge", "opinion"]


@dataclass(frozen=True)
class Start:
    """Give the subtask to a node, rather to one that has not failed it.

    A `hedge` is for a slot that is free now; it does not wait for one.
    """

    subtask: SubtaskId
    attempt: int
    reason: Reason = "first"
    failed_on: tuple[NodeId, ...] = ()
    """The nodes of the attempts that failed."""
    not_on: tuple[NodeId, ...] = ()
    """The nodes that run it now, gave a result that is to be confirmed, or may not see its arguments."""


@dataclass(frozen=True)
class Accept:
    """The attempt's result is the subtask's, to be kept before anything builds on it."""

    subtask: SubtaskId
    attempt: int
    confirmed_by: tuple[NodeId, ...] = ()


@dataclass(frozen=True)
class Reject:
    """The attempt's result is wrong: others agreed on another."""

    subtask: SubtaskId
    attempt: int


@dataclass(frozen=True)
class Cancel:
    """Stop a running attempt."""

    subtask: SubtaskId
    attempt: int
    why: Literal["superseded", "stopped"]


@dataclass(frozen=True)
class Finish:
    """Nothing is running and nothing will start. The last command, exactly once."""

    status: Status
    problem: Problem | None = None
    question: Question | None = None
    failed: SubtaskId | None = None


Command = Start | Accept | Reject | Cancel | Finish
