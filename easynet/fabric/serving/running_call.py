"""One call at a node, from the arrival of its message to its last update."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from easynet.core.call import begin_call
from easynet.core.errors import (
    ArgumentMismatch,
    BadData,
    CallTimeout,
    EasyNetError,
    GatewayError,
    NodeRefused,
    NodeUnreachable,
    OutcomeUnknown,
    OverBudget,
    Overloaded,
)
from easynet.fabric.receipts.stream_digest import StreamDigest
from easynet.fabric.serving.audience import Audience
from easynet.fabric.serving.call_work import CallWork
from easynet.fabric.serving.callers import Caller
from easynet.fabric.serving.services import Service
from easynet.fabric.serving.stream_window import StreamWindow
from easynet.fabric.serving.surroundings import Surroundings
from easynet.fabric.telemetry.tracing import Tracer
from easynet.fabric.wire.calls import Call
from easynet.fabric.wire.failures import error_of, failure_of, refusal_of
from easynet.fabric.wire.updates import End, Failure, Item, Result, encode_update

Last = Result | End | Failure

_NOT_BEGUN = frozenset({ArgumentMismatch.code, BadData.code})
"""Why a function in another process was not called."""


class RunningCall:
    """Runs a function for a caller and tells the caller how it goes."""

    # Slots: a node has thousands of calls, and most of them are short.
    __slots__ = (
        "_around",
        "_ended",
        "_expiry",
        "_task",
        "audience",
        "call",
        "client",
        "digest",
        "ended_at",
        "key",
        "last",
        "last_message",
        "seconds",
        "service",
        "started_at",
        "window",
        "work",
    )

    def __init__(
        self,
        call: Call,
        caller: Caller,
        service: Service,
        reply: str,
        around: Surroundings,
        ended: Callable[["RunningCall"], None],
    ) -> None:
        """`ended` is told when it has ended, or waits no more."""
        self.call = call
        self.client = caller.client
        self.key = call.key or call.id
        self.service = service
        self.audience = audience = Audience(around.connection, caller, call.id, reply)
        self.work = CallWork(call, service.function, audience, around)
        self.window: StreamWindow | None = None
        self.digest: StreamDigest | None = None
        self.started_at = 0.0
        """Unix seconds; 0 while it waits."""
        self.ended_at = 0.0
        self.seconds = 0.0
        """How long it ran."""
        self.last: Last | None = None
        """How it ended; None where it was given up."""
        self.last_message = b""
        self._around = around
        self._ended = ended
        self._task: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        if call.deadline_s is not None:
            self._expiry = around.loop.call_later(call.deadline_s, self._expire)

    @property
    def was_cut_short(self) -> bool:
        """Whether it ended because it was given up, and not by itself."""
        return self.last is None or (self.work.is_given_up and isinstance(self.last, End))

    # ── what happens to it ──────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Run the function, now that there is room."""
        self.started_at = time.time()
        self._task = asyncio.Task(self._run(), loop=self._around.loop)

    def turn_away(self, error: Overloaded) -> None:
        """Leave the queue unrun; the caller may go elsewhere."""
        self._end_with(refusal_of(error))

    def cancel(self) -> None:
        """The caller has given up: stop as soon as the function allows."""
        self.audience.is_over = True
        if self.window is not None:
            self.window.close()
        if self.started_at:
            self.work.give_up()
            # A thread cannot be stopped from outside; it looks at the flag.
            if self._task is not None and self.service.place.can_stop:
                self._task.cancel()
        elif not self.work.is_given_up:
            self.work.give_up()
            self.stop_clock()
            self._ended(self)

    def refuse(self) -> None:
        """The node stops: tell the caller, who may go elsewhere, and cancel."""
        name = self.service.name
        if not self.started_at:
            self._end_with(refusal_of(NodeRefused(f"the node stopped before {name} was begun")))
            return
        # First this, then the question: a thread says that it begins, and then sees whether it should.
        self.work.give_up()
        if not self.work.has_begun:
            error: EasyNetError = NodeRefused(f"the node stopped before {name} was begun")
        elif self.service.function.capability.idempotent:
            error = NodeUnreachable(f"the node stopped while {name} was running")
        else:
            error = OutcomeUnknown(f"the node stopped while {name} was running, which must not run twice")
        self._end_with(refusal_of(error))
        if self._task is not None:
            self._task.cancel()

    def _expire(self) -> None:
        error = CallTimeout(f"{self.service.name} did not finish within {self.call.deadline_s:g} s")
        self._end_with(failure_of(error))

    def _end_with(self, failure: Failure) -> None:
        self.audience.tell(encode_update(failure))
        self.cancel()

    def acknowledge(self, taken: int) -> None:
        """The reader of a stream has taken so many items."""
        if self.window is not None:
            self.window.acknowledge(taken)

    def tell_again(self, received: int) -> None:
        """Send the items after the first `received` once more."""
        if self.window is not None:
            self.window.acknowledge(received)
            for message in self.window.since(received):
                self.audience.tell(message)

    def hand_to(self, caller: Caller, id_: str) -> None:
        """It is another call's from now on, for the same work; the call that it was gets the same answers."""
        self.audience.hand_to(caller, id_)
        self.call.id, self.call.inbox, self.call.key = id_, caller.inbox, self.key

    # ── the function ────────────────────────────────────────────────────────────────────────────

    async def _run(self) -> None:
        begin_call(self.work.begin())
        began = time.perf_counter()
        try:
            run = self._metered if self.audience.caller.is_metered else self._outcome
            tracer = self._around.tracer
            self.last = await (run() if tracer is None else self._traced(run, tracer))
        except asyncio.CancelledError:
            pass  # the caller has given up, or the node stops, and has said so
        finally:
            self.seconds = time.perf_counter() - began
            self.ended_at = self.started_at + self.seconds
            self._end()

    async def _metered(self) -> Last:
        name, meter = self.service.name, self._around.meter
        run = secrets.token_hex(12)  # not the caller's key, under which it could pay once for many
        try:
            await meter.charge(self.client, name, run)
        except OverBudget as error:
            return refusal_of(error)
        except GatewayError as error:
            return refusal_of(
                NodeRefused(f"{name} was not run, since it could not be counted: {error.message}")
            )
        last = await self._outcome()
        # Items that were given are work done: a caller could have a stream fail after all that it wants.
        if isinstance(last, Failure) and not (self.window is not None and self.window.given):
            with contextlib.suppress(GatewayError):
                await meter.refund(self.client, run)
        return last

    async def _traced(self, run: Callable[[], Awaitable[Last]], tracer: Tracer) -> Last:
        with tracer.served(self.service.name, self._around.node, self.call.trace) as span:
            last = await run()
            if isinstance(last, Failure):
                span.fail(error_of(last))
            return last

    async def _outcome(self) -> Last:
        work, place = self.work, self.service.place
        try:
            if not work.decode():
                await work.fetch(for_another_process=place.is_elsewhere)
            work.has_begun = place.is_elsewhere  # here, it begins once its arguments fit
            if self.service.function.capability.streaming:
                return await self._stream()
            value = await place.run(work)
            if work.has_parts:
                await work.give_parts(value)
            return Result(value)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return self._failure(error)  # the function raised it by itself
        # Whatever the function raises is the caller's to see; only this node goes on.
        except BaseException as error:
            return self._failure(error)

    async def _stream(self) -> Last:
        work = self.work
        window, digest = self.window, self.digest = StreamWindow(), StreamDigest()
        async with contextlib.aclosing(self.service.place.stream(work)) as items:
            async for value in items:
                if work.has_parts:
                    await work.give_parts(value)
                if work.is_given_up or not await window.room(len(value)):
                    break
                digest.add(value)
                message = encode_update(Item(value, window.given))
                window.add(message)
                await self.audience.tell_in_turn(message)
        return End(window.given)

    def _failure(self, error: BaseException) -> Failure:
        failure: Any = getattr(error, "failure", None)
        if isinstance(failure, Failure):  # it was made into one in another process
            self.work.has_begun = failure.code not in _NOT_BEGUN
            return failure
        trace = error.__traceback__
        # What the caller wants to read begins in the function, not in the node around it.
        while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(
            "easynet.fabric."
        ):
            trace = trace.tb_next
        return failure_of(error, raised_in=trace)

    def _end(self) -> None:
        self.stop_clock()
        last = self.last
        self.work.end(is_well=last is not None and not isinstance(last, Failure))
        if last is not None:
            self.last_message = encode_update(last)
            self.audience.tell_last(self.last_message)  # no message comes in before the rest is done
        self.audience.is_over = True
        self._ended(self)
        self._task = None  # it refers to this call, and this call to it

    def stop_clock(self) -> None:
        """Its time is not limited any more."""
        if self._expiry is not None:
            self._expiry.cancel()
