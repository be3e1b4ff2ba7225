"""What happens next in a task graph: `step(state, stimulus) -> (state, commands)`, without I/O or await.

The rules:

- A subtask may start when all subtasks whose outputs it reads have succeeded.
- An error that says so (`retryable`) is tried again, as often as the rules and the ladder say.
- A subtask that must not run twice is sent again only if nobody took it, and is neither hedged nor confirmed.
- A slow attempt is hedged: of the attempts at once the first result counts, and the others are cancelled.
- A result that does not suffice alone is confirmed by another node; where two disagree, a third decides.
- Once a subtask has failed for good, asked a question or run out of money, nothing new starts, because no
  plan succeeds without all of its subtasks. What is running goes on to its end, so that its result is kept.
- A stop from outside (the deadline) cancels what is running as well.
- A graph may grow while it runs; the execution does not succeed before the graph is complete.
"""

from collections.abc import Iterable
from typing import Literal

from easynet.core.errors import PrivacyBreach
from easynet.core.events import Problem, Status
from easynet.core.ids import SubtaskId
from easynet.execution.commands import Accept, Cancel, Command, Finish, Reason, Reject, Start
from easynet.execution.ladder import diagnosis, disagreement, may_have_run, may_retry
from easynet.execution.state import Attempt, Attempts, Phase, State, grown
from easynet.execution.stimuli import (
    Abandoned,
    Begun,
    Failed,
    Grown,
    Overdue,
    Placed,
    Stimulus,
    Stopped,
    Succeeded,
    Unplaced,
)

_MAX_OPINIONS = 3
_MOST_AT_ONCE = 3


def step(state: State, stimulus: Stimulus) -> tuple[State, list[Command]]:
    """Take note of what happened, and say what to do. The same stimuli give the same commands."""
    if state.is_over:
        raise ValueError(f"{stimulus} after the end")
    turn = _Turn(state)
    turn.take(stimulus)
    return turn.state, turn.commands


