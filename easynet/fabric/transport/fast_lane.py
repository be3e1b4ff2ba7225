"""Messages past what nats-py does for each of them; the one place that reaches into its private parts.

Publishing through nats-py wakes a task for the socket, and receiving makes an object, reads its headers and
wakes another task. Here a message is appended to what nats-py will write anyway, all messages of one turn of
the loop are written together, and whoever listens is called where the message is read. Measured: half of
what a small call costs.
"""

# pyright: reportPrivateUsage=false

import asyncio
import logging
import time
from collections.abc import Callable, Sequence, Sized
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import StaleConnectionError, UnexpectedEOF

from easynet.fabric.transport.nats_transport import BufferedTransport, Unread

Receive = Callable[[str, str, bytes, bool], None]
"""Takes a message: its subject, the subject for an answer, the content, and whether it is the server's word
that nobody serves the subject."""

ReceiveView = Callable[[str, str, memoryview, bool], None]
"""As `Receive`, but the content is gone when it returns."""

_MAX_UNWRITTEN_BYTES: Final = 1024 * 1024
"""With more than this in the socket's buffer, nats-py's own task writes, which waits for the socket."""
_MAX_TOGETHER: Final = 32
"""Pieces in one message. Measured: of 64 calls in flight, two messages keep both sides busy, one does not."""
_MAX_TOGETHER_BYTES: Final = 64 * 1024
_NO_RESPONDERS: Final = b"NATS/1.0 503"

_log = logging.getLogger(__name__)


class UnqueuedClient(Client):
    """A client of NATS that hands the messages of some subscriptions over at once."""

    def __init__(self) -> None:
        super().__init__()
        self.receive_by_id: dict[int, Callable[[str, str, Any, bool], None]] = {}
        self.uncopied: set[int] = set()
        """The ids of subscriptions whose messages are handed over as views."""

    async def _connect_to_server(self, s: Any) -> None:
        s.last_attempt = time.monotonic()
        if isinstance(self._transport, BufferedTransport):
            self._transport.abort()
        transport = self._transport = BufferedTransport()
        await transport.connect(s.uri, buffer_size=0, connect_timeout=self.options["connect_timeout"])

    async def _process_op_err(self, e: Exception) -> None:
        stands_still = isinstance(e, StaleConnectionError) and not isinstance(e, UnexpectedEOF)
        if stands_still and self._reconnect_to_server_handler is None:
            # It still takes connections, and would cost each of them its time: the others are tried first.
            self._server_pool.sort(key=lambda server: server is self._current_server)
        await super()._process_op_err(e)

    async def _attempt_reconnect(self) -> None:
        # A server that stands still does not answer the end of TLS, for which asyncio waits half a minute.
        if isinstance(self._transport, BufferedTransport):
            self._transport.abort()
        await super()._attempt_reconnect()

    async def _read_loop(self) -> None:
        transport = self._transport
        assert isinstance(transport, BufferedTransport)
        transport.unread.hand_over = self._take_own
        while not self.is_closed and not self.is_reconnecting:
            try:
                await self._take_all(transport.unread)
                if transport.unread.is_over:
                    ended = UnexpectedEOF()
                    await self._error_cb(ended)
                    await self._process_op_err(ended)
                    break
                await transport.unread.more()
            except asyncio.CancelledError:
                break
            # Whatever it is: a connection that nobody reads would look alive.
            except Exception as error:
                if not isinstance(error, OSError):
                    _log.exception("what the server said could not be read")
                await self._process_op_err(error)
                break

    async def _take_all(self, unread: Unread) -> None:
        """Hand over all messages that are there; what else the server says is for nats-py to read."""
        while not self._take_own(unread):
            operation = unread.operation()
            assert operation is not None, "something is there that was not taken"
            whole = bytes(unread.view(unread.begin, operation[2]))
            unread.take(operation[2])
            await self._ps.parse(whole)

    def _take_own(self, unread: Unread) -> bool:
        """Hand over the messages that come next; says whether that is all there is."""
        while (operation := unread.operation()) is not None:
            words, content, after = operation
            id_ = int(words[2]) if words else 0
            receive = self.receive_by_id.get(id_)
            if receive is None:
                return False
            nobody = False
            has_reply = len(words) == 5
            if words[0] == "HMSG":
                end_of_head = content + int(words[-2])
                nobody = end_of_head + 2 == after and unread.buffer.startswith(_NO_RESPONDERS, content)
                content, has_reply = end_of_head, len(words) == 6
            view = unread.view(content, after - 2)
            data: bytes | memoryview = view if id_ in self.uncopied else bytes(view)
            unread.take(after)
            try:
                receive(words[1], words[3] if has_reply else "", data, nobody)
            # An error here would end the reading, and with it the connection.
            except Exception:
                _log.exception("a message on %r could not be dealt with", words[1])
        return True


