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
from nats.aio.transport import TcpTransport

Receive = Callable[[str, str, bytes, bool], None]
"""Takes a message: its subject, the subject for an answer, the content, and whether it is the server's word
that nobody serves the subject."""

_MAX_UNWRITTEN_BYTES: Final = 1024 * 1024
"""With more than this in the socket's buffer, nats-py's own task writes, which waits for the socket."""
_READ_BYTES: Final = 256 * 1024
_MAX_TOGETHER: Final = 128
_MAX_TOGETHER_BYTES: Final = 64 * 1024
_NO_RESPONDERS: Final = b"NATS/1.0 503"

_log = logging.getLogger(__name__)


class UnqueuedClient(Client):
    """A client of NATS that hands the messages of some subscriptions over at once."""

    def __init__(self) -> None:
        super().__init__()
        self.receive_by_id: dict[int, Receive] = {}

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: Any) -> None:
        receive = self.receive_by_id.get(sid)
        if receive is None:
            await super()._process_msg(sid, subject, reply, data, headers)
            return
        try:
            nobody = bool(headers) and not data and headers.startswith(_NO_RESPONDERS)
            receive(subject.decode(), reply.decode(), data, nobody)
        # An error here would end the reading, and with it the connection.
        except Exception:
            _log.exception("a message on %r could not be dealt with", subject)

    async def _connect_to_server(self, s: Any) -> None:
        s.last_attempt = time.monotonic()
        if not self._transport:
            self._transport = _WideTransport()  # type: ignore[no-untyped-call]  # as nats-py leaves it
        timeout_s = self.options["connect_timeout"]
        await self._transport.connect(s.uri, buffer_size=_READ_BYTES, connect_timeout=timeout_s)

    async def _attempt_reconnect(self) -> None:
        # A server that stands still does not answer the end of TLS, for which asyncio waits half a minute.
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()
        await super()._attempt_reconnect()


class _WideTransport(TcpTransport):
    """Reads as much at once as the event loop takes from a socket.

    Measured: large messages cost their receiver half of what they do with the 32 KiB of nats-py.
    """

    async def read(self, buffer_size: int) -> bytes:
        return bytes(await super().read(_READ_BYTES))


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
        if transport._io_writer.transport.get_write_buffer_size() > _MAX_UNWRITTEN_BYTES:
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
