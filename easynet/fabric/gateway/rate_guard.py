"""Keeps clients to the rate that they were invited with.

NATS has no limit on messages a second. The gateway therefore looks, twice a second, at what each connection
has sent, and suspends those who send more than they may: their connections end, and their key is refused
for some seconds, longer each time.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from easynet.core.errors import GatewayError
from easynet.fabric.transport.connection import Connection

DEFAULT_RATE: Final = 10_000.0
"""Messages a second that an invited client may send where nothing else was said."""
_LOOK_EVERY_S: Final = 0.5
_BURST_S: Final = 2.0
"""A client may send the messages of so many seconds at once."""
_LOOK_AT: Final = 100
"""Connections, those that have sent most."""
_NOT_WORTH_ASKING: Final = 20
"""Messages between two looks for which the server need not be asked who sent them."""
_FIRST_SUSPENSION_S: Final = 5.0
_LONGEST_SUSPENSION_S: Final = 300.0


@dataclass
class _Bucket:
    """How many messages a connection may still send (a token bucket)."""

    sent: int = 0
    left: float = 0.0

    def spend(self, sent: int, rate: float, elapsed_s: float) -> bool:
        """Note what was sent until now; False where it was too much."""
        allowed = rate * elapsed_s if self.sent else rate * (elapsed_s + _BURST_S)
        self.left = min(rate * _BURST_S, self.left + allowed - (sent - self.sent))
        self.sent = sent
        return self.left >= 0


class RateGuard:
    """Watches the clients' connections of one server."""

    def __init__(
        self,
        system: Connection,
        account: str,
        rate_of: Callable[[str], float | None],
        announce: Callable[[], Awaitable[None]],
    ) -> None:
        """`rate_of` tells by key what a client may send, None where there is no limit.

        `announce` lets the server know that `suspended` has changed.
        """
        self._system = system
        self._account = account
        self._rate_of = rate_of
        self._announce = announce
        self._key_by_connection: dict[int, str] = {}
        self._buckets: dict[int, _Bucket] = {}
        self._until: dict[str, float] = {}
        self._offences: dict[str, int] = {}
        self._looked_at = 0.0

    def suspended(self) -> list[str]:
        """The keys that are refused for now."""
        return list(self._until)

    async def watch(self) -> None:
        """Go on watching."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            with contextlib.suppress(GatewayError):  # the server is being started again
                await self._look(loop.time())

    async def _look(self, now: float) -> None:
        elapsed_s, self._looked_at = now - self._looked_at, now
        found = await self._connections({"sort": "msgs_from", "limit": _LOOK_AT})
        self._forget_all_but({int(each["cid"]) for each in found})
        offenders = [each for each in found if await self._is_over(each, elapsed_s)]
        over = [key for key, until in self._until.items() if until <= now]
        for key in over:
            del self._until[key]
        for each in offenders:
            await self._suspend(int(each["cid"]), now)
        if over or offenders:
            await self._announce()

    async def _is_over(self, connection: dict[str, Any], elapsed_s: float) -> bool:
        cid, sent = int(connection["cid"]), int(connection["in_msgs"])
        bucket = self._buckets.get(cid)
        if bucket is None:  # it may have been sending for long, among those that send less
            bucket, elapsed_s = self._buckets.setdefault(cid, _Bucket()), _age_s(connection)
        rate = self._rate_of(await self._key_of(cid)) if sent > bucket.sent + _NOT_WORTH_ASKING else None
        if rate is None:
            bucket.sent = sent
            return False
        return not bucket.spend(sent, rate, elapsed_s)

    async def _key_of(self, cid: int) -> str:
        """Whose a connection is. The server takes long to tell, and is asked once."""
        if cid not in self._key_by_connection:
            [found] = await self._connections({"cid": cid, "auth": True}) or [{}]
            self._key_by_connection[cid] = str(found.get("authorized_user", ""))
        return self._key_by_connection[cid]

    async def _suspend(self, cid: int, now: float) -> None:
        key = await self._key_of(cid)
        self._offences[key] = self._offences.get(key, 0) + 1
        for_s = min(_LONGEST_SUSPENSION_S, _FIRST_SUSPENSION_S * 2 ** (self._offences[key] - 1))
        self._until[key] = now + for_s
        # Ends the flood at once: shutting the key out takes the server a tenth of a second.
        await self._system.publish(
            f"$SYS.REQ.SERVER.{self._system.server_id}.KICK", json.dumps({"cid": cid}).encode()
        )

    def _forget_all_but(self, open_now: set[int]) -> None:
        for cid in [cid for cid in self._buckets if cid not in open_now]:
            del self._buckets[cid]
            self._key_by_connection.pop(cid, None)

    async def _connections(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """What the server knows of its clients' connections; raises GatewayError."""
        subject = f"$SYS.REQ.SERVER.{self._system.server_id}.CONNZ"
        reply = await self._system.request(subject, json.dumps({"acc": self._account, **wanted}).encode())
        try:
            found: list[dict[str, Any]] = json.loads(reply)["data"]["connections"]
        except (ValueError, KeyError, TypeError) as error:
            raise GatewayError("the NATS server gave an answer that cannot be read") from error
        return found


def _age_s(connection: dict[str, Any]) -> float:
    """How long a connection has been open, as far as the server says."""
    try:
        began = datetime.fromisoformat(connection["start"])
        return max(0.0, (datetime.now(UTC) - began).total_seconds())
    except (KeyError, ValueError, TypeError):
        return 0.0
