"""One connection to a gateway, with its failures in this project's words."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import nats.errors
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription

from easynet.core.errors import GatewayUnreachable
from easynet.fabric.address import Address
from easynet.fabric.credentials import Login

CONNECT_TIMEOUT_S: Final = 3.0
REQUEST_TIMEOUT_S: Final = 5.0
RECONNECT_S: Final = 3.0
"""How long a lost connection may take to come back before nothing waits for it any more."""

Message = Msg
Subscription = NatsSubscription
Handler = Callable[[Message], Awaitable[None]]
Callback = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Nothing to do."""


class Connection:
    """A NATS connection that comes back by itself when the gateway does.

    `login` is asked at each attempt to connect, since a gateway that was started again has new passwords.
    `on_loss` runs when the connection breaks, `on_return` when it is back.
    """

    def __init__(
        self,
        address: Address,
        login: Callable[[], Login],
        *,
        name: str,
        on_loss: Callback = _nothing,
        on_return: Callback = _nothing,
    ) -> None:
        self.address = address
        self._login = login
        self._name = name
        self._on_loss = on_loss
        self._on_return = on_return
        self._nats = NatsClient()
        self._connected = asyncio.Event()
        self._lost_at = 0.0
        self._requests: set[asyncio.Task[Msg]] = set()
        self._was_connected = False
        self._was_opened = False

    @property
    def server_id(self) -> str:
        """The identity that the server at the other end states."""
        return str(self._nats._server_info.get("server_id", ""))  # pyright: ignore[reportPrivateUsage]

    @property
    def is_connected(self) -> bool:
        return self._connected.is_set()

    async def open(self, *, expect: str = "") -> None:
        """Connect within three seconds, to the server whose id is `expect`; raises GatewayUnreachable."""
        self._was_opened = True
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connect()
            if expect and self.server_id != expect:
                raise self._unreachable("another server than the gateway answers")
        except (OSError, TimeoutError, nats.errors.Error) as error:
            await self.close()
            raise self._unreachable("nobody answers") from error
        except BaseException:
            await self.close()
            raise
        self._was_connected = True
        self._connected.set()

    async def _connect(self) -> None:
        await self._nats.connect(
            str(self.address),
            name=self._name,
            user=lambda: self._login().user,
            password=lambda: self._login().password,
            error_cb=self._note,
            disconnected_cb=self._lost,
            reconnected_cb=self._returned,
            # Measured: a broken connection is back after 0.36 s. The default of 2 s comes on top whole.
            reconnect_time_wait=cast("int", 0.05),
            max_reconnect_attempts=-1,
            ping_interval=20,
            pending_size=16 * 1024 * 1024,
            skip_subject_validation=True,
        )

    async def _note(self, error: Exception) -> None:
        """Let the first attempt to connect fail at once; later ones go on for ever."""
        if not self._was_connected:
            raise error

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
        try:
            await self._nats.publish(subject, data, reply)
        except (OSError, nats.errors.Error) as error:
            raise self._unreachable("the connection is gone") from error

    async def request(self, subject: str, data: bytes, *, timeout_s: float = REQUEST_TIMEOUT_S) -> bytes:
        """Ask the gateway; raises GatewayUnreachable where it does not answer in time, or has gone."""
        await self.wait_connected()
        request = asyncio.create_task(self._nats.request(subject, data, timeout=timeout_s))
        self._requests.add(request)
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.wait([request])
            if request.cancelled():
                raise self._unreachable("the connection was lost")
            return request.result().data
        except (OSError, TimeoutError, nats.errors.Error) as error:
            raise self._unreachable("it does not answer") from error
        finally:
            request.cancel()
            self._requests.discard(request)

    async def subscribe(self, subject: str, handler: Handler) -> Subscription:
        """Hand every message on `subject` to `handler`, one at a time, without ever dropping one."""
        return await self._nats.subscribe(subject, cb=handler, pending_msgs_limit=0, pending_bytes_limit=0)

    async def flush(self) -> None:
        """Wait until the server has seen everything sent so far."""
        try:
            await self._nats.flush(timeout=5)
        except (OSError, nats.errors.Error) as error:
            raise self._unreachable("it does not answer") from error

    async def wait_connected(self) -> None:
        """Wait for the connection to be back; raises GatewayUnreachable, at once where it is long gone."""
        if self._connected.is_set():
            return
        lost_s = asyncio.get_running_loop().time() - self._lost_at
        try:
            async with asyncio.timeout(max(0.0, RECONNECT_S - lost_s)):
                await self._connected.wait()
        except TimeoutError:
            raise self._unreachable("the connection is gone") from None

    async def close(self) -> None:
        """Send what is waiting and leave. Does nothing the second time."""
        self._on_loss = self._on_return = _nothing
        self._connected.clear()
        if not self._was_opened:
            return
        with contextlib.suppress(OSError, nats.errors.Error, asyncio.TimeoutError):
            await self._nats.close()

    def _unreachable(self, what: str) -> GatewayUnreachable:
        return GatewayUnreachable(
            f"cannot reach the gateway at {self.address}: {what}",
            hint="Is it still running? A gateway that was stopped has to be started again.",
        )


def is_no_responders(message: Message) -> bool:
    """Whether the message is the server's word that nobody serves the subject."""
    headers: dict[str, Any] | None = message.headers
    return not message.data and headers is not None and headers.get("Status") == "503"
