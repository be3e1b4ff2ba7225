"""The way to a gateway: its addresses, who this device is there, and TLS."""

import base64
import logging
import random
import re
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from nats.aio.client import Client, Server

from easynet.core.errors import AccessDenied, GatewayError, GatewayUnreachable
from easynet.fabric.access import certificates
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import Membership
from easynet.fabric.wire.address import Address

_AGAIN_S: Final = 0.05
_REFUSED: Final = re.compile(r'permissions violation for publish to "([^"]*)"')

Callback = Callable[[], Awaitable[None]]


def _is_of_interest(record: logging.LogRecord) -> bool:
    """Whether asyncio says more than that it closes TLS streams in its own way, at each connection's end."""
    return "eof_received() has no effect" not in record.getMessage()


def _the_first(servers: list[Server], _: dict[str, Any]) -> tuple[Server, float]:
    """The server that a connection was made to, after a moment; never one that the server told of."""
    return servers[0], _AGAIN_S


class Dialler:
    """Connects a client of NATS to one of a network's gateways, which it comes back to by itself.

    `enter` is asked at each attempt to connect, since an embedded gateway that was started again has new
    keys; None enters as a stranger, who may only ask to be enrolled.
    """

    def __init__(
        self,
        address: Address,
        enter: Callable[[], Membership | None],
        *,
        name: str,
        tls: ssl.SSLContext | None,
        stays: bool,
    ) -> None:
        self._address = address
        self._enter = enter
        self._name = name
        self._tls = tls
        self._stays = stays
        self._untried = 0
        self._is_refused = False
        self._has_connected = False

    async def connect(
        self,
        client: Client,
        *,
        on_loss: Callback,
        on_return: Callback,
        on_end: Callback,
        on_refusal: Callable[[str], None],
    ) -> Membership | None:
        """Return, with what it entered as, once a gateway has let this device in.

        `on_refusal` is told the subject, in lower case, of each message that it had no right to send.
        Raises OSError or an error of NATS; `explained` says what it means.
        """

        async def note(error: Exception) -> None:
            self._note_attempt(error)
            if refused := _REFUSED.search(str(error).lower()):
                on_refusal(refused[1])

        membership = self._enter()
        addresses = self._addresses(membership)
        self._untried = len(addresses)
        await client.connect(
            addresses,
            dont_randomize=True,
            reconnect_to_server_handler=_the_first if self._stays else None,
            name=self._name,
            inbox_prefix=f"_INBOX.{member_name(membership)}",
            error_cb=note,
            disconnected_cb=on_loss,
            reconnected_cb=on_return,
            closed_cb=on_end,
            # Measured: a broken connection is back after 0.36 s. The default of 2 s comes on top whole.
            reconnect_time_wait=cast("int", _AGAIN_S),
            max_reconnect_attempts=-1,
            # A gateway that has gone without a word is noticed within 6 s, before calls give up their nodes.
            ping_interval=2,
            max_outstanding_pings=2,
            pending_size=16 * 1024 * 1024,
            skip_subject_validation=True,
            **self._credentials(membership),
        )
        self._has_connected = True
        return membership

    def _addresses(self, membership: Membership | None) -> list[str]:
        others = [str(Address.parse(g)) for g in membership.gateways] if membership is not None else []
        # The clients of a gateway that dies are to spread over the others.
        random.shuffle(others)
        return list(dict.fromkeys([str(self._address), *others]))

    def _credentials(self, membership: Membership | None) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if membership is not None:
            options = {"user_jwt_cb": self._jwt, "signature_cb": self._sign}
            if self._tls is None and membership.ca:
                self._tls = certificates.trusting(membership.ca)
        if self._tls is not None:
            logging.getLogger("asyncio").addFilter(_is_of_interest)
            options |= {
                "tls": self._tls,
                "tls_hostname": certificates.SERVER_NAME,
                "tls_handshake_first": True,
            }
        return options

    def _jwt(self) -> bytearray:
        membership = self._enter()
        return bytearray((membership.jwt if membership is not None else "").encode())

    def _sign(self, nonce: str) -> bytes:
        membership = self._enter()
        assert membership is not None
        return base64.b64encode(Identity.from_seed(membership.seed).sign(nonce.encode()))

    def _note_attempt(self, error: Exception) -> None:
        """Let the first attempt to connect fail where no gateway answers; later ones go on for ever."""
        if not self._has_connected:
            self._is_refused |= "authorization" in str(error).lower()
            self._untried -= 1
            if self._untried <= 0:
                raise error

    def explained(self, error: Exception) -> GatewayError:
        """What is to be said where no gateway let this device in: one that refused it counts for more."""
        if self._is_refused or "authorization" in str(error).lower():
            return self.shut_out("it does not accept this device's membership")
        return self.unreachable("nobody answers")

    def shut_out(self, why: str) -> AccessDenied:
        """The error of a device that the gateway does not let in any more."""
        return AccessDenied(
            f"the gateway at {self._address} lets this device in no more: {why}",
            hint="Ask the gateway's owner for a new token, and join again: easynet join TOKEN.",
        )

    def unreachable(self, what: str) -> GatewayUnreachable:
        """The error of a device that has lost its gateway."""
        return GatewayUnreachable(
            f"cannot reach the gateway at {self._address}: {what}",
            hint="Is it still running? A gateway that was stopped has to be started again.",
        )


def member_name(membership: Membership | None) -> str:
    """The name under which the gateway knows a device: a node's, or a client's id."""
    return membership.name if membership is not None else "entry"
