"""One call at a node, from the arrival of its message to its last update."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easynet.core.call import CallContext, begin_call
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
from easynet.fabric.functions.call_files import CallFiles
from easynet.fabric.functions.function import Function
from easynet.fabric.functions.places import Place
from easynet.fabric.functions.scratch import ScratchFolders
from easynet.fabric.receipts.receipts import StreamDigest
from easynet.fabric.serving.callers import Caller
from easynet.fabric.serving.metering import Meter
from easynet.fabric.serving.progress_report import ProgressReport
from easynet.fabric.serving.stream_window import StreamWindow
from easynet.fabric.telemetry.tracing import Tracer
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.values.parcels import Parcel
from easynet.fabric.values.served_values import NodeValues, ServedValues
from easynet.fabric.wire import codec, envelope
from easynet.fabric.wire.envelope import (
    Call,
    Coming,
    End,
    Failure,
    Item,
    Known,
    Result,
    Update,
    Want,
    encode_update,
)
from easynet.fabric.wire.failures import failure_of, refusal_of

Last = Result | End | Failure


@dataclass(frozen=True)
class Surroundings:
    """What the calls of a node work with."""

    node: str
    loop: asyncio.AbstractEventLoop
    connection: Connection
    values: NodeValues
    folders: ScratchFolders
    tracer: Tracer | None
    ended: Callable[["RunningCall"], None]
    """Is told of each call that has ended, before its caller is."""
    explained: Callable[["RunningCall", EasyNetError], EasyNetError]
    """What is to be said of arguments that do not fit."""
    meter: Meter


class RunningCall:
    """Runs a function for a caller and tells the caller how it goes."""

    # Slots, and what few calls need made late: most calls are short, and a node has thousands of them.
    __slots__ = (
        "_around",
        "_decoded",
        "_expiry",
        "_files",
        "_followers",
        "_has_parts",
        "_is_answered",
        "_is_cancelled",
        "_progress",
        "_reply",
        "_scratch",
        "_task",
        "_values",
        "call",
        "caller",
        "client",
        "context",
        "digest",
        "ended_at",
        "function",
        "key",
        "last",
        "last_message",
        "place",
        "seconds",
        "started_at",
        "window",
    )

    def __init__(
        self, call: Call, caller: Caller, function: Function, place: Place, reply: str, around: Surroundings
    ) -> None:
        self.call = call
        self.caller = caller
        self.client = caller.client
        self.function = function
        self.place = place
        self.key = call.key or call.id
        self.context: CallContext | None = None
        """What the function sees of it, while it runs."""
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
        self._reply = reply
        self._followers: list[str] | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_cancelled = False
        self._is_answered = False
        self._has_parts = False
        self._decoded: Any = None
        self._files: CallFiles | None = None
        self._values: ServedValues | None = None
        self._scratch: Path | None = None
        self._progress: ProgressReport | None = None
        self._expiry: asyncio.TimerHandle | None = None
        if call.deadline_s is not None:
            self._expiry = around.loop.call_later(call.deadline_s, self._expire)

    @property
    def encoded_arguments(self) -> bytes:
        return self.call.arguments

    # ── what happens to it ──────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Run the function, now that there is room."""
        self.started_at = time.time()
        self._task = asyncio.Task(self._run(), loop=self._around.loop)

    def turn_away(self, error: Overloaded) -> None:
        """Leave the queue unrun; the caller may go elsewhere."""
        self._refuse(error)
        self._around.ended(self)

    def cancel(self) -> None:
        """The caller has given up: stop as soon as the function allows."""
        self._is_cancelled = self._is_answered = True
        if self.window is not None:
            self.window.close()
        if self._values is not None:
            self._values.give_up()
        # A thread cannot be stopped from outside; it looks at the flag.
        if self._task is not None and self.place.can_stop:
            self._task.cancel()

    def refuse(self) -> None:
        """The node stops: tell the caller, who may go elsewhere, and cancel."""
        name = self.function.capability.name
        if self._task is None:
            self._refuse(NodeRefused(f"the node stopped before {name} was begun"))
        elif self.function.capability.idempotent:
            self._refuse(NodeUnreachable(f"the node stopped while {name} was running"))
        else:
            self._refuse(
                OutcomeUnknown(f"the node stopped while {name} was running, which must not run twice")
            )
        if self._task is not None:
            self._task.cancel()

    def _refuse(self, error: EasyNetError) -> None:
        self._send(encode_update(refusal_of(error)))
        self.cancel()

    def acknowledge(self, taken: int) -> None:
        """The reader of a stream has taken so many items."""
        if self.window is not None:
            self.window.acknowledge(taken)

    @property
    def held(self) -> HeldValues | None:
        """The large values of the result that its client will ask for."""
        return self._values.held if self._values is not None else None

    def take(self, parcel: Parcel) -> None:
        """The client has answered about a value among the arguments."""
        if self._values is not None:
            self._values.take(parcel)

    def ask_again(self) -> None:
        """The connection is back: what was asked for meanwhile may be lost."""
        if self._values is not None:
            self._values.ask_again()

    def check(self) -> None:
        """Notice where the client does not give what it was asked for."""
        if self._values is not None:
            self._values.check()

    @property
    def _subject(self) -> str:
        return self.caller.prefix + self.call.id

    @property
    def following(self) -> list[tuple[str, str]]:
        """The inboxes and ids of other calls of the client's that get the same result, the latest first."""
        return [(s.split(".")[2], s.split(".")[3]) for s in reversed(self._followers or ())]

    @property
    def followers(self) -> list[str]:
        """The ids of other calls of the client's that get the same result."""
        return [subject.rsplit(".", 1)[1] for subject in self._followers or ()]

    @property
    def is_given_up(self) -> bool:
        """Whether nobody waits for it any more, although it may still run."""
        return self._is_cancelled

    @property
    def was_cut_short(self) -> bool:
        """Whether it ended because it was given up, and not by itself."""
        return self.last is None or (self._is_cancelled and isinstance(self.last, End))

    def hand_to(self, caller: Caller, id_: str) -> None:
        """It is another call's from now on, for the same work; the call that it was gets the same answers."""
        others = [subject for subject in self._followers or () if subject != caller.prefix + id_]
        self._followers = [*others, self._subject]
        self.speak_directly()
        self.caller, self.call.id, self.call.inbox = caller, id_, caller.inbox
        self.call.key = self.key

    def unfollow(self, id_: str) -> None:
        """One of the calls that got the same answers wants no more of them."""
        self._followers = [s for s in self._followers or () if not s.endswith(f".{id_}")]

    def speak_directly(self) -> None:
        """The way back of the first update is gone, with the server that knew it."""
        self._reply = ""

    def _expire(self) -> None:
        error = CallTimeout(
            f"{self.function.capability.name} did not finish within {self.call.deadline_s:g} s"
        )
        self._send(encode_update(failure_of(error)))
        self.cancel()
        if self._task is None:
            self._around.ended(self)

    # ── the function ────────────────────────────────────────────────────────────────────────────

    async def _run(self) -> None:
        self.context = CallContext(self._report, self._lend_scratch, self._was_given_up, self.key)
        begin_call(self.context)
        began = time.perf_counter()
        try:
            if self.caller.is_metered:
                self.last = await self._metered_outcome()
            elif self._around.tracer is None:
                self.last = await self._outcome()
            else:
                self.last = await self._traced_outcome(self._around.tracer)
        except asyncio.CancelledError:
            pass  # the caller has given up, or the node stops, and has said so
        finally:
            self.seconds = time.perf_counter() - began
            self.ended_at = self.started_at + self.seconds
            self._tidy_up()
            self._end()

    async def _metered_outcome(self) -> Last:
        name, meter = self.function.capability.name, self._around.meter
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
        if isinstance(last, Failure):
            with contextlib.suppress(GatewayError):
                await meter.refund(self.client, run)
        return last

    async def _traced_outcome(self, tracer: Tracer) -> Last:
        span = tracer.served(self.function.capability.name, self._around.node, self.call.trace)
        with span:
            return await self._outcome()

    async def _outcome(self) -> Last:
        try:
            is_plain, self._decoded = codec.decode_plain(self.call.arguments)
            if not is_plain and (wanted := codec.references(self.call.arguments)):
                await self._large().get(wanted, for_another_process=self.place.is_elsewhere)
            if self.function.capability.streaming:
                return await self._stream()
            value = await self.place.run(self)
            if self._has_parts:
                await self._push(value)
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
        window, digest = self.window, self.digest = StreamWindow(), StreamDigest()
        async with contextlib.aclosing(self.place.stream(self)) as items:
            async for value in items:
                if self._has_parts:
                    await self._push(value)
                if self._is_cancelled or not await window.room(len(value)):
                    break
                digest.add(value)
                message = encode_update(Item(value, window.given))
                window.add(message)
                await self._publish(message)
        return End(window.given)

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as the function takes them; raises ArgumentMismatch, BadData or VersionMismatch."""
        try:
            return self._arguments()
        except (ArgumentMismatch, BadData) as error:
            raise self._around.explained(self, error) from None

    def _arguments(self) -> tuple[list[Any], dict[str, Any]]:
        both, self._decoded = self._decoded, None
        is_plain = both is not None
        if not is_plain:
            both = codec.decode(self.call.arguments, self._large().value)
            self._large().forget()
        if (
            type(both) is not list
            or len(both) != 2
            or type(both[0]) is not list
            or type(both[1]) is not dict
            or (both[1] and not all(type(name) is str for name in both[1]))
        ):
            raise BadData("arguments that are not a list and a mapping of names")
        if not is_plain:
            self._files = CallFiles(self._around.values.transfer.store, self._around.folders)
            both = self._files.in_place_of(both)
        return self.function.checked(both[0], both[1])

    def encoded(self, value: Any) -> bytes:
        """A result, or an item, as it travels; raises Unencodable."""
        limit = min(self.call.inline_bytes or codec.MAX_INLINE_BYTES, codec.MAX_CALL_BYTES)
        data = codec.encode_plain(value, limit)
        if data is None:
            self._has_parts = True
            data = self._large().encoded(value, limit, is_item=self.window is not None)
        return data

    def made(self, value: bytes) -> bytes:
        """A result, or an item, that was encoded elsewhere, as it travels."""
        self._has_parts = bool(codec.references(value))
        return value

    async def _push(self, value: bytes) -> None:
        self._has_parts = False
        await self._large().give(value)

    def _large(self) -> ServedValues:
        """The large values of this call; few calls have any."""
        if self._values is None:
            self._values = ServedValues(
                self._around.values, self._ask, self._announce, is_direct=self.call.is_direct
            )
        return self._values

    def _ask(self, update: Want | Coming | Known) -> None:
        with contextlib.suppress(GatewayError):  # it is asked for again
            self._around.connection.send(self._subject, encode_update(update))

    def _announce(self, update: Coming | Known) -> None:
        with contextlib.suppress(RuntimeError):  # the node has stopped, but not yet this thread
            self._around.loop.call_soon_threadsafe(self._ask, update)

    def _failure(self, error: BaseException) -> Failure:
        failure: Any = getattr(error, "failure", None)
        if isinstance(failure, Failure):  # it was made into one in another process
            return failure
        trace = error.__traceback__
        # What the caller wants to read begins in the function, not in the node around it.
        while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(
            "easynet.fabric."
        ):
            trace = trace.tb_next
        return failure_of(error, raised_in=trace)

    def _was_given_up(self) -> bool:
        return self._is_cancelled

    def _lend_scratch(self) -> Path:
        if self._scratch is None:
            self._scratch = self._around.folders.lend()
        return self._scratch

    def _report(self, fraction: float | None, message: str) -> None:
        if self._progress is None:
            self._progress = ProgressReport(self._around.loop, lambda p: self._send(encode_update(p)))
        self._progress.take(fraction, message)

    def _tidy_up(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        if self._scratch is not None:
            self._around.folders.take_back(self._scratch)
        if self._files is not None:
            self._files.remove()

    # ── what the caller is told ─────────────────────────────────────────────────────────────────

    def _end(self) -> None:
        if self._progress is not None:
            if self.last is not None and not isinstance(self.last, Failure):
                self._progress.send()
            self._progress.stop()
        if self.last is not None:
            self.last_message = encode_update(self.last)
        self._around.ended(self)
        if self.last is not None:
            self._send_last()
        self._is_answered = True
        self._task = self.context = None  # they refer to this call, and this call to them

    def _send_last(self) -> None:
        if self._reply or self._followers or self._is_answered:
            self._send(self.last_message)
            return
        piece = envelope.encode_piece(self.call.id, self.last_message)
        with contextlib.suppress(GatewayError):  # the caller asks again
            self._around.connection.send_together(self.caller.prefix + "updates", piece)

    def tell(self, update: Update) -> None:
        """Send an update, unless the call is over for its caller."""
        self._send(encode_update(update))

    def tell_again(self, received: int) -> None:
        """Send the items after the first `received` once more."""
        if self.window is not None:
            self.window.acknowledge(received)
            for message in self.window.since(received):
                self._send(message)

    def _send(self, message: bytes) -> None:
        if self._is_answered:
            return
        subject, self._reply = self._reply or self._subject, ""
        with contextlib.suppress(GatewayError):  # the caller asks again
            self._around.connection.send(subject, message)
            for follower in self._followers or ():
                self._around.connection.send(follower, message)

    async def _publish(self, message: bytes) -> None:
        """Send an item, and wait while too much waits to be sent."""
        if not self._is_answered:
            subject, self._reply = self._reply or self._subject, ""
            with contextlib.suppress(GatewayError):  # the reader asks again
                await self._around.connection.publish(subject, message)
