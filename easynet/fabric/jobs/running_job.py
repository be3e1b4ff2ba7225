"""One job at the gateway, from the delivery of its order to its end or its postponement."""

import asyncio
import contextlib
from contextlib import aclosing
from typing import Final

from easynet.core.clock import Clock
from easynet.core.errors import (
    AccessDenied,
    CallTimeout,
    EasyNetError,
    GatewayError,
    GatewayUnreachable,
    NodeUnreachable,
    OutcomeUnknown,
    RemoteFailure,
)
from easynet.fabric.jobs.job_caller import JobCaller, JobRights, KeepValues
from easynet.fabric.jobs.job_diary import JobDiary
from easynet.fabric.jobs.job_events import (
    Ended,
    Order,
    Placement,
    Postponed,
    Resumed,
    Signed,
    Started,
)
from easynet.fabric.jobs.job_failures import failure_of
from easynet.fabric.jobs.job_index import JobIndex
from easynet.fabric.jobs.job_output import JobOutput
from easynet.fabric.jobs.job_progress import JobProgress
from easynet.fabric.jobs.job_queue import Delivery
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.jobs.job_rules import JobRules
from easynet.fabric.wire.failures import error_of
from easynet.fabric.wire.updates import End, Failure, Item, Progress, Result

_GATEWAY_RETRY_S: Final = 0.5
_CLOSING_S: Final = 5.0


