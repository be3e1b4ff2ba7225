"""Keeps clients to the rate that they were invited with.

NATS has no limit on messages a second. The gateway therefore looks, twice a second, at what each client has
sent over all its connections, and suspends those who send more than they may: their connections end, and
their key is refused for some seconds, longer each time. The gateways of a network tell each other what they
see, so that a client has one allowance at all of them, and is suspended at all.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

from easynet.core.errors import BadData, GatewayError
from easynet.fabric.gateway.allowances import Allowance, Allowances
from easynet.fabric.gateway.client_traffic import ClientTraffic
from easynet.fabric.transport.connection import Connection

DEFAULT_RATE: Final = 10_000.0
"""Messages a second that an invited client may send where nothing else was said."""
_LOOK_EVERY_S: Final = 0.5
_FIRST_SUSPENSION_S: Final = 5.0
_LONGEST_SUSPENSION_S: Final = 300.0
_MAX_DOUBLINGS: Final = 6


class RateGuard:
    """Watches what the clients of one server send."""

    def __init__(
        self,
        system: Connection,
        account: str,
        allowance_of: Callable[[str], Allowance | None],
        announce: Callable[[], Awaitable[None]],
        *,
        on_suspension: Callable[[], None],
        tell: Callable[[Any], None],
    ) -> None:
        """`allowance_of` tells by key what a client may send, None where there is no limit.

        `announce` lets the server know that `suspended` has changed. `tell` has the other gateways `learn`.
        """
        self._allowance_of = allowance_of
        self._announce = announce
        self._on_suspension = on_suspension
        self._tell = tell
        self._traffic = ClientTraffic(system, account)
        self._allowances = Allowances(allowance_of)
        self._until: dict[str, float] = {}
        self._found_here: set[str] = set()
        self._offences: dict[str, int] = {}
        self._looked_at = 0.0
        self._is_announced = True

    def suspended(self) -> list[str]:
        """The keys that are refused for now."""
        return list(self._until)

    async def watch(self) -> None:
        """Go on watching."""
        loop = asyncio.get_running_loop()
        await self._traffic.start()
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            with contextlib.suppress(GatewayError):  # the server is being started again
                await self._look(loop.time())

    async def learn(self, content: Any) -> None:
        """Take over what another gateway has seen, and whom it suspends; raises BadData or GatewayError."""
        match content:
            case [dict(sent), dict(suspended)]:
                for key, count in sent.items():
                    self._allowances.note(str(key), float(count))
                now = asyncio.get_running_loop().time()
                new = [str(key) for key in suspended if key not in self._until]
                for key in new:
                    self._suspend(key, now + min(_LONGEST_SUSPENSION_S, float(suspended[key])))
                await self._shut_out(new)
            case _:
                raise BadData("what clients have sent, in a form that cannot be read")

    async def _look(self, now: float) -> None:
        sent = await self._traffic.sent()
        for key, count in sent.items():
            self._allowances.note(key, count)
        elapsed_s, self._looked_at = now - self._looked_at, now
        offenders = [key for key in self._allowances.look(elapsed_s) if key not in self._until]
        over = [key for key, until in self._until.items() if until <= now]
        for key in over:
            del self._until[key]
            self._found_here.discard(key)
            self._is_announced = False
        for key in offenders:
            self._suspend(key, now + self._suspension_s(key))
            self._found_here.add(key)
            self._on_suspension()
        self._tell_others(sent, now)
        await self._shut_out(offenders)

    def _tell_others(self, sent: dict[str, float], now: float) -> None:
        # What another gateway has found is for that one to tell: else each would keep it up for the other.
        suspended = {key: self._until[key] - now for key in self._found_here}
        if sent or suspended:
            self._tell([sent, suspended])

    def _suspension_s(self, key: str) -> float:
        """The longer the more often the client, or another that shares its allowance, was suspended."""
        doublings = min(_MAX_DOUBLINGS, self._offences.get(self._owner(key), 0))
        return min(_LONGEST_SUSPENSION_S, _FIRST_SUSPENSION_S * 2.0**doublings)

    def _suspend(self, key: str, until: float) -> None:
        self._until[key] = until
        self._is_announced = False
        owner = self._owner(key)
        self._offences[owner] = self._offences.get(owner, 0) + 1

    def _owner(self, key: str) -> str:
        allowance = self._allowance_of(key)
        return allowance.owner if allowance is not None else key

    async def _shut_out(self, keys: list[str]) -> None:
        for key in keys:
            # Ends the flood at once: refusing the key takes the server a tenth of a second.
            await self._traffic.end(key)
        if not self._is_announced:
            await self._announce()
            self._is_announced = True
