"""The calls of an execution: sent, followed, and looked at again when they take too long."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from easynet.core.call import Progressed
from easynet.core.events import AttemptProgressed
from easynet.core.ids import SubtaskId
from easynet.core.intent import Privacy
from easynet.execution.attempts import Attempt
from easynet.execution.caller import Caller
from easynet.execution.following import Result
from easynet.execution.inbox import Inbox
from easynet.execution.order import Order
from easynet.execution.run_log import RunLog
from easynet.execution.steering import Steering


class Calls:
    """Turns attempts into calls, and what becomes of them into messages."""

    def __init__(self, caller: Caller, log: RunLog, steering: Steering, inbox: Inbox) -> None:
        self._caller = caller
        self._log = log
        self._steering = steering
        self._inbox = inbox

    def send(
        self,
        attempt: Attempt,
        order: Order,
        arguments: Mapping[str, Any],
        round_: int,
        ended: "Callable[[Attempt, asyncio.Task[Result]], None]",
    ) -> None:
        """Send an attempt; `ended` is told of it in a later turn."""
        subtask, offer = order.graph.by_id[attempt.subtask], attempt.placement.offer
        call = self._caller.call(
            subtask,
            order.capabilities[subtask.capability],
            offer,
            arguments,
            round_=round_,
            deadline_at=order.deadline_at,
            report=lambda progressed: self._inbox.post(
                partial(self._progressed, attempt.subtask, attempt.number, progressed)
            ),
            privacy=order.labels.get(subtask.id, Privacy.NORMAL),
        )
        attempt.task = asyncio.create_task(call, name=f"call {subtask.id}")
        attempt.task.add_done_callback(lambda task: self._inbox.post(partial(ended, attempt, task)))

    def watch(self, attempt: Attempt, overdue: Callable[[Attempt], None]) -> None:
        """Tell `overdue` of the attempt when it should have ended, and again as long as it has not."""
        hedging = self._steering.hedging
        if hedging is None:
            return
        within_s = self._steering.estimates.overdue_s(attempt.placement.offer, hedging.share)
        self._look_again(attempt, within_s, overdue)

    def _look_again(self, attempt: Attempt, within_s: float, overdue: Callable[[Attempt], None]) -> None:
        def look() -> None:
            if not attempt.ended_at:
                overdue(attempt)
                self._look_again(attempt, within_s, overdue)

        attempt.timer = asyncio.get_running_loop().call_later(within_s, self._inbox.post, look)

    def _progressed(self, subtask: SubtaskId, number: int, progressed: Progressed) -> None:
        self._log.emit(
            AttemptProgressed,
            subtask=subtask,
            attempt=number,
            fraction=progressed.fraction,
            message=progressed.message,
        )
