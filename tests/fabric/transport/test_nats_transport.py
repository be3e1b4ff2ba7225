"""What a NATS server says, however it is cut into pieces."""

import asyncio
import contextlib
import ssl
from typing import Any
from urllib.parse import urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError

from easynet.fabric.transport.fast_lane import UnqueuedClient
from easynet.fabric.transport.nats_transport import BufferedTransport, Unread
from tests.patience import PATIENCE_S, within

Heard = tuple[str, str, bytes, bool]


class Socket:
    """What asyncio gives a protocol; remembers whether reading is paused."""

    is_paused = False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


def feed(unread: Unread, data: bytes) -> None:
    """Let bytes come, as much at once as there is room for."""
    while data:
        room = unread.get_buffer(-1)
        piece, data = data[: len(room)], data[len(room) :]
        room[: len(piece)] = piece
        unread.buffer_updated(len(piece))


def listening() -> tuple[UnqueuedClient, list[Heard]]:
    client, heard = UnqueuedClient(), list[Heard]()
    client.receive_by_id[7] = lambda *message: heard.append(message)
    return client, heard


_WORD = st.text("abc.*", min_size=1, max_size=20)
_MESSAGES = st.lists(
    st.tuples(_WORD, st.just("") | _WORD, st.binary(max_size=300) | st.just(b"\r\n" * 70_000), st.booleans())
)


def said(subject: str, reply: str, data: bytes, has_headers: bool) -> bytes:
    words = f"{subject} 7 {reply} ".replace("  ", " ")
    if not has_headers:
        return f"MSG {words}{len(data)}\r\n".encode() + data + b"\r\n"
    head = b"NATS/1.0\r\nA: b\r\n\r\n"
    return f"HMSG {words}{len(head)} {len(head + data)}\r\n".encode() + head + data + b"\r\n"


@given(_MESSAGES, st.lists(st.integers(1, 100_000), max_size=30))
async def test_messages_arrive_whole_and_in_order(
    messages: list[tuple[str, str, bytes, bool]], cuts: list[int]
) -> None:
    client, heard = listening()
    unread = Unread()
    data = b"+OK\r\n".join([b"", *(said(*message) for message in messages), b""])
    for cut in (*cuts, len(data)):
        feed(unread, data[:cut])
        data = data[cut:]
        await client._take_all(unread)  # pyright: ignore[reportPrivateUsage]
    assert heard == [(subject, reply, content, False) for subject, reply, content, _ in messages]
    assert unread.begin == unread.end


async def test_messages_are_handed_over_as_they_come_and_the_reader_is_woken_for_the_rest() -> None:
    client, heard = listening()
    unread = Unread()
    unread.hand_over = client._take_own  # pyright: ignore[reportPrivateUsage]
    reader = asyncio.create_task(unread.more())
    await asyncio.sleep(0)
    whole = said("a", "", b"x", False)
    feed(unread, whole + whole[:5])
    assert heard == [("a", "", b"x", False)]
    feed(unread, whole[5:])
    assert heard == [("a", "", b"x", False)] * 2
    assert unread.begin == unread.end
    await asyncio.sleep(0)
    assert not reader.done()
    feed(unread, whole + b"+OK\r\n" + whole)
    await reader
    assert len(heard) == 3
    await client._take_all(unread)  # pyright: ignore[reportPrivateUsage]
    assert len(heard) == 4


async def test_a_reader_is_woken_where_what_has_come_cannot_be_read() -> None:
    client, _ = listening()
    unread = Unread()
    unread.hand_over = client._take_own  # pyright: ignore[reportPrivateUsage]
    reader = asyncio.create_task(unread.more())
    await asyncio.sleep(0)
    feed(unread, b"MSG a 7 x\r\n")
    await reader
    with pytest.raises(ProtocolError):
        await client._take_all(unread)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("size", [0, 1, 300_000, 8_000_000])
async def test_a_message_of_any_size_arrives(size: int) -> None:
    client, heard = listening()
    unread = Unread()
    feed(unread, said("a", "", bytes(size), False) + said("b", "c", b"x", False))
    await client._take_all(unread)  # pyright: ignore[reportPrivateUsage]
    assert heard == [("a", "", bytes(size), False), ("b", "c", b"x", False)]
    assert len(unread.buffer) <= 1024 * 1024


async def test_the_servers_word_that_nobody_is_there_is_told_from_a_message() -> None:
    client, heard = listening()
    unread = Unread()
    head = b"NATS/1.0 503\r\n\r\n"
    feed(unread, b"HMSG a 7 %d %d\r\n%b\r\n" % (len(head), len(head), head))
    await client._take_all(unread)  # pyright: ignore[reportPrivateUsage]
    assert heard == [("a", "", b"", True)]


async def test_a_listener_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    client, heard = listening()

    def fail(*_: Any) -> None:
        raise KeyError("x")

    client.receive_by_id[8] = fail
    unread = Unread()
    feed(unread, b"MSG a 8 1\r\nx\r\n" + said("a", "", b"y", False))
    await client._take_all(unread)  # pyright: ignore[reportPrivateUsage]
    assert [data for _, _, data, _ in heard] == [b"y"]
    assert "could not be dealt with" in caplog.text


@pytest.mark.parametrize(
    "line", [b"MSG a 7 x\r\n", b"MSG a x 7\r\n", b"MSG\r\n", b"MSG a 7 -5\r\n", b"x" * 70_000]
)
async def test_what_no_server_says_is_noticed(line: bytes) -> None:
    unread = Unread()
    feed(unread, line)
    with pytest.raises(ProtocolError):
        unread.operation()


async def test_nothing_is_taken_from_the_socket_while_too_much_is_unread() -> None:
    unread, socket = Unread(), Socket()
    unread.adopt(socket)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    feed(unread, bytes(17 * 1024 * 1024))
    assert socket.is_paused
    unread.take(unread.end)
    assert not socket.is_paused


async def test_a_connection_speaks_in_lines_and_ends() -> None:
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"INFO {}\r\nrest")
        got.extend(await reader.readline())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = BufferedTransport()
    assert not transport
    await transport.connect(urlparse(f"nats://127.0.0.1:{port}"), buffer_size=0, connect_timeout=40)
    assert await transport.readline() == b"INFO {}\r\n"
    assert await transport.read(2) == b"re"
    transport.writelines([b"PI", b"NG\r\n"])
    await transport.drain()
    assert await transport.read(100) == b"st"
    await transport.unread.more()
    assert transport.at_eof()
    transport.close()
    await transport.wait_closed()
    assert got == b"PING\r\n"
    with pytest.raises(ConnectionResetError):
        await transport.drain()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("how", ["closes", "resets", "stays silent"])
async def test_a_connection_without_a_handshake_can_be_closed(how: str) -> None:
    is_over = asyncio.Event()

    async def spoil(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)  # the client's first word
        if how == "resets":
            writer.transport.abort()
        elif how == "stays silent":
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        is_over.set()

    server = await asyncio.start_server(spoil, "127.0.0.1", 0)
    async with server:
        uri = urlparse(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        transport = BufferedTransport()
        await transport.connect(uri, buffer_size=0, connect_timeout=100)
        patience_s = 1 if how == "stays silent" else 100
        with pytest.raises((ConnectionError, TimeoutError)):
            await transport.connect_tls(uri, ssl.create_default_context(), 0, connect_timeout=patience_s)
        transport.close()
        async with within(5):
            await transport.wait_closed()
        await asyncio.wait_for(is_over.wait(), PATIENCE_S)
