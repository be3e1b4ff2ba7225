"""A client's calls in flight: one subscription for all of them, told apart by their ids."""

import asyncio
import contextlib
import secrets
from collections import Counter, deque
from collections.abc import AsyncGenerator
from typing import Final

from easynet.core.errors import (
    BadFrame,
    CallTimeout,
    EasyNetError,
    GatewayUnreachable,
    NodeUnreachable,
    NotStarted,
)
from easynet.core.ids import NodeId
from easynet.fabric import envelope
from easynet.fabric.connection import RECONNECT_S, Connection, Message, is_no_responders
from easynet.fabric.envelope import Call, End, Failure, Item, Result, Update

SILENCE_S: Final = 10.0
"""A node that says nothing for so long is gone; it speaks every two seconds."""
_CHECK_EVERY_S: Final = 1.0
_CREDIT_EVERY: Final = 16


class _PendingCall:
    """One call, as its caller waits for it."""

    __slots__ = ("consumed", "error", "heard_at", "id", "node", "subject", "updates", "waiter")

    def __init__(self, node: NodeId, subject: str, id_: str, now: float) -> None:
        self.node = node
        self.subject = subject
        self.id = id_
        self.heard_at = now
        self.updates: deque[Update] = deque()
        self.error: EasyNetError | None = None
        self.waiter: asyncio.Future[None] | None = None
        self.consumed = 0

    def take(self, update: Update, now: float) -> None:
        self.heard_at = now
        self.updates.append(update)
        self._wake()

    def fail(self, error: EasyNetError) -> None:
        if self.error is None:
            self.error = error
        self._wake()

    def _wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


class Inbox:
    """Where the updates of a client's calls arrive."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._token = secrets.token_urlsafe(18)
        self._call_by_id: dict[str, _PendingCall] = {}
        self._count_by_node: Counter[NodeId] = Counter()
        self._loop = asyncio.get_running_loop()
        self._watch: asyncio.Task[None] | None = None
        self._lost_at: float | None = None

    async def open(self) -> None:
        """Receive from now on."""
        await self._connection.subscribe(f"re.{self._token}.*", self._receive)
        self._watch = asyncio.create_task(self._watch_on())

    async def close(self) -> None:
        """Cancel every call."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for call in list(self._call_by_id.values()):
            with contextlib.suppress(GatewayUnreachable):
                await self._cancel(call)
        self._fail_all(GatewayUnreachable("the client was closed"))

    def in_flight(self, node: NodeId) -> int:
        """How many calls this client has at a node."""
        return self._count_by_node[node]

    def node_gone(self, node: NodeId) -> None:
        """Give up the calls at a node that the gateway has seen leave."""
        for call in self._call_by_id.values():
            if call.node == node:
                call.fail(NodeUnreachable(f"the node {node} went away before it answered"))

    def connection_lost(self) -> None:
        """Give the connection a few seconds to come back."""
        self._lost_at = self._loop.time()

    def connection_back(self) -> None:
        """Go on waiting."""
        self._lost_at = None

    async def call(
        self, node: NodeId, function: str, arguments: bytes, *, key: str = "", timeout_s: float | None = None
    ) -> AsyncGenerator[Update]:
        """The updates of a new call, up to and including the one that ends it.

        Closing the generator before that cancels the call. Raises NotStarted where nobody took the call,
        NodeUnreachable, GatewayUnreachable or CallTimeout.
        """
        await self._connection.wait_connected()
        id_ = secrets.token_hex(16)
        subject = f"fn.{node}.{function}"
        message = envelope.encode_call(Call(id_, self._token, function, arguments, timeout_s, key))
        pending = self._call_by_id[id_] = _PendingCall(node, subject, id_, self._loop.time())
        self._count_by_node[node] += 1
        timer = None
        if timeout_s is not None:
            late = CallTimeout(f"{node}.{function} did not finish within {timeout_s:g} s")
            timer = self._loop.call_later(timeout_s, pending.fail, late)
        ended = False
        try:
            await self._connection.publish(subject, message, reply=f"re.{self._token}.{id_}")
            while not ended:
                update = await self._next(pending)
                ended = isinstance(update, Result | End | Failure)
                yield update
        except (NodeUnreachable, GatewayUnreachable):
            ended = True
            raise
        finally:
            del self._call_by_id[id_]
            self._count_by_node[node] -= 1
            if timer is not None:
                timer.cancel()
            if not ended:
                await self._cancel(pending)

    async def _cancel(self, pending: _PendingCall) -> None:
        if self._connection.is_connected:
            await self._connection.publish(f"fn.{pending.node}.cancel.{pending.id}", b"")

    async def _next(self, pending: _PendingCall) -> Update:
        while not pending.updates:
            if pending.error is not None:
                raise pending.error
            pending.waiter = self._loop.create_future()
            await pending.waiter
        update = pending.updates.popleft()
        if isinstance(update, Item):
            pending.consumed += 1
            if pending.consumed % _CREDIT_EVERY == 0:
                subject = f"fn.{pending.node}.credit.{pending.id}"
                await self._connection.publish(subject, str(pending.consumed).encode())
        return update

    async def _receive(self, message: Message) -> None:
        pending = self._call_by_id.get(message.subject.rsplit(".", 1)[1])
        if pending is None:
            return  # given up already
        if is_no_responders(message):
            pending.fail(NotStarted(f"no node named {pending.node!r} is on this network"))
            return
        try:
            pending.take(envelope.decode_update(message.data), self._loop.time())
        except BadFrame as error:
            pending.fail(error)

    async def _watch_on(self) -> None:
        """Give up calls whose node, or whose gateway, has been silent for too long."""
        checked_at = self._loop.time()
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            now = self._loop.time()
            if (late_s := now - checked_at - _CHECK_EVERY_S) > _CHECK_EVERY_S:
                # This process itself stood still, and what was said meanwhile has not been read yet.
                for call in self._call_by_id.values():
                    call.heard_at += late_s
            checked_at = now
            if self._lost_at is not None and now - self._lost_at > RECONNECT_S:
                self._fail_all(GatewayUnreachable(f"the gateway at {self._connection.address} went away"))
            for call in self._call_by_id.values():
                if now - call.heard_at > SILENCE_S:
                    call.fail(NodeUnreachable(f"the node {call.node} has said nothing for {SILENCE_S:g} s"))

    def _fail_all(self, error: EasyNetError) -> None:
        for call in self._call_by_id.values():
            call.fail(error)
