"""A client's calls in flight, and what it says of them to their nodes."""

import asyncio
import contextlib
import math
import secrets
from typing import Final, TypeVar

from easynet.core.errors import (
    CallTimeout,
    EasyNetError,
    GatewayError,
    GatewayUnreachable,
    NodeUnreachable,
    NotStarted,
)
from easynet.core.ids import NodeId
from easynet.fabric.calling.client_values import ClientValues
from easynet.fabric.calling.explanations import not_allowed
from easynet.fabric.calling.peer import Peer
from easynet.fabric.calling.peers import SETTLING_S, Peers
from easynet.fabric.calling.pending_call import PendingCall
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire import versions
from easynet.fabric.wire.calls import Call, PrivateTo, Resume, encode_call, encode_resume
from easynet.fabric.wire.greetings import Ping, encode_ping

RESUMED: Final = "resume-"
"""Begins the last part of the subject on which a node says how a call goes that was asked after."""
_SURE_S: Final = 5.0
"""A node that was heard within this time is there, unless the gateway has said otherwise."""
_ASK_AGAIN_S: Final = 0.25
_ID_DIGITS: Final = 24
_IDS_AT_ONCE: Final = 64

C = TypeVar("C", bound=PendingCall)


class Outbox:
    """Sends calls, and remembers them until their end is known."""

    def __init__(self, connection: Connection, transfer: Transfer) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._client = ""
        self._ids: list[str] = []
        self.token = secrets.token_hex(16)
        """Names the client's inbox, where the nodes answer."""
        self.prefix = ""
        """Of the subjects on which they do."""
        self.call_by_id: dict[str, PendingCall] = {}
        self.peers = Peers()
        self.values = ClientValues(transfer, self.token, self._tell_about_values)
        self.is_closed = False

    def open(self) -> None:
        """The connection is there, and with it the name under which this client calls."""
        self._client = self._connection.member
        self.prefix = f"re.{self._client}.{self.token}."
        self._connection.on_refusal = self._refused

    async def close(self) -> None:
        """Cancel every call."""
        self.is_closed = True
        for call in list(self.call_by_id.values()):
            self.cancel(call)
            call.fail(GatewayUnreachable("the client was closed"))
        self.values.fail(GatewayUnreachable("the client was closed"))
        await self.values.close()

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
        private_to: PrivateTo = "",
    ) -> C:
        """Send a new call; the connection has to be ready. Raises GatewayUnreachable or CallTimeout."""
        if timeout_s is not None:
            timeout_s = _checked_timeout(timeout_s, f"{node}.{function}")
        now = self._loop.time()
        peer = self.peers.of(node, now)
        if not peer.calls:
            peer.waited_since = now
        if not peer.is_greeted:
            self.ping(peer)
        id_ = self._ids.pop() if self._ids else self._fresh_id()
        message = encode_call(
            Call(
                id_,
                self.token,
                arguments,
                timeout_s,
                key,
                inline_bytes,
                trace,
                is_direct,
                instance,
                private_to,
            )
        )
        subject = f"fn.{node}.{self._client}.call.{function}"
        # A way back through the server costs it as much as the message itself. It is needed only where it
        # matters whether a call that nobody took was taken, and where it is not known that somebody is there.
        if now - peer.heard_at < _SURE_S and peer.may_repeat(function):
            self._connection.send_together(subject, message)
        else:
            self._connection.send(subject, message, reply=self.prefix + id_)
        call = kind(id_, peer, function, subject, message, now)
        call.values = values
        self.call_by_id[id_] = call
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
        """Give a call up, and let its node know. Does nothing where it is over."""
        self.values.drop(call)
        if not call.is_over:
            self.forget(call)
            self._tell(call, "cancel", b"")

    def abandon(self, call: PendingCall, error: EasyNetError) -> None:
        """End a call for its caller, and leave it to go on at its node."""
        if not call.is_over:
            self.values.drop(call)
            self.forget(call)
            call.fail(error)

    def abandon_all(self, error: EasyNetError, *, at: Peer | None = None) -> None:
        """End every call so, or every one at a node."""
        self.values.fail(error, at)
        if at is None or at.calls:
            for call in [c for c in self.call_by_id.values() if at is None or c.peer is at]:
                self.abandon(call, error)

    def forget(self, call: PendingCall) -> None:
        """The call is over, whatever became of it."""
        call.is_over = True
        self.call_by_id.pop(call.id, None)
        call.peer.calls -= 1
        if call.timer is not None:
            call.timer.cancel()

    def _expire(self, call: PendingCall, timeout_s: float) -> None:
        self.cancel(call)
        call.fail(CallTimeout(f"{call.peer.node}.{call.function} did not finish within {timeout_s:g} s"))

    def _refused(self, subject: str) -> None:
        """Give up the calls that the gateway does not let this client make."""
        for call in list(self.call_by_id.values()):
            if call.subject.lower() == subject:
                self.abandon(call, not_allowed(self._client, f"{call.peer.node}.{call.function}"))

    # ── what the nodes are told ─────────────────────────────────────────────────────────────────

    def acknowledge(self, call: PendingCall) -> None:
        """Tell the node how many items were taken."""
        call.acknowledged, call.unacknowledged_bytes = call.taken, 0
        if not call.is_over:
            self._tell(call, "credit", str(call.taken).encode())

    def resume(self, call: PendingCall) -> None:
        """Ask the node how the call goes, and for the items that have not arrived."""
        question = encode_resume(Resume(self.token, call.received))
        self._tell(call, "resume", question, f"{self.prefix}{RESUMED}{call.id}")

    def nobody_took(self, call: PendingCall) -> None:
        """Give up a call that no node took, unless its node may be about to come back as this client is."""
        if self._loop.time() - self.peers.back_at < SETTLING_S:
            self._loop.call_later(_ASK_AGAIN_S, self.send_again, call)
        else:
            self.abandon(call, NotStarted(f"no node named {call.peer.node!r} is on this network"))

    def send_again(self, call: PendingCall) -> None:
        """Send a call that was lost on its way, unless it is over by now."""
        if call.is_over:
            return
        with contextlib.suppress(GatewayError):
            self._connection.send(call.subject, call.message, reply=self.prefix + call.id)

    def ping(self, peer: Peer, calls: tuple[str, ...] = ()) -> None:
        """Tell a node who this client is, and that it waits for these calls."""
        peer.is_greeted = True
        with contextlib.suppress(GatewayError):
            self._connection.send(
                f"fn.{peer.node}.{self._client}.alive.{self.token}",
                encode_ping(Ping(peer.token, versions.OWN, calls)),
                reply=self.prefix + peer.token,
            )

    def peers_of(self, node: NodeId) -> set[Peer]:
        """All that a node was and is, those included that only owe values of results."""
        return {*self.peers.named(node), *(peer for peer in self.values.givers() if peer.node == node)}

    def waits_for(self, node: NodeId) -> bool:
        """Whether a node has calls of this client, or values of their results."""
        return bool(self.peers.in_flight(node)) or any(p.node == node for p in self.values.givers())

    def lose(self, peer: Peer, what: str) -> None:
        """A node has gone: it `what`."""
        self.peers.drop(peer)
        self.abandon_all(NodeUnreachable(f"the node {peer.node} {what}"), at=peer)

    def _tell(self, call: PendingCall, what: str, data: bytes, reply: str = "") -> None:
        with contextlib.suppress(GatewayError):
            subject = f"fn.{call.peer.node}.{self._client}.{what}.{call.id}"
            self._connection.send(subject, data, reply=reply)

    def _tell_about_values(self, call: PendingCall, what: str, *pieces: bytes | memoryview) -> None:
        with contextlib.suppress(GatewayError):  # it is asked for again
            # Parts go as a stream: the server writes a header into whatever goes the way of a service.
            kind = "in" if what == "part" else "fn"
            subject = f"{kind}.{call.peer.node}.{self._client}.{what}.{call.id}"
            self._connection.send_pieces(subject, pieces)


def _checked_timeout(timeout_s: float, whom: str) -> float | None:
    """A time as it can be told to a node, None where it is endless; raises CallTimeout where none is left."""
    if not timeout_s > 0:
        raise CallTimeout(f"{whom} was not called: {timeout_s:g} s were left for it")
    return timeout_s if math.isfinite(timeout_s) else None