class RunningJob:
    """Makes a call for a job, and keeps what comes of it."""

    def __init__(
        self,
        order: Order,
        delivery: Delivery,
        record: JobRecord,
        *,
        index: JobIndex,
        ack_wait_s: float,
        caller: JobCaller,
        rights: JobRights,
        clock: Clock,
        rules: JobRules,
        keep: KeepValues,
    ) -> None:
        self._order = order
        self._delivery = delivery
        self._record = record
        self._index = index
        self._ack_wait_s = ack_wait_s
        self._caller = caller
        self._rights = rights
        self._clock = clock
        self._rules = rules
        self._keep_values = keep
        self._loop = asyncio.get_running_loop()
        self._cancelled = asyncio.Event()
        self._diary = JobDiary(record, index, clock)
        self._output = JobOutput()
        self._progress = JobProgress(record, index, clock, rules.progress_every_s)
        self._is_resumed = False
        """Whether the call was there before, and none of its items have come anew."""
        self._told: Placement | None = None
        """Of which the job's client knows that the call went there."""

    async def run(self) -> None:
        """Bring the job to an end, or back into the queue."""
        keeping = asyncio.create_task(self._keep())
        try:
            if await self._exists():
                outcome = await self._outcome()
                if isinstance(outcome, Ended):
                    outcome = Ended(outcome.outcome, self._output.written_bytes)
                await self._diary.write(outcome)
                with contextlib.suppress(GatewayError):  # it is done again when the next one ends
                    await self._index.tidy(self._order.owner, self._clock.now())
                with contextlib.suppress(GatewayError):  # it is delivered again, and found to be settled
                    await self._settle(outcome)
            else:
                with contextlib.suppress(GatewayError):
                    await self._delivery.done()
        finally:
            keeping.cancel()
            self._progress.stop()

    async def keep_receipt(self) -> None:
        """Keep what the node signs about the call, where the job is over and something comes."""
        if self._told is None or not self._record.is_over:
            return
        receipt = await self._caller.receipt(self._order.id)
        if receipt is not None:
            await self._diary.write(Signed(receipt))

    def cancel(self) -> None:
        """The client does not want the result any more."""
        self._cancelled.set()

    def delivered_again(self, delivery: Delivery) -> None:
        """The queue heard nothing for too long, and handed the order out a second time."""
        self._delivery = delivery

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._ack_wait_s / 3)
            with contextlib.suppress(GatewayError):
                await self._delivery.keep()

    async def _exists(self) -> bool:
        """Whether there is anything to do; from here on the job is known to its client."""
        async with self._record.lock:
            await self._diary.announce(self._order)
            return not self._record.is_over

    async def _settle(self, outcome: Ended | Postponed) -> None:
        match outcome:
            case Ended():
                await self._delivery.done()
            case Postponed():
                await self._delivery.again(outcome.delay_s)

    async def _outcome(self) -> Ended | Postponed:
        """What becomes of this attempt; gives up the call where the client or the time says so."""
        left_s = None
        if self._order.timeout_s is not None:
            left_s = max(0.0, self._order.submitted_at + self._order.timeout_s - self._clock.now())
        call = asyncio.create_task(self._call())
        cancelled = asyncio.create_task(self._cancelled.wait())
        try:
            await asyncio.wait({call, cancelled}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            cancelled.cancel()
            call.cancel()
            await asyncio.wait({call}, timeout=_CLOSING_S)
        if call.done() and not call.cancelled():
            return call.result()
        if self._cancelled.is_set():
            return Ended(None)
        late = CallTimeout(f"{self._order.function} did not finish within {self._order.timeout_s:g} s")
        return Ended(failure_of(late))

    async def _call(self) -> Ended | Postponed:
        at = self._record.placement
        began = self._loop.time()
        while True:
            try:
                return await self._follow(at)
            except GatewayUnreachable:
                # The call may well go on at its node, so it is not given up.
                at = self._record.placement
                await asyncio.sleep(_GATEWAY_RETRY_S)
            except NodeUnreachable as error:
                if at is None:
                    return self._rules.after(error, self._record)
                if self._loop.time() - began < self._rules.resume_s:
                    await asyncio.sleep(_GATEWAY_RETRY_S)
                elif at.idempotent:
                    return self._rules.after(error, self._record)
                else:
                    return Ended(failure_of(_unknown(at)))
            except EasyNetError as error:
                return self._rules.after(error, self._record)
            # A mistake in EasyNet itself ends this job, and no other.
            except Exception as error:
                mistake = GatewayError(f"the gateway made a mistake: {type(error).__name__}: {error}")
                return Ended(failure_of(mistake))

    async def _follow(self, at: Placement | None) -> Ended | Postponed:
        order = self._order
        if self._rights.key_of(order.client) != order.owner:
            raise AccessDenied(f"the client {order.client!r} that asked for it was shut out of this network")
        if not self._rights.allow(order.client, order.function):
            raise AccessDenied(f"{order.client!r} may not call {order.function!r}")
        call = self._caller.call(
            order.function, order.arguments, client=order.client, key=order.id, at=at, trace=order.trace
        )
        async with aclosing(call) as updates:
            async for update in updates:
                match update:
                    case Placement():
                        await self._keep_values(order.arguments)
                        await self._place(update, is_resumed=at is not None and self._told is None)
                    case Progress():
                        await self._progress.tell(update)
                    case Item(value):
                        if self._is_resumed:
                            await self._begin(self._record.placement)
                        await self._count(value)
                        await self._progress.tell_last()
                        await self._diary.write(update, nth=self._output.items)
                        self._output.items += 1
                    case Result(value):
                        await self._count(value)
                        await self._progress.tell_last()
                        return Ended(update)
                    case End():
                        await self._progress.tell_last()
                        return Ended(update)
                    case Failure():
                        error = error_of(update)
                        if isinstance(error, RemoteFailure):
                            return Ended(update)
                        return self._rules.after(error, self._record)
                    case _:
                        pass
        raise GatewayError(f"the call of {self._order.function} ended without a result")

    async def _place(self, placement: Placement, *, is_resumed: bool) -> None:
        """Have it known where the call goes: once where nobody takes it yet, and it is tried again."""
        if is_resumed:
            told = self._progress.told = await self._diary.told()
            await self._diary.write(Resumed(self._delivery.subject, told))
            self._is_resumed = True
        elif placement != self._told or self._output.items:
            await self._begin(placement)
        self._told = placement
        self._output.begin()

    async def _begin(self, placement: Placement | None) -> None:
        """Have it known that the call is about to run; items that were there come anew."""
        assert placement is not None
        await self._diary.write(Started(self._record.attempt, placement, self._delivery.subject))
        self._is_resumed, self._progress.told = False, 0

    async def _count(self, value: bytes) -> None:
        """Raise Unencodable or BadData where a job gives more than is kept of one."""
        self._output.add(value)
        await self._keep_values(value)


def _unknown(at: Placement) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"the node {at.node!r} went away while the gateway was down, and may or may not have finished",
        hint="See whether it had its effect before you submit it again under another key.",
    )
