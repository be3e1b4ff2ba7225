"""One execution of one task graph: drives the state machine with what the nodes answer."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, assert_never

from easynet.core.clock import Clock
from easynet.core.errors import (
    DataDirectoryUnusable,
    EasyNetError,
    InputNeeded,
    NoNodeFound,
    OverBudget,
)
from easynet.core.events import MoneySettled, Problem, Question, Status
from easynet.core.ids import SubtaskId
from easynet.core.language import Language
from easynet.core.offer import Trust
from easynet.execution.agreement import agree
from easynet.execution.arguments import arguments
from easynet.execution.attempts import Attempt, Attempts
from easynet.execution.caller import Caller
from easynet.execution.calls import Calls
from easynet.execution.commands import Accept, Cancel, Command, Finish, Reject, Start
from easynet.execution.dispatch import Dispatch, Placement
from easynet.execution.following import Result
from easynet.execution.history import is_uncertain
from easynet.execution.inbox import Inbox
from easynet.execution.ladder import outvoted, too_late
from easynet.execution.machine import step
from easynet.execution.order import Order
from easynet.execution.outcome import Outcome, problem_of
from easynet.execution.purse import Purse
from easynet.execution.result_check import problem_with
from easynet.execution.run_log import RunLog
from easynet.execution.search import Found, Search, Searches
from easynet.execution.state import State
from easynet.execution.steering import Steering
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


@dataclass(frozen=True)
class Tools:
    """What an execution works with."""

    log: RunLog
    clock: Clock
    caller: Caller
    search: Search
    steering: Steering


class Execution:
    """Takes all messages that wait, keeps what they say in one transaction, and sends what that allows.

    Everything but the calls themselves happens in these turns, so state changes in one place and in order.
    """

    def __init__(
        self, tools: Tools, order: Order, values: dict[SubtaskId, Any], *, is_complete: bool = True
    ) -> None:
        """`values` are the results that there are already. Unless the order `is_complete`, it grows."""
        self._tools = tools
        self._order = order
        self._subtasks = order.graph.by_id
        self._values = values
        self._rounds = dict(order.history.rounds)
        self._language: Language = "zh" if order.inputs.get("language") == "zh" else "en"
        self._state = order.state(self._language, values.keys(), is_complete=is_complete)
        purse = Purse(order.budget, done=values.keys())
        self._dispatch = Dispatch(order, purse, tools.steering, tools.clock)
        self._attempts = Attempts(tools.log, tools.clock, purse, tools.steering)
        self._trusts = {o.trust for offers in order.offers.values() for o in offers}
        self._inbox = Inbox()
        self._calls = Calls(tools.caller, tools.log, tools.steering, self._inbox)
        self._searches = Searches(tools.search)
        self._arguments: dict[SubtaskId, dict[str, Any]] = {}
        self._unsent: list[Placement] = []
        self._finish: Finish | None = None
        self._bug: BaseException | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        return self._state

    def grow(self, order: Order, values: Mapping[SubtaskId, Any], *, is_complete: bool) -> None:
        """Go on with an order that holds the present one's subtasks, unchanged, and more.

        Its history is that of the present one, and so is its budget, which catches up with what was spent
        elsewhere. After the end nothing happens.
        """
        # At once: what waits to be settled is neither in this budget nor in that one.
        self._order.budget.catch_up(order.budget.spent)
        self._inbox.post(partial(self._grow, order, values, is_complete))

    async def drive(self) -> Outcome:
        """Run to the end. Where this is cancelled or breaks, what is running is cancelled too."""
        self._inbox.post(self._begin)
        timer = self._timer()
        try:
            with self._tools.steering.load.heard_by(self._slot_freed):
                while self._finish is None:
                    await self._inbox.wait()
                    self._turn()
        except BaseException:
            await self._abandon()
            raise
        finally:
            self._inbox.wake_in(None)
            self._dispatch.close()
            if timer is not None:
                timer.cancel()
            await self._searches.cancel()
        end = self._finish
        return Outcome(end.status, end.problem, end.question, end.failed, self._values)

    def _timer(self) -> asyncio.TimerHandle | None:
        if self._order.deadline_at is None:
            return None
        left_s = self._order.deadline_at - self._tools.clock.now()
        if left_s <= 0:
            self._inbox.post(self._stop)
            return None
        return asyncio.get_running_loop().call_later(left_s, self._inbox.post, self._stop)

    def _slot_freed(self) -> None:
        if not self._dispatch.is_idle:
            self._inbox.wake()

    def _turn(self) -> None:
        with self._tools.log.batch():
            self._read()
            while self._place():
                pass  # what was given up may have let others start
        self._inbox.looked_at()
        unsent, self._unsent = self._unsent, []
        for placement in unsent:
            self._send(placement)
        if self._bug is not None:
            raise self._bug

    async def _abandon(self) -> None:
        """Cancel what is running, and keep what has finished in the meantime."""
        for attempt in self._attempts:
            attempt.given_up = attempt.given_up or "stopped"
        await _cancel(a.task for a in self._attempts if a.task is not None)
        # Where the journal itself is why, there is nowhere to write to.
        with suppress(DataDirectoryUnusable), self._tools.log.batch():
            self._read()
            if not self._state.is_over:
                self._step(Stopped(Problem(code="cancelled", message="the run was cancelled")))

    def _read(self) -> None:
        while self._finish is None and (message := self._inbox.next()) is not None:
            message()

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        for (subtask, attempt), amount in self._order.history.reserved.items():
            self._tools.log.emit(MoneySettled, subtask=subtask, attempt=attempt, paid=0, returned=amount)
        self._step(Begun())

    def _grow(self, order: Order, values: Mapping[SubtaskId, Any], is_complete: bool) -> None:
        new = tuple(s for s in order.graph.subtasks if s.id not in self._subtasks)
        done = frozenset(values.keys() & {s.id for s in new})
        self._order = replace(order, budget=self._order.budget, history=self._order.history)
        self._subtasks = order.graph.by_id
        self._values |= {i: values[i] for i in done}
        self._trusts |= {o.trust for offers in order.offers.values() for o in offers}
        self._dispatch.grow(order, done)
        once, uncertain = order.once(new), self._order.uncertain(new)
        self._step(Grown(new, done, once, uncertain, is_complete))

    def _stop(self) -> None:
        unfinished = len(self._subtasks.keys() - self._values.keys())
        self._step(Stopped(too_late(unfinished, len(self._subtasks), self._language)))

    def _overdue(self, attempt: Attempt) -> None:
        hedging = self._tools.steering.hedging
        if hedging is not None and hedging.is_affordable:
            self._step(Overdue(attempt.subtask, attempt.number))

    def _ended(self, attempt: Attempt, task: "asyncio.Task[Result]") -> None:
        self._attempts.ended(attempt)
        error = None if task.cancelled() else task.exception()
        if attempt.subtask in self._values:
            self._attempts.cancel(attempt, "superseded")
            self._step(Abandoned(attempt.subtask, attempt.number))
        elif isinstance(error, EasyNetError):
            self._failed(attempt, problem_of(error, self._language), error.retryable, _question(error))
        elif task.cancelled() or error is not None:
            self._bug = self._bug or error
            self._attempts.cancel(attempt, attempt.given_up or "stopped")
            self._step(Abandoned(attempt.subtask, attempt.number))
        else:
            self._succeeded(attempt, task.result())

    def _succeeded(self, attempt: Attempt, result: Result) -> None:
        subtask, number = attempt.subtask, attempt.number
        capability = self._order.capabilities[self._subtasks[subtask].capability]
        wrong = problem_with(capability, result.value, self._arguments[subtask], self._language)
        if wrong is not None:
            self._failed(attempt, wrong, True, None)
            return
        answers = self._attempts.answers(subtask)
        agrees_with = tuple(a.number for a, r in answers if agree(r.value, result.value))
        self._attempts.answered(attempt, result)
        is_trusted = attempt.placement.offer.trust is not Trust.PUBLIC
        suffices = is_trusted or not self._order.confirm or subtask in self._state.once
        self._step(Succeeded(subtask, number, suffices, agrees_with))

    def _failed(self, attempt: Attempt, problem: Problem, retryable: bool, question: Question | None) -> None:
        subtask = attempt.subtask
        if not is_uncertain(problem.code):
            self._rounds[subtask] = self._rounds.get(subtask, 0) + 1
        failed = Failed(subtask, attempt.number, attempt.node, problem, retryable, question)
        self._state, commands = step(self._state, failed)
        will_retry = subtask in self._state.running or any(isinstance(c, Start) for c in commands)
        self._attempts.fail(attempt, problem, will_retry=will_retry, is_nodes_fault=retryable)
        self._obey(commands)

    # ── commands ────────────────────────────────────────────────────────────────────────────────

    def _step(self, stimulus: Stimulus) -> None:
        self._state, commands = step(self._state, stimulus)
        self._obey(commands)

    def _obey(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Start(reason="hedge"):
                    self._hedge(command)
                case Start():
                    self._prepare(command)
                case Accept():
                    self._accept(command)
                case Reject():
                    self._reject(command)
                case Cancel():
                    self._cancel(command)
                case Finish():
                    self._finish = command
                case _:
                    assert_never(command)

    def _prepare(self, start: Start) -> None:
        if start.failed_on:
            self._search(start)  # a node may have joined or gone
            return
        try:
            subtask = self._subtasks[start.subtask]
            capability = self._order.capabilities[subtask.capability]
            self._arguments[start.subtask] = arguments(
                subtask, capability, self._order.inputs, self._values, language=self._language
            )
        except EasyNetError as error:
            self._give_up(start, error)
        else:
            self._dispatch.add(start)

    def _hedge(self, start: Start) -> None:
        hedging, placement = self._tools.steering.hedging, self._dispatch.hedge(start)
        if placement is None or hedging is None:
            nobody = Problem(code=NoNodeFound.code, message="no node is free for a second attempt")
            self._step(Unplaced(start.subtask, "failed", nobody))
            return
        hedging.spend()
        self._announce(placement)

    def _accept(self, command: Accept) -> None:
        subtask = command.subtask
        for attempt, result in self._attempts.answers(subtask):
            if attempt.number == command.attempt:
                self._attempts.accept(attempt, result.body, command.confirmed_by)
                self._values[subtask] = result.value
            elif attempt.node in command.confirmed_by:
                self._attempts.settle(attempt, is_paid=True)
        del self._arguments[subtask]

    def _reject(self, command: Reject) -> None:
        attempt = self._attempts.get(command.subtask, command.attempt)
        assert attempt is not None, "only an answer that waits is rejected"
        problem = outvoted(attempt.node, command.subtask, self._language)
        self._attempts.fail(attempt, problem, will_retry=False, is_nodes_fault=True)

    def _cancel(self, command: Cancel) -> None:
        attempt = self._attempts.get(command.subtask, command.attempt)
        if attempt is not None and attempt.task is not None:
            attempt.given_up = attempt.given_up or command.why
            attempt.task.cancel()

    def _give_up(self, start: Start, error: EasyNetError) -> None:
        question = _question(error)
        status: Status = "over_budget" if isinstance(error, OverBudget) else "failed"
        status = "needs_input" if question else status
        if not self._state.is_ending:
            self._step(Unplaced(start.subtask, status, problem_of(error, self._language), question))

    def _search(self, start: Start) -> None:
        capability = self._subtasks[start.subtask].capability
        self._searches.begin(
            start, capability, lambda task: self._inbox.post(partial(self._found, start, task))
        )

    def _found(self, start: Start, task: Found) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            # Who planned has seen to privacy, and asked where data leaves the user's machines.
            name, avoid = self._subtasks[start.subtask].capability, self._order.avoid
            admitted = [o for o in task.result() if o.trust in self._trusts and (o.node, name) not in avoid]
            self._dispatch.offered(name, admitted)
        elif not isinstance(error, EasyNetError):
            self._bug = self._bug or error
        self._dispatch.add(start)

    def _place(self) -> bool:
        """Whether a start was given up, which others may have waited for."""
        has_given_up = False
        with closing(self._dispatch.place()) as decisions:
            while not self._state.is_ending and (decision := next(decisions, None)) is not None:
                if isinstance(decision, Placement):
                    self._announce(decision)
                elif isinstance(decision.error, NoNodeFound) and decision.start not in self._searches:
                    self._search(decision.start)
                else:
                    has_given_up = True
                    self._give_up(decision.start, decision.error)
        self._inbox.wake_in(self._dispatch.look_again_s)
        return has_given_up

    def _announce(self, placement: Placement) -> None:
        start = placement.start
        self._step(Placed(start.subtask, start.attempt, placement.offer.node))
        self._attempts.begin(placement)
        self._unsent.append(placement)

    def _send(self, placement: Placement) -> None:
        start = placement.start
        attempt = self._attempts.get(start.subtask, start.attempt)
        assert attempt is not None, "it was announced in this turn"
        arguments, round_ = self._arguments[start.subtask], self._rounds.get(start.subtask, 0)
        self._calls.send(attempt, self._order, arguments, round_, self._ended)
        if start.subtask not in self._state.once:
            self._calls.watch(attempt, self._overdue)


def _question(error: EasyNetError) -> Question | None:
    if not isinstance(error, InputNeeded):
        return None
    return Question(name=error.name, text=error.message, choices=error.choices)


async def _cancel(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
