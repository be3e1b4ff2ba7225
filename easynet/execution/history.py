"""What earlier processes did in a run, as far as it binds the one that goes on with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from easynet.core.events import (
    AttemptFailed,
    AttemptStarted,
    MoneyReserved,
    MoneySettled,
    RunEvent,
    SubtaskFinished,
)
from easynet.core.ids import SubtaskId

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
    uncertain: frozenset[SubtaskId] = frozenset()
    """Subtasks whose last attempt may have run, or still be running, without a result in the journal."""
    reserved: Mapping[tuple[SubtaskId, int], int] = field(default_factory=dict[tuple[SubtaskId, int], int])
    """Credits by subtask and attempt that were set aside and never settled, because the process died."""

    @classmethod
    def of(cls, events: Iterable[RunEvent]) -> Self:
        attempts: dict[SubtaskId, int] = {}
        rounds: dict[SubtaskId, int] = {}
        uncertain: set[SubtaskId] = set()
        reserved: dict[tuple[SubtaskId, int], int] = {}
        for event in events:
            match event:
                case AttemptStarted():
                    attempts[event.subtask] = event.attempt
                    uncertain.add(event.subtask)
                case AttemptFailed() if not is_uncertain(event.problem.code):
                    rounds[event.subtask] = rounds.get(event.subtask, 0) + 1
                    uncertain.discard(event.subtask)
                case SubtaskFinished():
                    rounds[event.subtask] = rounds.get(event.subtask, 0) + 1
                    uncertain.discard(event.subtask)
                case MoneyReserved():
                    reserved[event.subtask, event.attempt] = event.amount
                case MoneySettled():
                    reserved.pop((event.subtask, event.attempt), None)
                case _:
                    pass
        return cls(attempts, rounds, frozenset(uncertain), reserved)
