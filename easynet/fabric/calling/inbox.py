"""A client's calls in flight: one subscription for all of them, told apart by their ids."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import Any, Final, TypeVar

from easynet.core.errors import (
    AccessDenied,
    BadFrame,
    CallTimeout,
    EasyNetError,
    GatewayError,
    GatewayUnreachable,
    NodeUnreachable,
    NotStarted,
)
from easynet.core.ids import NodeId
from easynet.fabric.calling.client_values import ClientValues
from easynet.fabric.calling.peer import Peer
from easynet.fabric.calling.peers import Peers
from easynet.fabric.calling.pending_call import PendingCall
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire import envelope, versions
from easynet.fabric.wire.envelope import (
    Alive,
    Call,
    Coming,
    End,
    Failure,
    Item,
    Known,
    Ping,
    Result,
    Resume,
    Unknown,
    Update,
    Want,
)

SILENCE_S: Final = 10.0
"""A node that says nothing for so long is gone; it speaks every two seconds."""
CUT_OFF_S: Final = 30.0
"""How long calls in flight wait for a lost connection."""
SETTLING_S: Final = 3.0
"""After a gateway came back, nodes may take so long to do the same."""
_CHECK_EVERY_S: Final = 1.0
_PING_EVERY_S: Final = 5.0
_SURE_S: Final = 5.0
"""A node that was heard within this time is there, unless the gateway has said otherwise."""
_ASK_AGAIN_S: Final = 0.25
_MAX_REPAIRS: Final = 10
_ID_DIGITS: Final = 24
_IDS_AT_ONCE: Final = 64
_RESUME: Final = "resume-"
_PART: Final = "part-"

C = TypeVar("C", bound=PendingCall)


class Inbox:
    """Where the updates of a client's calls arrive."""

    def __init__(
        self, connection: Connection, transfer: Transfer, take_receipts: Callable[[bytes], None]
    ) -> None:
        self._connection = connection
        self._take_receipts = take_receipts
        self._token = secrets.token_hex(16)
        self._ids: list[str] = []
        self._prefix = ""
        self._client = ""
        self._call_by_id: dict[str, PendingCall] = {}
        self.peers = Peers()
        self.values = ClientValues(transfer, self._token, self._tell_about_values)
        self._loop = asyncio.get_running_loop()
        self._watch: asyncio.Task[None] | None = None
        self._recovery: asyncio.Task[None] | None = None
        self._lost_at: float | None = None
        self._returned_at = -SETTLING_S
        self.is_closed = False

    async def open(self) -> None:
        """Receive from now on."""
        self._client = self._connection.member
        self._prefix = f"re.{self._client}.{self._token}."
        self._connection.on_refusal = self._refused
        await self._connection.listen(f"{self._prefix}*", self._receive)
        self._watch = asyncio.create_task(self._watch_on())

    async def close(self) -> None:
        """Cancel every call."""
        self.is_closed = True
        for task in (self._watch, self._recovery):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        for call in list(self._call_by_id.values()):
            self.cancel(call)
            call.fail(GatewayUnreachable("the client was closed"))
        self.values.fail(GatewayUnreachable("the client was closed"))
        await self.values.close()

    def fail_all(self, error: EasyNetError) -> None:
        """End every call for its caller, and leave it to go on at its node."""
        for call in list(self._call_by_id.values()):
            self._give_up(call, error)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────

    def begin(
        self,
        kind: type[C],
        node: NodeId,
        function: str,
        arguments: bytes,
        *,
        key: str = "",
        timeout_s: float | None = None,
        inline_bytes: int = 0,
        trace: str = "",
        is_direct: bool = False,
        values: HeldValues | None = None,
        instance: str = "",
    ) -> C:
        """Send a new call; the connection has to be ready. Raises GatewayUnreachable."""
        now = self._loop.time()
        peer = self.peers.of(node, now)
        if not peer.calls:
            peer.waited_since = now
        if not peer.is_greeted:
            self._ping(peer, ())
        id_ = self._ids.pop() if self._ids else self._fresh_id()
        message = envelope.encode_call(
            Call(id_, self._token, arguments, timeout_s, key, inline_bytes, trace, is_direct, instance)
        )
        subject = f"fn.{node}.{self._client}.call.{function}"
        # A way back through the server costs it as much as the message itself. It is needed only where it
        # matters whether a call that nobody took was taken, and where it is not known that somebody is there.
        is_sure = peer.may_repeat(function) and now - peer.heard_at < _SURE_S
        if is_sure:
            self._connection.send_together(subject, message)
        else:
            self._connection.send(subject, message, reply=self._prefix + id_)
        call = kind(id_, peer, function, subject, message, now)
        call.values = values
        self._call_by_id[id_] = call
        peer.calls += 1
        if timeout_s is not None:
            call.timer = self._loop.call_later(timeout_s, self._expire, call, timeout_s)
        return call

    def _fresh_id(self) -> str:
        """A call id. Many are made at once: to ask the system for chance takes longer than all the rest."""
        digits = secrets.token_hex(_ID_DIGITS // 2 * _IDS_AT_ONCE)
        self._ids = [digits[start : start + _ID_DIGITS] for start in range(0, len(digits), _ID_DIGITS)]
        return self._ids.pop()

    def cancel(self, call: PendingCall) -> None:
        """Give a call up, and let its node know."""
        self.values.drop(call)
        if not call.is_over:
            self._forget(call)
            self._tell(call, "cancel", b"")

    def acknowledge(self, call: PendingCall) -> None:
        """Tell the node how many items were taken."""
        call.acknowledged, call.unacknowledged_bytes = call.taken, 0
        if not call.is_over:
            self._tell(call, "credit", str(call.taken).encode())

    def _tell_about_values(self, call: PendingCall, what: str, *pieces: bytes | memoryview) -> None:
        with contextlib.suppress(GatewayError):  # it is asked for again
            # Parts go as a stream: the server writes a header into whatever goes the way of a service.
            kind = "in" if what == "part" else "fn"
            subject = f"{kind}.{call.peer.node}.{self._client}.{what}.{call.id}"
            self._connection.send_pieces(subject, pieces)

    def _tell(self, call: PendingCall, what: str, data: bytes, reply: str = "") -> None:
        with contextlib.suppress(GatewayError):
            subject = f"fn.{call.peer.node}.{self._client}.{what}.{call.id}"
            self._connection.send(subject, data, reply=reply)

    def _forget(self, call: PendingCall) -> None:
        call.is_over = True
        self._call_by_id.pop(call.id, None)
        call.peer.calls -= 1
        if call.timer is not None:
            call.timer.cancel()

    def _give_up(self, call: PendingCall, error: EasyNetError) -> None:
        if not call.is_over:
            self.values.drop(call)
            self._forget(call)
            call.fail(error)

    def _expire(self, call: PendingCall, timeout_s: float) -> None:
        self.cancel(call)
        call.fail(CallTimeout(f"{call.peer.node}.{call.function} did not finish within {timeout_s:g} s"))

    def _refused(self, subject: str) -> None:
        """Give up the calls that the gateway does not let this client make."""
        for call in list(self._call_by_id.values()):
            if call.subject.lower() == subject:
                denied = AccessDenied(
                    f"this client may not call {call.peer.node}.{call.function}",
                    hint="The gateway's owner decides with `easynet invite client --functions ...`.",
                )
                self._give_up(call, denied)

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def _receive(self, subject: str, reply: str, data: bytes, nobody: bool) -> None:
        token = subject[len(self._prefix) :]
        call = self._call_by_id.get(token)
        if call is None:
            self._receive_other(token, data, nobody)
        elif nobody:
            self._nobody_took(call)
        else:
            self._read(call, data)

    def _nobody_took(self, call: PendingCall) -> None:
        """Give up a call that no node took, unless its node may be about to come back as this client is."""
        if self._loop.time() - self._returned_at < SETTLING_S:
            self._loop.call_later(_ASK_AGAIN_S, self._send_again, call)
        else:
            self._give_up(call, NotStarted(f"no node named {call.peer.node!r} is on this network"))

    def _send_again(self, call: PendingCall) -> None:
        if not call.is_over:
            with contextlib.suppress(GatewayError):
                self._connection.send(call.subject, call.message, reply=self._prefix + call.id)

    def _read(
        self, call: PendingCall, data: Any, read: Callable[[Any], Update] = envelope.decode_update
    ) -> None:
        try:
            update = read(data)
        except EasyNetError as error:
            self.cancel(call)
            call.fail(call.peer.explained(error))
            return
        call.peer.heard(self._loop.time())
        call.is_unsure = False
        self._take(call, update)

    def _receive_several(self, data: bytes) -> None:
        """Updates of several calls have arrived; a node that cannot say that well is left to its silence."""
        with contextlib.suppress(EasyNetError):
            for id_, frame in envelope.decode_pieces(data):
                if call := self._call_by_id.get(id_):
                    self._read(call, frame, envelope.update_of)

    def _take(self, call: PendingCall, update: Update) -> None:
        match update:
            case Result() | Failure():
                self._forget(call)
                call.finish(update)
            case Item(_, number):
                if number == call.received:
                    call.received += 1
                    call.is_repairing, call.repairs = False, 0
                    call.take(update)
                    if call.owes_acknowledgement:
                        self.acknowledge(call)
                elif number > call.received and not call.is_repairing:
                    self._repair(call)
            case End(items):
                if items > call.received:
                    self._repair(call)
                else:
                    self._forget(call)
                    call.finish(update)
            case Want() | Coming() | Known():
                self.values.hear(call, update)
            case Unknown(age_s):
                self._never_arrived(call, age_s)
            case Alive():
                pass
            case _:
                call.take(update)

    def _repair(self, call: PendingCall) -> None:
        """Ask for what is missing."""
        call.is_repairing = True
        call.repairs += 1
        if call.repairs > _MAX_REPAIRS:
            self.cancel(call)
            call.fail(BadFrame(f"the node {call.peer.node} leaves out items of a stream"))
        else:
            self._resume(call)

    def _receive_other(self, token: str, data: bytes, nobody: bool) -> None:
        if token == "updates":
            self._receive_several(data)
        elif token == "receipts":
            self._take_receipts(data)
        elif token.startswith(_PART):
            self.values.take(token.removeprefix(_PART), data)
        elif token.startswith(_RESUME):
            call = self._call_by_id.get(token.removeprefix(_RESUME))
            if call is not None and not nobody:  # a node that is not back yet is asked again
                self._read(call, data)
        elif nobody:
            # Calls to one that was never met are answered by the server in the same way, each for itself.
            # One that is not back yet is asked after its calls again.
            for peer in [p for p in self.peers.with_token(token) if p.once is not None and not p.is_unsure]:
                self._lose(peer, "is not on this network any more")
        else:
            with contextlib.suppress(EasyNetError):
                self._meet(token, envelope.decode_hello(data))

    def _meet(self, token: str, hello: envelope.Hello) -> None:
        """A node has said who it is; after a restart it knows nothing of what it was sent before."""
        same, before = self.peers.meet(token, hello, self._loop.time())
        for peer in before:
            self._lose(peer, "was started again")
        for id_ in hello.unknown:
            call = self._call_by_id.get(id_)
            if call is not None and call.peer in same:
                self._never_arrived(call, hello.age_s)

    def _never_arrived(self, call: PendingCall, age_s: float) -> None:
        """Send a call again that was lost on its way; one that may have run at another instance is over.

        No other instance can have got a call that is younger than the one that does not know it. `age_s` is
        how long that one has been there.
        """
        if age_s <= self._loop.time() - call.began_at:
            self._give_up(call, NodeUnreachable(f"the node {call.peer.node} was started again"))
            return
        self._send_again(call)

    # ── nodes ───────────────────────────────────────────────────────────────────────────────────

    def _ping(self, peer: Peer, calls: tuple[str, ...]) -> None:
        peer.is_greeted = True
        with contextlib.suppress(GatewayError):
            self._connection.send(
                f"fn.{peer.node}.{self._client}.alive.{self._token}",
                envelope.encode_ping(Ping(peer.token, versions.OWN, calls)),
                reply=self._prefix + peer.token,
            )

    def node_joined(self, node: NodeId) -> None:
        """A node may offer other functions than before, or be another instance."""
        self.peers.doubt(node)

    def needs(self, node: NodeId) -> bool:
        """Whether a node has calls of this client, or values of their results."""
        return bool(self.peers.in_flight(node) or self._givers(node))

    def _givers(self, node: NodeId) -> list[Peer]:
        return [peer for peer in self.values.givers() if peer.node == node]

    def node_gone(self, node: NodeId, *, but: str) -> None:
        """Give up the calls at a node that has left, except at the instance that is there now, if one is."""
        for peer in {*self.peers.named(node), *self._givers(node)}:
            if not but or peer.instance not in ("", but):
                self._lose(peer, "went away before it answered")

    def _lose(self, peer: Peer, what: str) -> None:
        self.peers.drop(peer)
        self.values.fail(NodeUnreachable(f"the node {peer.node} {what}"), peer)
        if peer.calls:
            for call in [c for c in self._call_by_id.values() if c.peer is peer]:
                self._give_up(call, NodeUnreachable(f"the node {peer.node} {what}"))

    # ── a lost connection ───────────────────────────────────────────────────────────────────────

    def connection_lost(self) -> None:
        """Give the connection some time to come back."""
        self._lost_at = self._loop.time()
        if self._recovery is not None:
            self._recovery.cancel()

    def connection_back(self) -> None:
        """Ask after the calls in flight: neither side knows what the other one got."""
        self._lost_at = None
        now = self._returned_at = self._loop.time()
        self.peers.doubt_all(now)
        self.values.ask_again()
        for call in self._call_by_id.values():
            call.is_unsure, call.is_repairing = True, False
        if self._call_by_id:
            self._recovery = asyncio.create_task(self._recover(now))

    async def _recover(self, since: float) -> None:
        """Ask until every node has answered, or is long overdue."""
        while unsure := [call for call in self._call_by_id.values() if call.is_unsure]:
            is_late = self._loop.time() - since > SILENCE_S
            for call in unsure:
                if is_late:
                    gone = f"the node {call.peer.node} did not come back after the connection broke"
                    self._give_up(call, NodeUnreachable(gone))
                else:
                    self._resume(call)
            await asyncio.sleep(_ASK_AGAIN_S)

    def _resume(self, call: PendingCall) -> None:
        question = envelope.encode_resume(Resume(self._token, call.received))
        self._tell(call, "resume", question, f"{self._prefix}{_RESUME}{call.id}")

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    async def _watch_on(self) -> None:
        """Speak to the nodes that have calls; give up calls whose node or gateway was silent for too long."""
        checked_at = pinged_at = self._loop.time()
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            now = self._loop.time()
            if (late_s := now - checked_at - _CHECK_EVERY_S) > _CHECK_EVERY_S:
                # This process itself stood still, and what was said meanwhile has not been read yet.
                for peer in self.peers.all():
                    peer.heard_at += late_s
                    peer.waited_since += late_s
            checked_at = now
            if self._lost_at is not None:
                self._wait_for_gateway(now - self._lost_at)
                continue
            for peer in self.peers.all():
                if peer.calls and now - max(peer.heard_at, peer.waited_since) > SILENCE_S:
                    self._lose(peer, f"has said nothing for {SILENCE_S:g} s")
            self.values.check()
            if now - pinged_at >= _PING_EVERY_S:
                self._ping_all(now - _PING_EVERY_S)
                pinged_at = now

    def _ping_all(self, before: float) -> None:
        old: dict[Peer, list[str]] = {p: [] for p in self.peers.all() if p.calls}
        for call in self._call_by_id.values():
            if call.began_at < before and call.peer in old:
                old[call.peer].append(call.id)
        for peer, calls in old.items():
            self._ping(peer, tuple(calls))

    def _wait_for_gateway(self, lost_s: float) -> None:
        if self._connection.denied:
            error: EasyNetError = AccessDenied(
                f"the gateway let this client in no more: {self._connection.denied}"
            )
        elif lost_s > CUT_OFF_S:
            error = GatewayUnreachable(f"the gateway at {self._connection.address} went away")
        else:
            return
        for call in list(self._call_by_id.values()):
            self._give_up(call, error)
        self.values.fail(error)