class FastLane:
    """Sends and receives small messages on a connection of nats-py, in order with its own."""

    def __init__(self, client: UnqueuedClient) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._is_due = False
        self._pieces_by_subject: dict[str, list[bytes]] = {}
        self._pieces_bytes = 0
        # The handles that asyncio's own loops run next; other loops keep theirs elsewhere.
        self._next: Sized | None = getattr(self._loop, "_ready", None)

    @property
    def unsent_bytes(self) -> int:
        """What has not been given to the socket yet."""
        return self._client._pending_data_size + self._pieces_bytes

    def send(self, subject: str, data: bytes, reply: str) -> None:
        """Have a message written in this turn of the loop, or once the connection is back."""
        self.put_together()  # what was said before goes before
        self._append(subject, data, reply)
        self._see_to_writing()

    def send_pieces(self, subject: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Have a large message written whose pieces are not copied before."""
        if self._pieces_by_subject:
            self.put_together()
        size = sum(map(len, pieces))
        command: list[Any] = [f"PUB {subject}  {size}\r\n".encode(), *pieces, b"\r\n"]
        self._client._pending += command
        self._client._pending_data_size += size
        self._see_to_writing()

    def send_together(self, subject: str, piece: bytes) -> None:
        """Have a piece written in this turn, in one message with others to the same subject.

        Measured: with many calls in flight, a message for each is half of what it all costs.
        """
        pieces = self._pieces_by_subject.get(subject)
        if pieces is None:
            pieces = self._pieces_by_subject[subject] = []
        pieces.append(piece)
        self._pieces_bytes += len(piece)
        if len(pieces) == _MAX_TOGETHER or self._pieces_bytes > _MAX_TOGETHER_BYTES:
            self._write()  # the other side has enough to begin with, while this one goes on
        else:
            self._see_to_writing()

    def put_together(self) -> None:
        """Have the pieces until now go before all that nats-py is given from now on."""
        if not self._pieces_by_subject:
            return
        pieces_by_subject, self._pieces_by_subject, self._pieces_bytes = self._pieces_by_subject, {}, 0
        for subject, pieces in pieces_by_subject.items():
            self._append(subject, b"".join(pieces), "")

    def _append(self, subject: str, data: bytes, reply: str) -> None:
        command = f"PUB {subject} {reply} {len(data)}\r\n".encode() + data + b"\r\n"
        self._client._pending.append(command)
        self._client._pending_data_size += len(command)

    def _see_to_writing(self) -> None:
        if self._next is not None and not self._next:
            self._write()  # nothing else is about to happen that could send something
        elif not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._write_soon)

    def _write_soon(self) -> None:
        self._is_due = False
        self._write()

    def _write(self) -> None:
        self.put_together()
        client = self._client
        if not client._pending or not client.is_connected:
            return  # nats-py writes it once it is connected again
        transport: Any = client._transport
        if transport.unwritten_bytes > _MAX_UNWRITTEN_BYTES:
            if client._flush_queue is not None and client._flush_queue.empty():
                client._flush_queue.put_nowait(self._loop.create_future())
            return
        pending, client._pending, client._pending_data_size = client._pending, [], 0
        transport.writelines(pending)

    async def listen(self, subject: str, receive: Receive) -> Subscription:
        """Call `receive` with every message on `subject`, as it is read from the socket."""
        # The future keeps nats-py from starting a task that would wait for messages in vain.
        subscription = await self._client.subscribe(subject, future=self._loop.create_future())
        self._client.receive_by_id[subscription._id] = receive
        return subscription

    async def listen_views(self, subject: str, receive: ReceiveView) -> Subscription:
        """As `listen`, for messages so large that copying them matters."""
        subscription = await self._client.subscribe(subject, future=self._loop.create_future())
        self._client.uncopied.add(subscription._id)
        self._client.receive_by_id[subscription._id] = receive
        return subscription
