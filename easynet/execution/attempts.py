"""The attempts of an execution: what each came to, told to the journal, the purse and the estimates."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from easynet.core.clock import Clock
from easynet.core.events import (
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    MoneyReserved,
    MoneySettled,
    Problem,
    SubtaskFinished,
)
from easynet.core.ids import NodeId, SubtaskId
from easynet.execution.dispatch import Placement
from easynet.execution.following import Result
from easynet.execution.ladder import NEVER_RAN
from easynet.execution.purse import Purse
from easynet.execution.run_log import RunLog
from easynet.execution.steering import Steering
from easynet.scheduling.observations import Observation, Outcome

_SILENT = frozenset({"node_unreachable", "outcome_unknown", "call_timeout"})


@dataclass(eq=False)
class Attempt:
    """A call that was sent and whose reservation has not ended."""

    placement: Placement
    started_at: float
    task: "asyncio.Task[Result] | None" = None
    timer: asyncio.TimerHandle | None = None
    """Goes off when it is overdue."""
    given_up: Literal["superseded", "stopped"] | None = None
    """Why it was told to stop, where it was."""
    result: Result | None = None
    """Where it has ended well."""
    ended_at: float = 0.0

    @property
    def subtask(self) -> SubtaskId:
        return self.placement.start.subtask

    @property
    def number(self) -> int:
        return self.placement.start.attempt

    @property
    def node(self) -> NodeId:
        return self.placement.offer.node


class Attempts:
    """Those that run, and those whose results wait to be confirmed."""

    def __init__(self, log: RunLog, clock: Clock, purse: Purse, steering: Steering) -> None:
        self._log = log
        self._clock = clock
        self._purse = purse
        self._steering = steering
        self._open: dict[tuple[SubtaskId, int], Attempt] = {}
        self._answers: dict[SubtaskId, list[Attempt]] = {}

    def __iter__(self) -> Iterator[Attempt]:
        return iter([*self._open.values()])

    def get(self, subtask: SubtaskId, number: int) -> Attempt | None:
        """The attempt, where it is still open."""
        return self._open.get((subtask, number))

    def answers(self, subtask: SubtaskId) -> list[tuple[Attempt, Result]]:
        """The results that wait to be confirmed."""
        return [(a, a.result) for a in self._answers.get(subtask, ()) if a.result is not None]

    def begin(self, placement: Placement) -> Attempt:
        """An attempt is about to be sent."""
        start, offer = placement.start, placement.offer
        self._log.emit(MoneyReserved, subtask=start.subtask, attempt=start.attempt, amount=offer.price)
        self._log.emit(
            AttemptStarted,
            subtask=start.subtask,
            attempt=start.attempt,
            node=offer.node,
            reason=start.reason,
        )
        attempt = self._open[start.subtask, start.attempt] = Attempt(placement, self._clock.now())
        if self._steering.hedging is not None:
            self._steering.hedging.earn()
        return attempt

    def ended(self, attempt: Attempt) -> None:
        """The call has ended, in whatever way: its node is free again."""
        attempt.ended_at = self._clock.now()
        if attempt.timer is not None:
            attempt.timer.cancel()
        self._steering.load.remove(attempt.placement.share)

    def answered(self, attempt: Attempt, result: Result) -> None:
        """It gave a result, which waits to be confirmed or accepted."""
        attempt.result = result
        self._answers.setdefault(attempt.subtask, []).append(attempt)

    def accept(self, attempt: Attempt, body: bytes, confirmed_by: tuple[NodeId, ...]) -> None:
        """Its result is the subtask's."""
        self._log.emit(
            SubtaskFinished,
            {attempt.subtask: body},
            subtask=attempt.subtask,
            node=attempt.node,
            attempt=attempt.number,
            duration_s=max(0.0, attempt.ended_at - attempt.started_at),
            confirmed_by=confirmed_by,
        )
        self._purse.done(attempt.subtask)
        self.settle(attempt, is_paid=True)

    def settle(self, attempt: Attempt, *, is_paid: bool) -> None:
        """End an attempt's reservation; it is open no longer."""
        del self._open[attempt.subtask, attempt.number]
        if attempt.result is not None:
            self._answers[attempt.subtask].remove(attempt)
        price = attempt.placement.offer.price
        paid = price if is_paid else 0
        self._log.emit(
            MoneySettled, subtask=attempt.subtask, attempt=attempt.number, paid=paid, returned=price - paid
        )
        self._purse.settle(attempt.subtask, price, is_paid=is_paid)
        if is_paid:
            self._note(attempt, "succeeded")

    def fail(self, attempt: Attempt, problem: Problem, *, will_retry: bool, is_nodes_fault: bool) -> None:
        """It failed, and costs nothing."""
        self._log.emit(
            AttemptFailed,
            subtask=attempt.subtask,
            attempt=attempt.number,
            node=attempt.node,
            problem=problem,
            will_retry=will_retry,
        )
        self.settle(attempt, is_paid=False)
        if is_nodes_fault:
            self._note(attempt, _outcome(problem.code))

    def cancel(self, attempt: Attempt, why: Literal["superseded", "stopped"]) -> None:
        """It was given up, and costs nothing."""
        self._log.emit(
            AttemptCancelled, subtask=attempt.subtask, attempt=attempt.number, node=attempt.node, why=why
        )
        self.settle(attempt, is_paid=False)
        if why == "superseded":
            self._note(attempt, why)

    def _note(self, attempt: Attempt, outcome: Outcome) -> None:
        offer = attempt.placement.offer
        took_s = max(0.0, attempt.ended_at - attempt.started_at)
        self._steering.estimates.observe(
            Observation(offer.node, offer.capability, offer.expected_s, attempt.ended_at, took_s, outcome)
        )


def _outcome(code: str) -> Outcome:
    if code == "wrong_result":
        return "wrong"
    if code in NEVER_RAN:
        return "refused"
    return "silent" if code in _SILENT else "failed"