class _Turn:
    """One step: `state` is replaced bit by bit."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.commands: list[Command] = []

    def take(self, stimulus: Stimulus) -> None:
        match stimulus:
            case Begun():
                self._release([s for s in self.state.order if self.state.missing[s] == 0])
            case Grown():
                self._grow(stimulus)
            case Placed(subtask, attempt, node):
                self._place(subtask, Attempt(attempt, node))
                return
            case Overdue(subtask, attempt):
                self._hedge(subtask, attempt)
            case Succeeded():
                self._succeed(stimulus)
            case Failed():
                self._fail(stimulus)
            case Unplaced():
                self._give_up(stimulus)
            case Stopped(problem):
                self._end(Finish("failed", problem))
                for subtask in self.state.order:
                    self._cancel(subtask, "stopped")
            case Abandoned(subtask, attempt):
                self._abandon(subtask, attempt)
        self._finish()

    # ── starting ────────────────────────────────────────────────────────────────────────────────

    def _grow(self, news: Grown) -> None:
        if self.state.is_complete:
            raise ValueError("a complete graph does not grow")
        self.state = grown(self.state, news.subtasks, news.done)._replace(
            once=self.state.once | news.once,
            uncertain=self.state.uncertain | news.uncertain,
            is_complete=news.is_complete,
        )
        self._release([s.id for s in news.subtasks if self.state.missing[s.id] == 0])

    def _release(self, candidates: Iterable[SubtaskId]) -> None:
        for subtask in candidates:
            if self.state.is_ending or self.state.phases[subtask] != "waiting":
                continue
            if subtask in self.state.once and subtask in self.state.uncertain:
                self._move(subtask, "failed")
                problem = may_have_run(subtask, self.state.rules.language)
                self._end(Finish("failed", problem, None, subtask))
            else:
                self._start(subtask, "first")

    def _start(self, subtask: SubtaskId, reason: Reason) -> None:
        state = self.state
        number = state.numbers.get(subtask, 0) + 1
        if reason == "first" and number > 1:
            reason = "retry"  # of an attempt by an earlier process
        busy = (*state.answers.get(subtask, ()), *state.running.get(subtask, ()))
        failures = state.failures.get(subtask, ())
        failed_on = tuple(f.node for f in failures)
        shut = (f.node for f in failures if f.problem.code == PrivacyBreach.code)
        not_on = tuple(dict.fromkeys((*(a.node for a in busy), *shut)))
        self.commands.append(Start(subtask, number, reason, failed_on, not_on))
        self.state = state._replace(numbers=state.numbers.set(subtask, number))
        if reason != "hedge":
            self._move(subtask, "ready")

    def _place(self, subtask: SubtaskId, attempt: Attempt) -> None:
        self._expect(subtask, "ready", "running")
        running = self.state.running.get(subtask, ())
        if attempt.number != self.state.numbers[subtask] or attempt in running:
            raise ValueError(f"attempt {attempt.number} at {subtask!r} was not started")
        self.state = self.state._replace(running=self.state.running.set(subtask, (*running, attempt)))
        self._move(subtask, "running")

    def _hedge(self, subtask: SubtaskId, attempt: int) -> None:
        state = self.state
        running = state.running.get(subtask, ())
        # Once the hedge is late as well, one more is made: a node that is stuck ends nothing by itself.
        is_latest = bool(running) and running[-1].number == attempt and len(running) < _MOST_AT_ONCE
        failures = state.failures.get(subtask, ())
        is_last = len(failures) + len(running) >= state.rules.attempts
        is_asked = state.numbers.get(subtask) not in (attempt, *(f.attempt for f in failures))
        if is_latest and not (is_last or is_asked or state.is_ending or subtask in state.once):
            self._start(subtask, "hedge")

    def _give_up(self, refused: Unplaced) -> None:
        subtask, state = refused.subtask, self.state
        self._expect(subtask, "ready", "running")
        if subtask in state.running:  # a hedge; it is as if it had not been asked for
            self.state = state._replace(numbers=state.numbers.set(subtask, state.numbers[subtask] - 1))
            return
        if subtask in state.answers:
            self._decide(subtask, refused.status)
            return
        problem = refused.problem
        if subtask in state.failures and refused.status == "failed":
            problem = diagnosis(state, state.failures[subtask][-1])
        self._move(subtask, "failed")
        self._end(Finish(refused.status, problem, refused.question, subtask))

    # ── ends of attempts ────────────────────────────────────────────────────────────────────────

    def _succeed(self, success: Succeeded) -> None:
        subtask, attempt = success.subtask, self._remove(success.subtask, success.attempt)
        if self.state.phases[subtask] == "succeeded":
            return  # it was overtaken, and ended before it could be cancelled
        answers = self.state.answers.get(subtask, ())
        agreeing = tuple(a for a in answers if a.number in success.agrees_with)
        if success.suffices or agreeing or self.state.is_ending:
            kept, *confirming = (attempt, *agreeing) if success.suffices else (*agreeing, attempt)
            self._accept(subtask, kept, tuple(confirming))
            return
        self.state = self.state._replace(answers=self.state.answers.set(subtask, (*answers, attempt)))
        if subtask not in self.state.running:
            self._decide(subtask)

    def _accept(self, subtask: SubtaskId, kept: Attempt, confirming: Attempts) -> None:
        self.commands.append(Accept(subtask, kept.number, tuple(a.node for a in confirming)))
        for answer in self.state.answers.get(subtask, ()):
            if answer != kept and answer not in confirming:
                self.commands.append(Reject(subtask, answer.number))
        self._cancel(subtask, "superseded")
        self._move(subtask, "succeeded")
        self._forget_answers(subtask)
        missing = self.state.missing.mutate()
        freed: list[SubtaskId] = []
        for reader in self.state.readers[subtask]:
            missing[reader] -= 1
            if missing[reader] == 0:
                freed.append(reader)
        self.state = self.state._replace(missing=missing.finish(), left=self.state.left - 1)
        self._release(freed)

    def _decide(self, subtask: SubtaskId, status: Status = "failed", *, may_ask: bool = True) -> None:
        """Ask one more node where that may help; else take the one answer there is, or give up."""
        answers = self.state.answers[subtask]
        if may_ask and self.state.phases[subtask] == "running" and len(answers) < _MAX_OPINIONS:
            self._start(subtask, "opinion")
        elif len(answers) == 1:
            self._accept(subtask, answers[0], ())
        else:
            for answer in answers:
                self.commands.append(Reject(subtask, answer.number))
            self._forget_answers(subtask)
            self._move(subtask, "failed")
            problem = disagreement(subtask, [a.node for a in answers], self.state.rules.language)
            self._end(Finish(status, problem, None, subtask))

    def _fail(self, failure: Failed) -> None:
        subtask = failure.subtask
        self._remove(subtask, failure.attempt)
        if self.state.phases[subtask] == "succeeded":
            return
        failures = (*self.state.failures.get(subtask, ()), failure)
        self.state = self.state._replace(failures=self.state.failures.set(subtask, failures))
        if subtask in self.state.running:
            return  # the other attempt may still succeed
        may_go_on = not self.state.is_ending and may_retry(self.state, failure)
        if subtask in self.state.answers:
            self._decide(subtask, may_ask=may_go_on)
        elif may_go_on:
            self._start(subtask, "retry")
        else:
            self._move(subtask, "failed")
            asked = next((f for f in reversed(failures) if f.question is not None), failure)
            status: Status = "needs_input" if asked.question is not None else "failed"
            self._end(Finish(status, diagnosis(self.state, asked), asked.question, subtask))

    def _abandon(self, subtask: SubtaskId, attempt: int) -> None:
        self._remove(subtask, attempt)
        if self.state.phases[subtask] == "succeeded" or subtask in self.state.running:
            return
        self._move(subtask, "failed")
        cancelled = Problem(code="cancelled", message=f"the attempt at {subtask!r} was cancelled")
        self._end(Finish("failed", cancelled, None, subtask))

    # ── the state ───────────────────────────────────────────────────────────────────────────────

    def _remove(self, subtask: SubtaskId, number: int) -> Attempt:
        running = self.state.running
        ended = next((a for a in running.get(subtask, ()) if a.number == number), None)
        if ended is None:
            raise ValueError(f"attempt {number} at {subtask!r} is not running")
        left = tuple(a for a in running[subtask] if a is not ended)
        self.state = self.state._replace(
            running=running.set(subtask, left) if left else running.delete(subtask)
        )
        return ended

    def _cancel(self, subtask: SubtaskId, why: Literal["superseded", "stopped"]) -> None:
        for attempt in self.state.running.get(subtask, ()):
            self.commands.append(Cancel(subtask, attempt.number, why))

    def _forget_answers(self, subtask: SubtaskId) -> None:
        if subtask in self.state.answers:
            self.state = self.state._replace(answers=self.state.answers.delete(subtask))

    def _move(self, subtask: SubtaskId, phase: Phase) -> None:
        self.state = self.state._replace(phases=self.state.phases.set(subtask, phase))

    def _expect(self, subtask: SubtaskId, *phases: Phase) -> None:
        if (phase := self.state.phases.get(subtask)) not in phases:
            raise ValueError(f"{subtask!r} is {phase}, not {' or '.join(phases)}")

    def _end(self, verdict: Finish) -> None:
        if self.state.verdict is None:
            self.state = self.state._replace(verdict=verdict)

    def _finish(self) -> None:
        if self.state.is_ending and not self.state.running:
            for subtask in [s for s in self.state.order if s in self.state.answers]:
                self._decide(subtask, may_ask=False)  # the opinions that were sought will not come
        if self.state.left == 0 and self.state.is_complete:
            # Even where a stop came, and came too late.
            self.state = self.state._replace(verdict=Finish("succeeded"))
        verdict = self.state.verdict
        if not self.state.running and verdict is not None:
            self.state = self.state._replace(is_over=True)
            self.commands.append(verdict)
