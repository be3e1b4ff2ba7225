"""What a node does with the messages of clients: calls and what concerns them."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from easynet.core.errors import (
    EasyNetError,
    GatewayError,
    NodeRefused,
    OutcomeUnknown,
    UnknownFunction,
    VersionMismatch,
    nearest,
)
from easynet.fabric import envelope, versions
from easynet.fabric.admission import Admission
from easynet.fabric.callers import Callers
from easynet.fabric.connection import Connection
from easynet.fabric.envelope import Alive, Call, Failure, Hello, Result, Unknown, encode_update
from easynet.fabric.failures import refusal_of
from easynet.fabric.finished_calls import FinishedCall, FinishedCalls
from easynet.fabric.functions import Function
from easynet.fabric.metering import Meter
from easynet.fabric.places import Place
from easynet.fabric.receipts import OK, ReceiptSigner
from easynet.fabric.running_call import RunningCall, Surroundings
from easynet.fabric.scratch import ScratchFolders
from easynet.fabric.statistics import CallStatistics
from easynet.fabric.tracing import Tracer
from easynet.fabric.transfer import Transfer


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
            transfer,
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
        self._blocking = Admission[RunningCall](limits.concurrency, limits.queue)
        self._looping = Admission[RunningCall](limits.async_calls, limits.queue)
        self._own: list[Admission[RunningCall]] = []
        self._service_by_name: dict[str, Service] = {}
        self._call_by_id: dict[str, RunningCall] = {}
        self._call_by_key: dict[tuple[str, str, str], RunningCall] = {}
        self._finished = FinishedCalls()
        self._callers = Callers()
        self._idle = asyncio.Event()
        self._idle.set()
        self.is_draining = False
        """Whether new calls are refused."""

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
        for call in list(self._call_by_id.values()):
            call.refuse()

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def receive(self, subject: str, reply: str, data: bytes, nobody: bool) -> None:
        """Take a message to the node; what cannot be read is answered with the reason."""
        _, _, client, what, name = subject.split(".")
        try:
            if what == "call":
                self._receive_call(client, name, reply, data)
            elif what == "credit":
                if (call := self._running(client, name)) and data.isdigit():
                    call.acknowledge(int(data))
            elif what == "cancel":
                if call := self._running(client, name):
                    self._cancel(call)
            elif what == "resume":
                self._resume(client, name, reply, data)
            elif what == "alive":
                self._greet(client, name, reply, data)
        except EasyNetError as error:
            self._answer(reply, encode_update(refusal_of(error)))

    def _receive_call(self, client: str, name: str, reply: str, data: bytes) -> None:
        call = envelope.decode_call(data)
        reply = reply or f"re.{client}.{call.inbox}.{call.id}"
        try:
            self._take(client, name, reply, call)
        except EasyNetError as error:
            self._answer(reply, encode_update(refusal_of(error)))

    def _take(self, client: str, name: str, reply: str, call: Call) -> None:
        service = self._service_by_name.get(name) or self._service(name)
        if call.id in self._call_by_id:
            return  # it came twice, over a connection that broke
        if call.key:
            if (finished := self._finished.find(client, name, call.key)) is not None:
                self._replay(finished, reply, f"re.{client}.{call.inbox}.{call.id}", 0)
                return
            first = self._call_by_key.get((client, name, call.key)) or self._running(client, call.key)
            if first is not None:
                self._follow(first, call, reply)
                return
        elif (finished := self._finished.by_id(client, call.id)) is not None:
            self._replay(finished, reply, f"re.{client}.{call.inbox}.{call.id}", 0)
            return
        if self.is_draining:
            raise NodeRefused(
                f"{self._around.node} is draining: it finishes what it has and takes nothing new"
            )
        caller = self._callers.heard(client, call.inbox, self._loop.time())
        running = RunningCall(call, caller, service.function, service.place, reply, self._around)
        self._keep(running)
        try:
            service.admission.enter(running)
        except EasyNetError:
            self._forget(running)
            raise

    def _follow(self, first: RunningCall, call: Call, reply: str) -> None:
        """Answer a second call for the same work with what the first one gives."""
        if first.function.capability.streaming:
            raise OutcomeUnknown(
                f"{first.function.capability.name} is giving the items of this very call to another reader"
            )
        first.follow(call.inbox, call.id)
        self._answer(reply, encode_update(Alive()))

    def _replay(self, finished: FinishedCall, reply: str, subject: str, received: int) -> None:
        """Say once more how a call ended, with the items that its reader has not got."""
        for number, item in enumerate(finished.items, finished.items_before):
            if number >= received:
                self._answer(reply, item)
                reply = subject
        self._answer(reply, finished.last)

    def _resume(self, client: str, id_: str, reply: str, data: bytes) -> None:
        """Tell a client that was cut off how its call goes."""
        resume = envelope.decode_resume(data)
        self._callers.heard(client, resume.inbox, self._loop.time())
        if call := self._running(client, id_):
            call.speak_directly()
            self._answer(reply, encode_update(Alive()))
            call.tell_again(resume.received)
        elif finished := self._finished.by_id(client, id_):
            self._replay(finished, reply, f"re.{client}.{resume.inbox}.{id_}", resume.received)
        else:
            self._answer(reply, encode_update(Unknown(self._instance)))

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
            Hello(self._instance, versions.OWN, self._key, tuple(once), tuple(unknown))
        )

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
            self._call_by_key[call.client, call.function.capability.name, call.key] = call
        call.caller.calls.add(call.call.id)
        self._idle.clear()

    def _forget(self, call: RunningCall) -> None:
        self._call_by_id.pop(call.call.id, None)
        if call.call.key:
            self._call_by_key.pop((call.client, call.function.capability.name, call.key), None)
        call.caller.calls.discard(call.call.id)
        if not self._call_by_id:
            self._idle.set()

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
        self._sign(call)

    def _remember(self, call: RunningCall) -> None:
        message = call.last_message
        capability = call.function.capability
        if call.last is None:
            if capability.idempotent:
                return
            unknown = OutcomeUnknown(f"an earlier call of {capability.name} under this key was given up")
            message = encode_update(refusal_of(unknown))
        items: tuple[bytes, ...] = ()
        before = 0
        if call.window is not None:
            items = call.window.held
            before = call.window.given - len(items)
        self._finished.add(
            FinishedCall(
                call.call.id,
                call.client,
                capability.name,
                call.call.key,
                self._loop.time(),
                message,
                items,
                before,
            )
        )

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
                if call := self._call_by_id.get(id_):
                    self._cancel(call)
        hello = self._hello()
        for caller in self._callers.waiting():
            if caller.token:
                self._answer(f"re.{caller.client}.{caller.inbox}.{caller.token}", hello)
        self._finished.forget(now)

    def cut_off(self) -> None:
        """The connection was lost: the ways back that the server knew are gone."""
        for call in self._call_by_id.values():
            call.speak_directly()

    def back(self) -> None:
        """The connection is there again: nobody could be heard meanwhile."""
        self._callers.all_heard(self._loop.time())
