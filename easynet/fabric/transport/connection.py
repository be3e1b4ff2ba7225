"""One connection to a gateway, with its failures in this project's words."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import nats.errors
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription

from easynet.core.errors import GatewayError
from easynet.fabric.access.grants import Limits
from easynet.fabric.access.memberships import Membership
from easynet.fabric.transport.dialler import Callback, Dialler, member_name
from easynet.fabric.transport.fast_lane import FastLane, Receive, ReceiveView, UnqueuedClient
from easynet.fabric.transport.standstill import Standstill
from easynet.fabric.wire.address import Address

CONNECT_TIMEOUT_S: Final = 3.0
REQUEST_TIMEOUT_S: Final = 5.0
RECONNECT_S: Final = 3.0
"""How long a lost connection may take to come back before nothing waits for it any more."""

MAX_PILE_BYTES: Final = 8 * 1024 * 1024
"""With more than this still to be sent, whoever can wait does."""
MAX_UNSENT_BYTES: Final = 64 * 1024 * 1024
"""What waits to be sent, at most."""

Message = Msg
Subscription = NatsSubscription
Handler = Callable[[Message], Awaitable[None]]


async def _nothing() -> None:
    """Nothing to do."""


def _nothing_to_say(subject: str) -> None:
    """Nobody asked."""


class Connection:
    """A NATS connection that comes back by itself when the gateway does.

    `enter` says who this device is, as for a `Dialler`. `on_loss` runs when the connection breaks,
    `on_return` when it is back. Where the gateway shuts this device out, everything raises AccessDenied from
    then on. It goes on at another gateway of the network when its own dies; `stays` keeps it to its own.
    """

    def __init__(
        self,
        address: Address,
        enter: Callable[[], Membership | None],
        *,
        name: str,
        tls: ssl.SSLContext | None = None,
        stays: bool = False,
        on_loss: Callback = _nothing,
        on_return: Callback = _nothing,
    ) -> None:
        self.address = address
        self._dialler = Dialler(address, enter, name=name, tls=tls, stays=stays)
        self._on_loss = on_loss
        self._on_return = on_return
        self._nats = UnqueuedClient()
        self._lane = FastLane(self._nats)
        self._connected = asyncio.Event()
        self._lost_at = 0.0
        self._requests: set[asyncio.Task[Msg]] = set()
        self._was_opened = False
        self.member = ""
        """The name under which the gateway knows this device: a node's, or a client's id."""
        self.kind = ""
        """What it is known as there: a node, a client, or the gateway's owner."""
        self.rights = Limits()
        """What a client may call."""
        self.on_refusal: Callable[[str], None] = _nothing_to_say
        """Is told the subject, in lower case, of each message that this device had no right to send."""
        self._denied = ""
        self._is_closing = False

    @property
    def server_id(self) -> str:
        """The identity that the server at the other end states."""
        return str(self._nats._server_info.get("server_id", ""))  # pyright: ignore[reportPrivateUsage]

    @property
    def server_name(self) -> str:
        """The id of the gateway at the other end, which is another one after that one's death."""
        return str(self._nats._server_info.get("server_name", ""))  # pyright: ignore[reportPrivateUsage]

    @property
    def nats(self) -> NatsClient:
        """The connection itself, for what NATS does beyond messages."""
        return self._nats

    @property
    def is_connected(self) -> bool:
        return self._connected.is_set()

    async def open(self, *, expect: str = "") -> None:
        """Connect within three seconds, to the server whose id is `expect`; raises GatewayUnreachable."""
        self._was_opened = True
        try:
            membership = await self._dial()
            if expect and self.server_id != expect:
                raise self._dialler.unreachable("another server than the gateway answers")
        except (OSError, TimeoutError, nats.errors.Error) as error:
            await self.close()
            raise self._dialler.explained(error) from error
        except BaseException:
            await self.close()
            raise
        self.member = member_name(membership)
        if membership is not None:
            self.kind, self.rights = membership.kind, Limits(membership.functions)
        self._connected.set()

    async def _dial(self) -> Membership | None:
        """Connect; a second time where the first was in vain because this process stood still meanwhile."""
        with Standstill() as standstill:
            try:
                return await self._dial_once()
            except (OSError, TimeoutError, nats.errors.Error):
                if not standstill.happened:
                    raise
        self._is_closing = True
        await self._nats.close()
        self._is_closing = False
        self._nats = UnqueuedClient()
        self._lane = FastLane(self._nats)
        return await self._dial_once()

    async def _dial_once(self) -> Membership | None:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await self._dialler.connect(
                self._nats,
                on_loss=self._lost,
                on_return=self._returned,
                on_end=self._closed,
                on_refusal=lambda subject: self.on_refusal(subject),
            )

    @property
    def cluster(self) -> tuple[str, ...]:
        """The addresses of all gateways of the network, where there are several."""
        info: dict[str, Any] = self._nats._server_info  # pyright: ignore[reportPrivateUsage]
        return tuple(map(str, info.get("connect_urls", ()))) if info.get("cluster") else ()

    async def _closed(self) -> None:
        """The server ended the connection for good: it said why, and an attempt to come back would fail."""
        if self._is_closing:
            return
        last = self._nats.last_error
        self._denied = str(last).removeprefix("nats: ").strip("'") if last is not None else "closed"
        self._connected.clear()
        for request in self._requests:
            request.cancel()
        await self._on_loss()

    async def _lost(self) -> None:
        if self._connected.is_set():
            self._connected.clear()
            self._lost_at = asyncio.get_running_loop().time()
            for request in self._requests:
                request.cancel()  # its answer is lost with the connection
            await self._on_loss()

    async def _returned(self) -> None:
        self._connected.set()
        await self._on_return()

    async def publish(self, subject: str, data: bytes, *, reply: str = "") -> None:
        """Send a message; raises GatewayUnreachable."""
        self._lane.put_together()
        try:
            await self._nats.publish(subject, data, reply)
        except (OSError, nats.errors.Error) as error:
            raise self._gone("the connection is gone") from error

    def send(self, subject: str, data: bytes, *, reply: str = "") -> None:
        """Send a small message without waiting; one that is sent while disconnected goes out afterwards.

        Raises GatewayUnreachable where too much waits already.
        """
        if len(data) + self._lane.unsent_bytes > MAX_UNSENT_BYTES:
            raise self._gone("more waits to be sent than it takes")
        self._lane.send(subject, data, reply)

    def send_together(self, subject: str, piece: bytes) -> None:
        """Send a piece of a message without waiting: what goes to one subject at one time goes as one.

        The pieces must tell where each ends. Raises GatewayUnreachable where too much waits already.
        """
        if len(piece) + self._lane.unsent_bytes > MAX_UNSENT_BYTES:
            raise self._gone("more waits to be sent than it takes")
        self._lane.send_together(subject, piece)

    def send_pieces(self, subject: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Send a large message without waiting; raises GatewayUnreachable where too much waits already."""
        if sum(map(len, pieces)) + self._lane.unsent_bytes > MAX_UNSENT_BYTES:
            raise self._gone("more waits to be sent than it takes")
        self._lane.send_pieces(subject, pieces)

    @property
    def is_ready(self) -> bool:
        """Whether a message can be sent now, without piling up."""
        return self._connected.is_set() and self._lane.unsent_bytes < MAX_PILE_BYTES

    async def ready(self) -> None:
        """Wait until a message can be sent; raises GatewayUnreachable or AccessDenied."""
        await self.wait_connected()
        while self._lane.unsent_bytes >= MAX_PILE_BYTES:
            await self.flush()

    @property
    def denied(self) -> str:
        """Why the gateway does not let this device in any more, or ""."""
        if self._nats.is_closed and not self._is_closing:
            return self._denied or str(self._nats.last_error or "closed")
        return ""

    async def listen(self, subject: str, receive: Receive) -> Subscription:
        """Call `receive` with every message on `subject` as it is read; it must not wait or take long."""
        return await self._lane.listen(subject, receive)

    async def listen_views(self, subject: str, receive: ReceiveView) -> Subscription:
        """As `listen`, for large messages: what `receive` is given is gone when it returns."""
        return await self._lane.listen_views(subject, receive)

    async def request(
        self,
        subject: str,
        data: bytes,
        *,
        timeout_s: float = REQUEST_TIMEOUT_S,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """Ask the gateway; raises GatewayUnreachable where it does not answer in time, or has gone."""
        await self.wait_connected()
        request = asyncio.create_task(self._nats.request(subject, data, timeout=timeout_s, headers=headers))
        self._requests.add(request)
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.wait([request])
            if request.cancelled():
                raise self._gone("the connection was lost")
            return request.result().data
        except (OSError, TimeoutError, nats.errors.Error) as error:
            raise self._gone("it does not answer") from error
        finally:
            request.cancel()
            self._requests.discard(request)

    async def subscribe(self, subject: str, handler: Handler, *, queue: str = "") -> Subscription:
        """Hand every message on `subject` to `handler`, one at a time, without ever dropping one.

        Of those that subscribe under one `queue`, one gets each message.
        """
        return await self._nats.subscribe(
            subject, queue, cb=handler, pending_msgs_limit=0, pending_bytes_limit=0
        )

    async def flush(self) -> None:
        """Wait until the server has seen everything sent so far."""
        self._lane.put_together()
        try:
            await self._nats.flush(timeout=5)
        except (OSError, nats.errors.Error) as error:
            raise self._dialler.unreachable("it does not answer") from error

    async def wait_connected(self) -> None:
        """Wait for the connection to be back; raises GatewayUnreachable, at once where it is long gone."""
        if self._connected.is_set():
            return
        if self._denied:
            raise self._dialler.shut_out(self._denied)
        lost_s = asyncio.get_running_loop().time() - self._lost_at
        try:
            async with asyncio.timeout(max(0.0, RECONNECT_S - lost_s)):
                await self._connected.wait()
        except TimeoutError:
            raise self._dialler.unreachable("the connection is gone") from None

    async def close(self) -> None:
        """Send what is waiting and leave. Does nothing the second time."""
        self._on_loss = self._on_return = _nothing
        self._is_closing = True
        self._connected.clear()
        if not self._was_opened:
            return
        self._lane.put_together()
        with contextlib.suppress(OSError, nats.errors.Error, asyncio.TimeoutError):
            await self._nats.close()

    def _gone(self, what: str) -> GatewayError:
        return self._dialler.shut_out(self.denied) if self.denied else self._dialler.unreachable(what)
