"""Keeping members out: for good where they were revoked, for a while where they sent too much."""

import json
from typing import Final

from easynet.core.clock import Clock
from easynet.core.errors import GatewayError
from easynet.fabric.access.authority import Account, Authority
from easynet.fabric.access.members import Kind, Members
from easynet.fabric.gateway.rate_guard import DEFAULT_RATE, RateGuard
from easynet.fabric.transport.connection import Connection

ACCOUNT: Final[dict[Kind, Account]] = {"node": "NODES", "client": "CLIENTS"}
"""Where members of each kind are known to the server."""


def revoked(members: Members) -> dict[Account, dict[str, int]]:
    """By account, the keys that are shut out for good."""
    return {account: members.revoked(kind) for kind, account in ACCOUNT.items()}


class Exclusion:
    """Lets the server know who is shut out; it ends their connections at once."""

    def __init__(self, system: Connection, authority: Authority, members: Members, clock: Clock) -> None:
        self._system = system
        self._authority = authority
        self._members = members
        self._clock = clock
        self._guard = RateGuard(
            system, authority.account_key("CLIENTS"), self._rate_of, lambda: self.announce("client")
        )

    async def announce(self, kind: Kind) -> None:
        """Say who is shut out now; raises GatewayError."""
        shut_out = self._members.revoked(kind)
        if kind == "client":
            shut_out |= dict.fromkeys(self._guard.suspended(), int(self._clock.now()))
        jwt = self._authority.account_jwt(ACCOUNT[kind], shut_out)
        reply = json.loads(await self._system.request("$SYS.REQ.CLAIMS.UPDATE", jwt.encode()))
        if "error" in reply:
            raise GatewayError(f"the server did not take it: {reply['error'].get('description', '')}")

    async def watch(self) -> None:
        """Go on suspending clients that send more than they may."""
        await self._guard.watch()

    def _rate_of(self, key: str) -> float | None:
        """Messages a second that a client may send: invited ones, and not the processes of this machine."""
        member = self._members.with_key("client", key)
        return (member.terms.rate or DEFAULT_RATE) if member is not None else None
