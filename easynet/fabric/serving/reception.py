"""What a node does with the messages of clients: calls and what concerns them."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from easynet.core.errors import (
    EasyNetError,
    GatewayError,
    NodeRefused,
    NodeUnreachable,
    OutcomeUnknown,
    UnknownFunction,
    VersionMismatch,
    nearest,
)
from easynet.fabric.functions.function import Function
from easynet.fabric.functions.places import Place
from easynet.fabric.functions.scratch import ScratchFolders
from easynet.fabric.receipts.receipts import OK, ReceiptSigner
from easynet.fabric.registry import DEAD_AFTER_S
from easynet.fabric.serving.admission import Admission
from easynet.fabric.serving.callers import Caller, Callers
from easynet.fabric.serving.finished_calls import FinishedCall, FinishedCalls
from easynet.fabric.serving.held_results import HeldResults
from easynet.fabric.serving.metering import Meter
from easynet.fabric.serving.running_call import RunningCall, Surroundings
from easynet.fabric.telemetry.statistics import CallStatistics
from easynet.fabric.telemetry.tracing import Tracer
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.values.parcels import Kind, Parcel, decode_parcel, encode_parcel
from easynet.fabric.values.served_values import NodeValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire import envelope, versions
from easynet.fabric.wire.envelope import Alive, Call, Failure, Hello, Result, Unknown, encode_update
from easynet.fabric.wire.failures import refusal_of

_SILENT_S: Final = 12.0
"""A client that waits speaks every five seconds."""
_TO_ONE: Final = frozenset({"call", "resume", "alive"})
"""What only the one that has the name may answer; the rest concerns calls that run here."""


@dataclass(frozen=True)
class Limits:
    """How much a node does at the same time."""

    concurrency: int
    """Calls of functions that block."""
    async_calls: int
    """Calls of coroutine functions."""
    queue: int
    """Calls that wait, of either kind."""


@dataclass(frozen=True)
class Service:
    """A function as it is served."""

    function: Function
    place: Place
    admission: Admission[RunningCall]


class Reception:
    """Takes calls in, finds each its place, and remembers how they ended."""

    def __init__(
        self,
        node: str,
        instance: str,
        key: str,
        function_by_name: Mapping[str, Function],
        place_of: Callable[[Function], Place],
        limits: Limits,
        *,
        connection: Connection,
        transfer: Transfer,
        folders: ScratchFolders,
        tracer: Tracer | None,
        statistics: CallStatistics,
        receipts: ReceiptSigner,
        meter: Meter,
    ) -> None:
        self._function_by_name = function_by_name
        self._around = Surroundings(
            node,
            asyncio.get_running_loop(),
            connection,
            NodeValues(transfer),
            folders,
            tracer,
            self._ended,
            self._explained,
            meter,
        )
        self._connection = connection
        self._place_of = place_of
        self._limits = limits
        self._instance = instance
        self._key = key
        self._statistics = statistics
        self._receipts = receipts
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()
        self._blocking = Admission[RunningCall](limits.concurrency, limits.queue)
        self._looping = Admission[RunningCall](limits.async_calls, limits.queue)
        self._own: list[Admission[RunningCall]] = []
        self._service_by_name: dict[str, Service] = {}
        self._call_by_id: dict[str, RunningCall] = {}
        self._call_by_key: dict[tuple[str, str, str], RunningCall] = {}
        self._finished = FinishedCalls()
        self._results = HeldResults()
        self._tasks: set[asyncio.Task[None]] = set()
        self._callers = Callers()
        self._idle = asyncio.Event()
        self._idle.set()
        self.is_draining = False
        """Whether new calls are refused."""
        self.known_at = self._loop.time()
        """When the gateway last said that this node has its name."""

    @property
    def running(self) -> int:
        return sum(admission.running for admission in self._admissions())

    @property
    def waiting(self) -> int:
        return sum(admission.waiting for admission in self._admissions())

    def _admissions(self) -> Iterable[Admission[RunningCall]]:
        return (self._blocking, self._looping, *self._own)

    async def idle(self) -> None:
        """Return once no call runs or waits."""
        await self._idle.wait()

    def refuse_all(self) -> None:
        """The node stops: end every call, and tell its caller."""
        for call in {*self._call_by_id.values()}:
            call.refuse()

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def receive(self, subject: str, reply: str, data: bytes, nobody: bool) -> None:
        """Take a message to the node; what cannot be read is answered with the reason."""
        _, _, client, what, name = subject.split(".", 4)
        try:
            if what in _TO_ONE and self._loop.time() - self.known_at > DEAD_AFTER_S:
                # This process stood still, and another may have its name by now. Whoever waits asks again.
                return
            if what == "call":
                self._receive_call(client, name, reply, data)
            elif what == "credit":
                if (call := self._running(client, name)) and data.isdigit():
                    call.acknowledge(int(data))
            elif what == "cancel":
                if call := self._running(client, name):
                    self._give_up(call, name)
            elif what == "resume":
                self._resume(client, name, reply, data)
            elif what == "alive":
                self._greet(client, name, reply, data)
            else:
                self._receive_about_values(client, what, name, data)
        except EasyNetError as error:
            self._answer(reply, encode_update(refusal_of(error)))

    def _receive_about_values(self, client: str, what: str, id_: str, data: bytes) -> None:
        if what == "part":
            if call := self._running(client, id_):
                call.take(decode_parcel(data))
        elif what == "want":
            self._give(client, id_, data)
        elif what == "done":
            self._results.done(client, id_)

    def _receive_call(self, client: str, name: str, reply: str, data: bytes) -> None:
        now = self._loop.time()
        for call in envelope.decode_calls(data):
            try:
                self._take(client, name, reply, call, now)
            except EasyNetError as error:
                message = encode_update(refusal_of(error))
                self._answer(reply or _subject(client, call.inbox, call.id), message)
            reply = ""  # it may be used once

    def _take(self, client: str, name: str, reply: str, call: Call, now: float) -> None:
        service = self._service_by_name.get(name) or self._service(name)
        if call.id in self._call_by_id:
            return  # it came twice, over a connection that broke
        if call.key:
            if self._attach(client, service.function, reply, call):
                return
        elif (finished := self._finished.by_id(client, call.id)) is not None:
            self._replay(finished, reply, _subject(client, call.inbox, call.id), 0)
            return
        if self.is_draining:
            raise NodeRefused(
                f"{self._around.node} is draining: it finishes what it has and takes nothing new"
            )
        caller = self._callers.heard(client, call.inbox, now)
        running = RunningCall(call, caller, service.function, service.place, reply, self._around)
        self._keep(running)
        try:
            service.admission.enter(running)
        except EasyNetError:
            self._forget(running)
            raise

    def _attach(self, client: str, function: Function, reply: str, call: Call) -> bool:
        """Answer a call from what is known of its work; False where that is to be begun now."""
        name, may_repeat = function.capability.name, function.capability.idempotent
        if call.instance not in ("", self._instance):
            raise NodeUnreachable(f"the node {self._around.node} was started again")
        subject = _subject(client, call.inbox, call.id)
        if (finished := self._finished.find(client, name, call.key)) is not None:
            if not finished.items_before:
                self._results.share(client, finished.id, call.id, self._loop.time())
                self._replay(finished, reply, subject, 0)
                return True
            if may_repeat:
                return False
            raise OutcomeUnknown(f"{name} has run, and the first of its items are not kept any more")
        first = self._call_by_key.get((client, name, call.key)) or self._running(client, call.key)
        if first is None:
            if call.instance and not may_repeat:
                raise OutcomeUnknown(f"{self._around.node} knows nothing of an earlier call of {name}")
            return False
        if not first.is_given_up and not function.capability.streaming:
            self._hand_over(first, self._callers.heard(client, call.inbox, self._loop.time()), call.id)
            self._answer(reply or subject, encode_update(Alive()))
            return True
        if not first.is_given_up and not call.instance and not self._is_silent(first.caller):
            raise OutcomeUnknown(f"{name} is giving the items of this very call to another reader")
        if not may_repeat:
            raise OutcomeUnknown(f"{name} has begun, and must not run twice; nobody took all of its items")
        if not first.is_given_up:
            self._cancel(first)
        return False

    def _is_silent(self, caller: Caller) -> bool:
        """Whether a client has not said that it still waits, although it should have, twice."""
        return self._loop.time() - caller.heard_at > _SILENT_S

    def _hand_over(self, call: RunningCall, caller: Caller, id_: str) -> None:
        """See that a call goes on for as long as that caller is there."""
        call.caller.calls.discard(call.call.id)
        call.hand_to(caller, id_)
        caller.calls.add(id_)
        self._call_by_id[id_] = self._call_by_key[_key(call)] = call

    def _hand_back(self, call: RunningCall) -> bool:
        """Let a call go on for another one that waits for the same work; False where there is none."""
        now = self._loop.time()
        for inbox, id_ in call.following:
            if (caller := self._callers.here(call.client, inbox, now)) is not None:
                self._hand_over(call, caller, id_)
                return True
        return False

    def _replay(self, finished: FinishedCall, reply: str, subject: str, received: int) -> None:
        """Say once more how a call ended, with the items that its reader has not got."""
        for number, item in enumerate(finished.items, finished.items_before):
            if number >= received:
                self._answer(reply or subject, item)
                reply = ""
        self._answer(reply or subject, finished.last)

    def _resume(self, client: str, id_: str, reply: str, data: bytes) -> None:
        """Tell a client that was cut off how its call goes."""
        resume = envelope.decode_resume(data)
        self._callers.heard(client, resume.inbox, self._loop.time())
        if call := self._running(client, id_):
            call.speak_directly()
            self._answer(reply, encode_update(Alive()))
            call.tell_again(resume.received)
            call.ask_again()
        elif finished := self._finished.by_id(client, id_):
            self._replay(finished, reply, _subject(client, resume.inbox, id_), resume.received)
        else:
            self._answer(reply, encode_update(Unknown(self._age_s())))

    def _give(self, client: str, id_: str, data: bytes) -> None:
        """Give a client a part of a large value of its call's result."""
        want, inbox = envelope.decode_want(data)
        call = self._running(client, id_)
        held = call.held if call is not None else self._results.find(client, id_, self._loop.time())
        subject = f"re.{client}.{inbox}.part-{id_}"
        if held is None:
            self._send_parcels(subject, [Parcel(Kind.ELSEWHERE, want.digest)])
        elif held.is_quick(want):
            self._send_parcels(subject, held.answers(want))
        else:
            task = self._loop.create_task(self._give_late(held, want, subject))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _give_late(self, held: HeldValues, want: envelope.Want, subject: str) -> None:
        with contextlib.suppress(EasyNetError):  # it is asked for again, or in vain
            self._send_parcels(subject, await asyncio.to_thread(held.answers, want))

    def _send_parcels(self, subject: str, parcels: Iterable[Parcel]) -> None:
        with contextlib.suppress(GatewayError):  # they are asked for again
            for parcel in parcels:
                self._connection.send_pieces(subject, encode_parcel(parcel))

    def _greet(self, client: str, inbox: str, reply: str, data: bytes) -> None:
        """Say who this is to a client that says so of itself, and which of its calls never arrived."""
        ping = envelope.decode_ping(data)
        caller = self._callers.heard(client, inbox, self._loop.time())
        caller.token, caller.easynet = ping.token, ping.easynet
        unknown = [
            id_
            for id_ in ping.calls
            if id_ not in self._call_by_id and self._finished.by_id(client, id_) is None
        ]
        self._answer(reply, self._hello(unknown))

    def _hello(self, unknown: Iterable[str] = ()) -> bytes:
        once = [f.capability.name for f in self._function_by_name.values() if not f.capability.idempotent]
        return envelope.encode_hello(
            Hello(self._instance, versions.OWN, self._key, tuple(once), tuple(unknown), self._age_s())
        )

    def _age_s(self) -> float:
        return self._loop.time() - self._began_at

    def _answer(self, subject: str, message: bytes) -> None:
        if subject:
            with contextlib.suppress(GatewayError):  # the client asks again
                self._connection.send(subject, message)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────

    def _service(self, name: str) -> Service:
        function = self._function_by_name.get(name)
        if function is None:
            known = list(self._function_by_name)
            hint = nearest(name, known) or f"It offers {', '.join(known)}."
            raise UnknownFunction(f"{self._around.node} offers no function named {name!r}", hint=hint)
        admission = self._blocking if function.blocks else self._looping
        if (limit := function.capability.concurrency) is not None:
            admission = Admission[RunningCall](limit, self._limits.queue)
            self._own.append(admission)
        service = Service(function, self._place_of(function), admission)
        self._service_by_name[name] = service
        return service

    def _running(self, client: str, id_: str) -> RunningCall | None:
        call = self._call_by_id.get(id_)
        return call if call is not None and call.client == client else None

    def _keep(self, call: RunningCall) -> None:
        self._call_by_id[call.call.id] = call
        if call.call.key:
            self._call_by_key[_key(call)] = call
        call.caller.calls.add(call.call.id)
        self._idle.clear()

    def _forget(self, call: RunningCall) -> None:
        self._call_by_id.pop(call.call.id, None)
        if call.call.key:
            for id_ in call.followers:
                del self._call_by_id[id_]
            if self._call_by_key.get(_key(call)) is call:
                del self._call_by_key[_key(call)]
        call.caller.calls.discard(call.call.id)
        if not self._call_by_id:
            self._idle.set()

    def _give_up(self, call: RunningCall, id_: str) -> None:
        """A client does not want the answer to that call any more; whoever waits for the same work may."""
        if id_ == call.call.id:
            self._cancel(call)
        else:
            call.unfollow(id_)
            del self._call_by_id[id_]

    def _cancel(self, call: RunningCall) -> None:
        call.cancel()
        if not call.started_at:
            self._ended(call)

    def _ended(self, call: RunningCall) -> None:
        """Make room for the next call, and remember how this one ended."""
        service = self._service_by_name[call.function.capability.name]
        if not call.started_at:
            service.admission.withdraw(call)
            self._forget(call)
            return
        self._forget(call)
        service.admission.leave(call.seconds)
        is_failure = isinstance(call.last, Failure)
        self._statistics.record(call.function.capability.name, call.seconds, is_failure or call.last is None)
        self._remember(call)
        self._hold(call)
        self._sign(call)

    def _remember(self, call: RunningCall) -> None:
        message = call.last_message
        capability = call.function.capability
        if call.call.key and _key(call) in self._call_by_key:
            return  # it was begun anew
        if call.was_cut_short:
            if capability.idempotent:
                return
            unknown = OutcomeUnknown(f"an earlier call of {capability.name} under this key was given up")
            message = encode_update(refusal_of(unknown))
        items: tuple[bytes, ...] = ()
        before = 0
        if call.window is not None:
            items = call.window.held
            before = call.window.given - len(items)
        request = call.call
        for id_ in (request.id, *call.followers):
            self._finished.add_record(
                (
                    id_,
                    call.client,
                    capability.name,
                    request.key,
                    self._loop.time(),
                    message,
                    items,
                    before,
                )
            )

    def _hold(self, call: RunningCall) -> None:
        """Keep what the client will ask for."""
        if call.held is None:
            return
        if not isinstance(call.last, Result):
            call.held.release()
            return
        for id_ in (call.call.id, *call.followers):
            self._results.add(call.client, id_, call.held, self._loop.time())

    def _sign(self, call: RunningCall) -> None:
        last = call.last
        output: bytes | str = b""
        if isinstance(last, Result):
            output, outcome = last.value, OK
        elif isinstance(last, Failure):
            outcome = last.code
        elif last is None:
            outcome = "cancelled"
        else:
            output, outcome = call.digest.hexdigest() if call.digest is not None else b"", OK
        capability = call.function.capability
        self._receipts.add(
            call.client,
            call.call.inbox,
            capability,
            call.call.id,
            call.call.key,
            call.call.arguments,
            output,
            call.started_at,
            call.ended_at,
            capability.price if outcome == OK else 0,
            outcome,
        )

    def _explained(self, call: RunningCall, error: EasyNetError) -> EasyNetError:
        """What arguments that do not fit mean: where the two sides run different versions, that."""
        theirs = call.caller.easynet
        if not versions.differ(theirs, versions.OWN):
            return error
        return VersionMismatch(
            f"the client runs EasyNet {theirs}, the node {self._around.node} {versions.OWN}: {error.message}",
            hint="Install the same version on both sides.",
        )

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def pulse(self) -> None:
        """Show every waiting client that the node lives, and give up the calls of those that do not."""
        now = self._loop.time()
        for caller in self._callers.gone(now):
            for id_ in list(caller.calls):
                if (call := self._call_by_id.get(id_)) and not self._hand_back(call):
                    self._cancel(call)
        hello = self._hello()
        for caller in self._callers.waiting():
            if caller.token:
                self._answer(f"re.{caller.client}.{caller.inbox}.{caller.token}", hello)
        for call in self._call_by_id.values():
            call.check()
        self._finished.forget(now)
        self._results.forget(now)
        self._around.values.recent.forget(now)

    def cut_off(self) -> None:
        """The connection was lost: the ways back that the server knew are gone."""
        for call in self._call_by_id.values():
            call.speak_directly()

    def back(self) -> None:
        """The connection is there again: nobody could be heard meanwhile."""
        self._callers.all_heard(self._loop.time())
        for call in self._call_by_id.values():
            call.ask_again()


def _subject(client: str, inbox: str, id_: str) -> str:
    """Where a client hears of a call of its own."""
    return f"re.{client}.{inbox}.{id_}"


def _key(call: RunningCall) -> tuple[str, str, str]:
    """By which a second call for the same work finds it."""
    return call.client, call.function.capability.name, call.key
