"""What earlier processes did in a run, as far as it binds the one that goes on with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from easynet.core.events import (
    AttemptFailed,
    AttemptStarted,
    MoneyReserved,
    MoneySettled,
    PlanMade,
    RunEvent,
    SubtaskFinished,
)
from easynet.core.ids import SubtaskId
from easynet.core.task_graph import Subtask

_UNCERTAIN = frozenset({"node_unreachable", "outcome_unknown", "call_timeout", "gateway_unreachable"})
"""Codes of attempts that may have run without an answer."""


def is_uncertain(code: str) -> bool:
    """Whether an attempt that failed with `code` may still have run, or be running."""
    return code in _UNCERTAIN


@dataclass(frozen=True)
class History:
    """The attempts of a run so far: a fold of its events."""

    attempts: Mapping[SubtaskId, int] = field(default_factory=dict[SubtaskId, int])
    """The number of the last attempt."""
    rounds: Mapping[SubtaskId, int] = field(default_factory=dict[SubtaskId, int])
    """How many attempts came to an end that is known.

    Attempts between two known ends are one call, sent again because nobody knew what became of it. They
    share an idempotency key.
    """
    uncertain: tuple[Subtask, ...] = ()
    """Subtasks whose last attempt may have run, or still be running, without a result in the journal.

    As they were in the plan then: a later plan may use their names for something else.
    """
    reserved: Mapping[tuple[SubtaskId, int], int] = field(default_factory=dict[tuple[SubtaskId, int], int])
    """Credits by subtask and attempt that were set aside and never settled, because the process died."""

    @classmethod
    def of(cls, events: Iterable[RunEvent]) -> Self:
        attempts: dict[SubtaskId, int] = {}
        rounds: dict[SubtaskId, int] = {}
        plan: Mapping[SubtaskId, Subtask] = {}
        uncertain: list[Subtask] = []
        reserved: dict[tuple[SubtaskId, int], int] = {}
        for event in events:
            match event:
                case PlanMade():
                    plan = event.graph.by_id
                case AttemptStarted():
                    attempts[event.subtask] = event.attempt
                    if (sent := plan[event.subtask]) not in uncertain:
                        uncertain.append(sent)
                case AttemptFailed() if is_uncertain(event.problem.code):
                    pass
                case AttemptFailed() | SubtaskFinished():
                    rounds[event.subtask] = rounds.get(event.subtask, 0) + 1
                    uncertain = [s for s in uncertain if s != plan.get(event.subtask)]
                case MoneyReserved():
                    reserved[event.subtask, event.attempt] = event.amount
                case MoneySettled():
                    reserved.pop((event.subtask, event.attempt), None)
                case _:
                    pass
        return cls(attempts, rounds, tuple(uncertain), reserved)

    def may_have_run(self, subtask: Subtask) -> bool:
        """Whether an uncertain attempt called the same, under this name or with these arguments."""
        return any(
            sent.capability == subtask.capability
            and (sent.id == subtask.id or sent.arguments == subtask.arguments)
            for sent in self.uncertain
        )
