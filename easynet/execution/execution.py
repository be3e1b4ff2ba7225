"""One execution of one task graph: drives the state machine with what the nodes answer."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, assert_never

from easynet.core.call import Progressed
from easynet.core.clock import Clock
from easynet.core.errors import (
    DataDirectoryUnusable,
    DeadlinePassed,
    EasyNetError,
    InputNeeded,
    NoNodeFound,
    OverBudget,
)
from easynet.core.events import (
    AttemptFailed,
    AttemptProgressed,
    AttemptStarted,
    MoneyReserved,
    MoneySettled,
    Question,
    Status,
    SubtaskFinished,
)
from easynet.core.ids import SubtaskId
from easynet.core.language import Language
from easynet.core.offer import Offer
from easynet.core.task_graph import Subtask
from easynet.execution.arguments import arguments
from easynet.execution.caller import Caller
from easynet.execution.dispatch import Dispatch, Placement
from easynet.execution.following import Result
from easynet.execution.history import is_uncertain
from easynet.execution.machine import (
    Abandoned,
    Begun,
    Cancel,
    Command,
    Failed,
    Finish,
    Grown,
    Machine,
    Placed,
    Start,
    Stopped,
    Succeeded,
    Unplaced,
)
from easynet.execution.order import Order
from easynet.execution.outcome import Outcome, problem_of
from easynet.execution.run_log import RunLog
from easynet.execution.search import Search

_UNANSWERED = frozenset(
    {"not_started", "node_unreachable", "node_refused", "overloaded", "outcome_unknown", "call_timeout"}
)
"""Codes of nodes that are better left alone for a while."""


@dataclass(frozen=True)
class Tools:
    """What an execution works with."""

    log: RunLog
    clock: Clock
    caller: Caller
    search: Search


@dataclass(frozen=True)
class Attempt:
    """A call that was sent and has not ended."""

    placement: Placement
    task: "asyncio.Task[Result]"
    started_at: float


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
        self._machine = Machine(
            order.graph,
            done=values.keys(),
            once=_once(order, order.graph.subtasks),
            uncertain=_uncertain(order, order.graph.subtasks),
            attempts=order.history.attempts,
            language=self._language,
            is_complete=is_complete,
        )
        unbound = [s.id for s in order.graph.subtasks if s.id not in values]
        self._dispatch = Dispatch(order.graph, order.offers, order.schedule, order.budget, unbound)
        self._trusts = {o.trust for offers in order.offers.values() for o in offers}
        self._inbox: deque[Callable[[], None]] = deque()
        self._wake = asyncio.Event()
        self._arguments: dict[SubtaskId, dict[str, Any]] = {}
        self._attempts: dict[SubtaskId, Attempt] = {}
        self._searches: dict[Start, asyncio.Task[Sequence[Offer]]] = {}
        self._finish: Finish | None = None
        self._bug: BaseException | None = None

    def grow(self, order: Order, values: Mapping[SubtaskId, Any], *, is_complete: bool) -> None:
        """Go on with an order that holds the present one's subtasks, unchanged, and more.

        Its history is that of the present one, and so is its budget, which catches up with what was spent
        elsewhere. After the end nothing happens.
        """
        # At once: what waits to be settled is neither in this budget nor in that one.
        self._order.budget.catch_up(order.budget.spent)
        self._post(partial(self._grow, order, values, is_complete))

    async def drive(self) -> Outcome:
        """Run to the end. Where this is cancelled or breaks, what is running is cancelled too."""
        self._post(self._begin)
        timer = self._timer()
        try:
            while self._finish is None:
                await self._wake.wait()
                self._turn()
        except BaseException:
            await self._abandon()
            raise
        finally:
            if timer is not None:
                timer.cancel()
            await _cancel(self._searches.values())
        end = self._finish
        return Outcome(end.status, end.problem, end.question, end.failed, self._values)

    def _timer(self) -> asyncio.TimerHandle | None:
        if self._order.deadline_at is None:
            return None
        left_s = self._order.deadline_at - self._tools.clock.now()
        if left_s <= 0:
            self._post(self._stop)
            return None
        return asyncio.get_running_loop().call_later(left_s, self._post, self._stop)

    def _post(self, message: Callable[[], None]) -> None:
        self._inbox.append(message)
        self._wake.set()

    def _turn(self) -> None:
        self._wake.clear()
        with self._tools.log.batch():
            self._read()
            placements = self._place()
        for placement in placements:
            self._send(placement)
        if self._bug is not None:
            raise self._bug

    async def _abandon(self) -> None:
        """Cancel what is running, and keep what has finished in the meantime."""
        await _cancel(attempt.task for attempt in self._attempts.values())
        # Where the journal itself is why, there is nowhere to write to.
        with suppress(DataDirectoryUnusable), self._tools.log.batch():
            self._read()

    def _read(self) -> None:
        while self._inbox and self._finish is None:
            self._inbox.popleft()()

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        for (subtask, attempt), amount in self._order.history.reserved.items():
            self._tools.log.emit(MoneySettled, subtask=subtask, attempt=attempt, paid=0, returned=amount)
        self._obey(self._machine.step(Begun()))

    def _grow(self, order: Order, values: Mapping[SubtaskId, Any], is_complete: bool) -> None:
        new = tuple(s for s in order.graph.subtasks if s.id not in self._subtasks)
        done = frozenset(values.keys() & {s.id for s in new})
        self._order = replace(order, budget=self._order.budget, history=self._order.history)
        self._subtasks = order.graph.by_id
        self._values |= {i: values[i] for i in done}
        self._trusts |= {o.trust for offers in order.offers.values() for o in offers}
        unbound = [s.id for s in new if s.id not in done]
        self._dispatch.grow(order.graph, order.offers, order.schedule, unbound)
        once, uncertain = _once(order, new), _uncertain(self._order, new)
        self._obey(self._machine.step(Grown(new, done, once, uncertain, is_complete)))

    def _stop(self) -> None:
        unfinished = len(self._subtasks.keys() - self._values.keys())
        late = DeadlinePassed(
            f"the deadline passed with {unfinished} of {len(self._subtasks)} subtasks unfinished",
            hint="Resume the run, or give it more time.",
            zh=f"期限已过，{len(self._subtasks)} 个子任务中有 {unfinished} 个未完成",
            hint_zh="请恢复该运行，或给它更多时间。",
        )
        self._obey(self._machine.step(Stopped(problem_of(late, self._language))))

    def _progressed(self, start: Start, progressed: Progressed) -> None:
        self._tools.log.emit(
            AttemptProgressed,
            subtask=start.subtask,
            attempt=start.attempt,
            fraction=progressed.fraction,
            message=progressed.message,
        )

    def _ended(self, subtask: SubtaskId, task: "asyncio.Task[Result]") -> None:
        attempt = self._attempts.pop(subtask)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, EasyNetError):
            self._failed(attempt, error)
        elif task.cancelled() or error is not None:
            self._bug = self._bug or error
            self._settle(attempt, succeeded=False)
            self._obey(self._machine.step(Abandoned(subtask)))
        else:
            self._succeeded(attempt, task.result())

    def _succeeded(self, attempt: Attempt, result: Result) -> None:
        start, offer = attempt.placement.start, attempt.placement.offer
        self._tools.log.emit(
            SubtaskFinished,
            {start.subtask: result.body},
            subtask=start.subtask,
            node=offer.node,
            attempt=start.attempt,
            duration_s=max(0.0, self._tools.clock.now() - attempt.started_at),
        )
        self._settle(attempt, succeeded=True)
        self._values[start.subtask] = result.value
        del self._arguments[start.subtask]
        self._obey(self._machine.step(Succeeded(start.subtask)))

    def _failed(self, attempt: Attempt, error: EasyNetError) -> None:
        start, offer = attempt.placement.start, attempt.placement.offer
        problem, question = problem_of(error, self._language), _question(error)
        if not is_uncertain(error.code):
            self._rounds[start.subtask] = self._rounds.get(start.subtask, 0) + 1
        commands = self._machine.step(Failed(start.subtask, offer.node, problem, error.retryable, question))
        self._tools.log.emit(
            AttemptFailed,
            subtask=start.subtask,
            attempt=start.attempt,
            node=offer.node,
            problem=problem,
            will_retry=any(isinstance(c, Start) for c in commands),
        )
        self._settle(attempt, succeeded=False, answered=error.code not in _UNANSWERED)
        self._obey(commands)

    def _settle(self, attempt: Attempt, *, succeeded: bool, answered: bool = True) -> None:
        start, price = attempt.placement.start, attempt.placement.offer.price
        paid = price if succeeded else 0
        self._tools.log.emit(
            MoneySettled, subtask=start.subtask, attempt=start.attempt, paid=paid, returned=price - paid
        )
        self._dispatch.ended(attempt.placement, succeeded=succeeded, answered=answered)

    # ── commands ────────────────────────────────────────────────────────────────────────────────

    def _obey(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Start():
                    self._prepare(command)
                case Cancel():
                    self._attempts[command.subtask].task.cancel()
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

    def _give_up(self, start: Start, error: EasyNetError) -> None:
        if self._machine.is_ending:
            return
        question = _question(error)
        status: Status = "over_budget" if isinstance(error, OverBudget) else "failed"
        status = "needs_input" if question else status
        self._obey(
            self._machine.step(Unplaced(start.subtask, status, problem_of(error, self._language), question))
        )

    def _search(self, start: Start) -> None:
        capability = self._subtasks[start.subtask].capability
        task = asyncio.create_task(self._tools.search.offers(capability, start.failed_on))
        self._searches[start] = task
        task.add_done_callback(lambda task: self._post(partial(self._found, start, task)))

    def _found(self, start: Start, task: "asyncio.Task[Sequence[Offer]]") -> None:
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

    def _place(self) -> list[Placement]:
        placements: list[Placement] = []
        decisions = self._dispatch.place()
        while not self._machine.is_ending and (decision := next(decisions, None)) is not None:
            if isinstance(decision, Placement):
                placements.append(decision)
                self._announce(decision)
            elif isinstance(decision.error, NoNodeFound) and decision.start not in self._searches:
                self._search(decision.start)
            else:
                self._give_up(decision.start, decision.error)
        return placements

    def _announce(self, placement: Placement) -> None:
        start, offer = placement.start, placement.offer
        self._machine.step(Placed(start.subtask))
        self._tools.log.emit(MoneyReserved, subtask=start.subtask, attempt=start.attempt, amount=offer.price)
        self._tools.log.emit(AttemptStarted, subtask=start.subtask, attempt=start.attempt, node=offer.node)

    def _send(self, placement: Placement) -> None:
        start = placement.start
        subtask, order = self._subtasks[start.subtask], self._order
        call = self._tools.caller.call(
            subtask,
            order.capabilities[subtask.capability],
            placement.offer,
            self._arguments[subtask.id],
            round_=self._rounds.get(subtask.id, 0),
            deadline_at=order.deadline_at,
            report=lambda progressed: self._post(partial(self._progressed, start, progressed)),
        )
        task = asyncio.create_task(call, name=f"call {subtask.id}")
        self._attempts[subtask.id] = Attempt(placement, task, self._tools.clock.now())
        task.add_done_callback(lambda task: self._post(partial(self._ended, subtask.id, task)))


def _once(order: Order, subtasks: Iterable[Subtask]) -> frozenset[SubtaskId]:
    """The subtasks that must not run twice."""
    return frozenset(s.id for s in subtasks if not order.capabilities[s.capability].idempotent)


def _uncertain(order: Order, subtasks: Iterable[Subtask]) -> frozenset[SubtaskId]:
    """The subtasks that may have run already."""
    return frozenset(s.id for s in subtasks if order.history.may_have_run(s))


def _question(error: EasyNetError) -> Question | None:
    if not isinstance(error, InputNeeded):
        return None
    return Question(name=error.name, text=error.message, choices=error.choices)


async def _cancel(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
