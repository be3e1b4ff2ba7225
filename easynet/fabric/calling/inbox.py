"""Where the updates of a client's calls arrive: one subscription for all of them, told apart by their ids."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from easynet.core.errors import BadFrame, EasyNetError, NodeUnreachable
from easynet.fabric.calling.outbox import RESUMED, Outbox
from easynet.fabric.calling.pending_call import PendingCall
from easynet.fabric.transport.connection import Connection
from easynet.fabric.wire.greetings import Hello, decode_hello
from easynet.fabric.wire.large_values import Coming, Known, Want
from easynet.fabric.wire.updates import (
    Alive,
    End,
    Failure,
    Item,
    Result,
    Unknown,
    Update,
    decode_pieces,
    decode_update,
    update_of,
)

_MAX_REPAIRS: Final = 10


class Inbox:
    """Hands what nodes say to the calls that it is about."""

    def __init__(
        self, connection: Connection, outbox: Outbox, take_receipts: Callable[[bytes], object]
    ) -> None:
        self._connection = connection
        self._outbox = outbox
        self._call_by_id = outbox.call_by_id
        self._take_receipts = take_receipts
        self._loop = asyncio.get_running_loop()
        self._prefix_characters = 0

    async def open(self) -> None:
        """Receive from now on."""
        prefix = self._outbox.prefix
        self._prefix_characters = len(prefix)
        await self._connection.listen(f"{prefix}*", self._receive)
        await self._connection.listen_views(f"{prefix}part.*", self._receive_part)

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def _receive(self, subject: str, reply: str, data: bytes, nobody: bool) -> None:
        token = subject[self._prefix_characters :]
        if token == "updates":
            self._receive_several(data)
        elif (call := self._call_by_id.get(token)) is None:
            self._receive_other(token, data, nobody)
        elif nobody:
            self._outbox.nobody_took(call)
        else:
            self._read(call, data, decode_update)

    def _receive_several(self, data: bytes) -> None:
        """Updates of several calls have arrived; a node that cannot say that well is left to its silence."""
        try:
            pieces = decode_pieces(data)
        except EasyNetError:
            return
        for id_, frame in pieces:
            if (call := self._call_by_id.get(id_)) is not None:
                self._read(call, frame, update_of)

    def _receive_part(self, subject: str, reply: str, data: memoryview, nobody: bool) -> None:
        self._outbox.values.take(subject.rsplit(".", 1)[1], data)

    def _receive_other(self, token: str, data: bytes, nobody: bool) -> None:
        if token == "receipts":
            self._take_receipts(data)
        elif token.startswith(RESUMED):
            call = self._call_by_id.get(token.removeprefix(RESUMED))
            if call is not None and not nobody:  # a node that is not back yet is asked again
                self._read(call, data, decode_update)
        elif nobody:
            # Calls to one that was never met are answered by the server in the same way, each for itself.
            # One that is not back yet is asked after its calls again.
            for peer in self._outbox.peers.with_token(token):
                if peer.once is not None and not peer.is_unsure:
                    self._outbox.lose(peer, "is not on this network any more")
        else:
            with contextlib.suppress(EasyNetError):
                self._meet(token, decode_hello(data))

    # ── updates ─────────────────────────────────────────────────────────────────────────────────

    def _read(self, call: PendingCall, data: Any, read: Callable[[Any], Update]) -> None:
        try:
            update = read(data)
        except EasyNetError as error:
            self._outbox.cancel(call)
            call.fail(call.peer.explained(error))
            return
        call.peer.heard(self._loop.time())
        call.is_unsure = False
        if type(update) is Result or type(update) is Failure:
            self._outbox.forget(call)
            call.finish(update)
        else:
            self._take(call, update)

    def _take(self, call: PendingCall, update: Update) -> None:
        match update:
            case Item():
                self._take_item(call, update)
            case End(items):
                if items > call.received:
                    self._repair(call)
                else:
                    self._outbox.forget(call)
                    call.finish(update)
            case Want() | Coming() | Known():
                self._outbox.values.hear(call, update)
            case Unknown(age_s):
                self._never_arrived(call, age_s)
            case Alive():
                pass
            case _:
                call.take(update)

    def _take_item(self, call: PendingCall, item: Item) -> None:
        if item.number == call.received:
            call.received += 1
            call.is_repairing, call.repairs = False, 0
            call.take(item)
            if call.owes_acknowledgement:
                self._outbox.acknowledge(call)
        elif item.number > call.received and not call.is_repairing:
            self._repair(call)

    def _repair(self, call: PendingCall) -> None:
        """Ask for what is missing."""
        call.is_repairing = True
        call.repairs += 1
        if call.repairs > _MAX_REPAIRS:
            self._outbox.cancel(call)
            call.fail(BadFrame(f"the node {call.peer.node} leaves out items of a stream"))
        else:
            self._outbox.resume(call)

    # ── nodes ───────────────────────────────────────────────────────────────────────────────────

    def _meet(self, token: str, hello: Hello) -> None:
        """A node has said who it is; after a restart it knows nothing of what it was sent before."""
        same, before = self._outbox.peers.meet(token, hello, self._loop.time())
        for peer in before:
            self._outbox.lose(peer, "was started again")
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
            gone = f"the node {call.peer.node} was started again"
            self._outbox.abandon(call, NodeUnreachable(gone))
        else:
            self._outbox.send_again(call)
