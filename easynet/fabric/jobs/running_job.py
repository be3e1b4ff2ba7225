"""One job at the gateway, from the delivery of its order to its end or its postponement."""

import asyncio
import contextlib
import math
import secrets
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final, TypeVar

from easynet.core.clock import Clock
from easynet.core.errors import (
    AccessDenied,
    CallTimeout,
    EasyNetError,
    FunctionCrashed,
    GatewayError,
    GatewayUnreachable,
    NodeUnreachable,
    NoNodeFound,
    OutcomeUnknown,
    Overloaded,
    RemoteFailure,
    Unencodable,
    UnknownFunction,
)
from easynet.fabric.jobs.job_caller import JobCaller, JobRights, JobRules, KeepValues
from easynet.fabric.jobs.job_events import (
    Ended,
    JobEvent,
    Order,
    Placement,
    Postponed,
    Resumed,
    Signed,
    Started,
    failure_of,
)
from easynet.fabric.jobs.job_index import JobIndex
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.jobs.job_store import Delivery
from easynet.fabric.wire.failures import error_of
from easynet.fabric.wire.updates import End, Failure, Item, Progress, Result

T = TypeVar("T")

MAX_ITEMS: Final = 100_000
MAX_KEPT_BYTES: Final = 64 * 1024 * 1024
"""Of one job's items and result. Large values are references and count little."""
MAX_EVENT_BYTES: Final = 7 * 1024 * 1024
_STORE_RETRY_S: Final = 1.0
_GATEWAY_RETRY_S: Final = 0.5
_CLOSING_S: Final = 5.0
_OWN_FAULTS: Final = (RemoteFailure, FunctionCrashed, CallTimeout)
"""Errors that another node would give as well."""
_NOBODY_NOW: Final = (UnknownFunction, NoNodeFound)
"""Errors of which a job thinks better than a call: whoever offers the function may be starting again."""


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
        self._items = 0
        self._kept_bytes = 0
        self._written_bytes = 0
        """Of items and results of all attempts that were seen here."""
        self._progress: Progress | None = None
        self._progress_at = -math.inf
        self._progress_told = 0
        """Of how many words of progress of the call the client knows."""
        self._is_resumed = False
        """Whether the call was there before, and none of its items have come anew."""
        self._telling: asyncio.Task[None] | None = None
        self._told: Placement | None = None
        """Of which the job's client knows that the call went there."""

    async def run(self) -> None:
        """Bring the job to an end, or back into the queue."""
        keeping = asyncio.create_task(self._keep())
        try:
            if await self._exists():
                outcome = await self._outcome()
                if isinstance(outcome, Ended):
                    outcome = Ended(outcome.outcome, self._written_bytes)
                await self._write(outcome)
                with contextlib.suppress(GatewayError):  # it is done again when the next one ends
                    await self._index.tidy(self._order.owner, self._clock.now())
                with contextlib.suppress(GatewayError):  # it is delivered again, and found to be settled
                    await self._settle(outcome)
            else:
                with contextlib.suppress(GatewayError):
                    await self._delivery.done()
        finally:
            keeping.cancel()
            if self._telling is not None:
                self._telling.cancel()

    async def keep_receipt(self) -> None:
        """Keep what the node signs about the call, where the job is over and something comes."""
        if self._told is None or not self._record.is_over:
            return
        receipt = await self._caller.receipt(self._order.id)
        if receipt is not None:
            await self._write(Signed(receipt))

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
            await _persistently(lambda: self._index.announce(self._record, self._order))
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
                    return self._after(error)
                if self._loop.time() - began < self._rules.resume_s:
                    await asyncio.sleep(_GATEWAY_RETRY_S)
                elif at.idempotent:
                    return self._after(error)
                else:
                    return Ended(failure_of(_unknown(at)))
            except EasyNetError as error:
                return self._after(error)
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
                        await self._tell(update)
                    case Item(value):
                        if self._is_resumed:
                            await self._begin(self._record.placement)
                        await self._count(value)
                        await self._tell_last()
                        await self._write(update, nth=self._items)
                        self._items += 1
                    case Result(value):
                        await self._count(value)
                        await self._tell_last()
                        return Ended(update)
                    case End():
                        await self._tell_last()
                        return Ended(update)
                    case Failure():
                        error = error_of(update)
                        return Ended(update) if isinstance(error, RemoteFailure) else self._after(error)
                    case _:
                        pass
        raise GatewayError(f"the call of {self._order.function} ended without a result")

    async def _place(self, placement: Placement, *, is_resumed: bool) -> None:
        """Have it known where the call goes: once where nobody takes it yet, and it is tried again."""
        if is_resumed:
            told = self._progress_told = await _persistently(lambda: self._index.told(self._record))
            await self._write(Resumed(self._delivery.subject, told))
            self._is_resumed = True
        elif placement != self._told or self._items:
            await self._begin(placement)
        self._told = placement
        self._items = self._kept_bytes = 0

    async def _begin(self, placement: Placement | None) -> None:
        """Have it known that the call is about to run; items that were there come anew."""
        assert placement is not None
        await self._write(Started(self._record.attempt, placement, self._delivery.subject))
        self._is_resumed, self._progress_told = False, 0

    def _after(self, error: EasyNetError) -> Ended | Postponed:
        """What follows from an error: another attempt where that may help and has not been tried enough."""
        failure = failure_of(error)
        may_help = error.retryable or isinstance(error, _NOBODY_NOW)
        if not may_help or isinstance(error, _OWN_FAULTS):
            return Ended(failure)
        rules, record = self._rules, self._record
        if isinstance(error, Overloaded):
            delay_s = min(rules.max_delay_s, max(rules.first_delay_s, error.retry_after_s))
            return Postponed(record.attempt, delay_s, failure, is_counted=False)
        failed = record.failures + 1
        if failed >= rules.max_attempts:
            hint = f"It was tried {failed} times; `easynet jobs follow` shows what went wrong each time."
            return Ended(Failure(failure.code, failure.type, failure.message, hint=hint))
        delay_s = min(rules.max_delay_s, rules.first_delay_s * 2.0 ** min(failed - 1, 30))
        return Postponed(record.attempt, delay_s, failure)

    async def _count(self, value: bytes) -> None:
        """Raise Unencodable or BadData where a job gives more than is kept of one."""
        self._kept_bytes += len(value)
        if len(value) > MAX_EVENT_BYTES or self._kept_bytes > MAX_KEPT_BYTES or self._items >= MAX_ITEMS:
            raise Unencodable(
                f"the job gave more than a gateway keeps: {MAX_ITEMS:,} items or {MAX_KEPT_BYTES:,} bytes",
                hint="Write it to a file, and return its path.",
            )
        self._written_bytes += len(value)
        await self._keep_values(value)

    async def _tell(self, progress: Progress) -> None:
        """Keep a word of progress, now or, where the last one is too recent, in a moment."""
        if 0 < progress.number <= self._progress_told:
            return  # it is told once more, after the gateway was away
        self._progress_told = progress.number
        wait_s = self._progress_at + self._rules.progress_every_s - (self._loop.time() - progress.age_s)
        if wait_s <= 0 and self._progress is not None and progress.age_s:
            await self._tell_last()
        self._progress = progress
        if wait_s <= 0:
            await self._tell_last()
        elif self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_later(wait_s))

    async def _tell_later(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        await self._tell_last()

    async def _tell_last(self) -> None:
        progress, self._progress = self._progress, None
        if progress is not None:
            self._progress_at = self._loop.time() - progress.age_s
            at = self._clock.now() - progress.age_s
            with contextlib.suppress(GatewayError):  # there will be more
                await self._index.write(self._record, progress, at, token=secrets.token_hex(16))

    async def _write(self, event: JobEvent, *, nth: int = 0) -> None:
        at, token = self._clock.now(), secrets.token_hex(16)
        await _persistently(lambda: self._index.write(self._record, event, at, token=token, nth=nth))


async def _persistently(work: Callable[[], Awaitable[T]]) -> T:
    """Write or read for certain, however long the store takes to work again."""
    while True:
        try:
            return await work()
        except GatewayError:
            await asyncio.sleep(_STORE_RETRY_S)


def _unknown(at: Placement) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"the node {at.node!r} went away while the gateway was down, and may or may not have finished",
        hint="See whether it had its effect before you submit it again under another key.",
    )
