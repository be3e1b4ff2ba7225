"""What nats-py reads from and writes to, without its copying.

nats-py's own way from the socket to a message makes five copies of it, and asks the system for the memory of
each. Measured: a process that receives large messages spends four times as long on that.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import ParseResult

from nats.aio.transport import Transport
from nats.errors import ProtocolError

_BUFFER_BYTES: Final = 1024 * 1024
"""Not in memory before it is used."""
_ROOM_BYTES: Final = 64 * 1024
"""The least that is read at once."""
_MAX_UNREAD_BYTES: Final = 16 * 1024 * 1024
"""With more than this unread, nothing is taken from the socket; the largest message takes half."""


_MAX_LINE_BYTES: Final = 64 * 1024
_MESSAGES: Final = b"MH"
"""What MSG and HMSG begin with, and nothing else that a server says."""


class Unread(asyncio.BufferedProtocol):
    """What has come from the socket and was not taken: `buffer` from `begin` to `end`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.buffer = bytearray(_BUFFER_BYTES)
        self.begin = self.end = 0
        self.is_over = False
        """Whether nothing more will come."""
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._view = memoryview(self.buffer)
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._has_come = False
        self.hand_over: Callable[[Unread], bool] | None = None
        """Takes what it can of what has come while the reader waits; says whether that is all."""
        self._transport: Any = None
        self._is_paused = False
        self._may_write: asyncio.Future[None] | None = None

    # ── called by asyncio ───────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        if len(self.buffer) - self.end < _ROOM_BYTES:
            self._make_room()
        return self._view[self.end :]

    def buffer_updated(self, nbytes: int) -> None:
        self.end += nbytes
        if self.end - self.begin > _MAX_UNREAD_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._has_come = True
        if self._waiter is None or self._waiter.done():
            return
        # Waking the reader takes a turn of the loop, for each message that comes alone. Measured: 7 % of what
        # a small call costs.
        try:
            is_all = self.hand_over is not None and self.hand_over(self)
        except ProtocolError:
            is_all = False  # the reader meets it, too
        if not is_all:
            self._wake()

    def eof_received(self) -> bool:
        self.is_over = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True
        self._error = exc
        self.resume_writing()
        if not self.closed.done():
            self.closed.set_result(None)
        self._wake()

    def pause_writing(self) -> None:
        self._may_write = self._may_write or self._loop.create_future()

    def resume_writing(self) -> None:
        waiter, self._may_write = self._may_write, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # ── called by the reader ────────────────────────────────────────────────────────────────────

    def adopt(self, transport: asyncio.BaseTransport) -> None:
        """Read from another transport from now on."""
        self._transport = transport

    def operation(self) -> tuple[list[str], int, int] | None:
        """The next thing that the server says: its words where it is a message, where its content begins, and
        where all of it ends. None where it is not all there; raises ProtocolError."""
        line_end = self.buffer.find(b"\r\n", self.begin, self.end)
        if line_end < 0:
            if self.end - self.begin > _MAX_LINE_BYTES:
                raise ProtocolError
            return None
        content = after = line_end + 2
        words: list[str] = []
        if self.buffer[self.begin] in _MESSAGES:
            words = str(self._view[self.begin : line_end], "utf-8", "replace").split(" ")
            if len(words) < 4 or not (words[2] + words[-1]).isdecimal():
                raise ProtocolError
            after += int(words[-1]) + 2
        return (words, content, after) if after <= self.end else None

    def view(self, begin: int, end: int) -> memoryview:
        """Some of it; valid until the reader waits."""
        return self._view[begin:end]

    def take(self, end: int) -> None:
        """Everything before `end` is done with."""
        self.begin = end
        if self.begin == self.end:
            self.begin = self.end = 0
            if len(self.buffer) > 4 * _BUFFER_BYTES:
                self._resize(_BUFFER_BYTES)
        if self._is_paused and self.end - self.begin <= _MAX_UNREAD_BYTES // 2:
            self._is_paused = False
            self._transport.resume_reading()

    async def more(self) -> None:
        """Wait until more has come, or nothing more will; raises what broke the connection."""
        self._has_come = False
        if not self.is_over:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._error is not None and not self._has_come:
            raise self._error

    async def written(self) -> None:
        """Wait while too much waits to be written; raises what broke the connection."""
        if self._may_write is not None:
            await asyncio.shield(self._may_write)
        if self._error is not None:
            raise self._error
        if self.closed.done():
            raise ConnectionResetError("the connection was lost")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _make_room(self) -> None:
        size = len(self.buffer)
        self._resize(size if self.end - self.begin <= size // 2 else 2 * size)

    def _resize(self, size: int) -> None:
        kept = self.end - self.begin
        if size == len(self.buffer) and kept <= self.begin:  # the two do not overlap
            self._view[:kept] = self._view[self.begin : self.end]
        else:
            buffer = bytearray(size)
            buffer[:kept] = self._view[self.begin : self.end]
            self.buffer, self._view = buffer, memoryview(buffer)
        self.begin, self.end = 0, kept


class BufferedTransport(Transport):
    """One connection to a server. `unread` is empty until it is made."""

    def __init__(self) -> None:
        self.unread = Unread()
        self._transport: Any = None

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        loop = asyncio.get_running_loop()
        host, port = uri.hostname or "", uri.port or 0
        async with asyncio.timeout(connect_timeout):
            self._transport, _ = await loop.create_connection(lambda: self.unread, host, port)

    async def connect_tls(
        self, uri: str | ParseResult, ssl_context: ssl.SSLContext, buffer_size: int, connect_timeout: int
    ) -> None:
        name = uri if isinstance(uri, str) else uri.hostname
        try:
            async with asyncio.timeout(connect_timeout):
                self._transport = await asyncio.get_running_loop().start_tls(
                    self._transport, self.unread, ssl_context, server_hostname=name
                )
        except BaseException:
            # asyncio tells nobody of an end before the handshake's, and whoever closes this waits for it.
            self._transport.abort()
            self.unread.connection_lost(None)
            raise
        self.unread.adopt(self._transport)

    @property
    def unwritten_bytes(self) -> int:
        """What waits for the socket."""
        return int(self._transport.get_write_buffer_size())

    def abort(self) -> None:
        """End the connection at once. Does nothing where there is none."""
        if self._transport is not None:
            self._transport.abort()

    def write(self, payload: bytes) -> None:
        self._transport.write(payload)

    def writelines(self, payload: list[bytes]) -> None:
        self._transport.writelines(payload)

    async def read(self, buffer_size: int) -> bytes:
        if self.unread.begin == self.unread.end:
            await self.unread.more()
        end = min(self.unread.end, self.unread.begin + buffer_size)
        return self._taken(end)

    async def readline(self) -> bytes:
        unread = self.unread
        while (end := unread.buffer.find(b"\n", unread.begin, unread.end) + 1) == 0:
            if unread.is_over:
                return self._taken(unread.end)
            await unread.more()
        return self._taken(end)

    def _taken(self, end: int) -> bytes:
        data = bytes(self.unread.view(self.unread.begin, end))
        self.unread.take(end)
        return data

    async def drain(self) -> None:
        await self.unread.written()

    async def wait_closed(self) -> None:
        if self._transport is not None:
            await asyncio.shield(self.unread.closed)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def at_eof(self) -> bool:
        return self.unread.is_over and self.unread.begin == self.unread.end

    def __bool__(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]  # nats-py types it None
        return self._transport is not None
