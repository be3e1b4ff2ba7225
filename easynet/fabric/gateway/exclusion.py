"""Keeping members out: for good where they were revoked, for a while where they sent too much."""

import json
from collections import Counter
from typing import Any, Final

from easynet.core.clock import Clock
from easynet.core.errors import GatewayError
from easynet.fabric.access.accounts import Account
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.members import Kind, Members
from easynet.fabric.gateway.allowances import Allowance
from easynet.fabric.gateway.rate_guard import DEFAULT_RATE, RateGuard
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.gateway_peers import GatewayPeers

ACCOUNT: Final[dict[Kind, Account]] = {"node": "NODES", "client": "CLIENTS"}
"""Where members of each kind are known to the server."""
SUSPENDED: Final = "suspended"
"""What a suspension is counted as among what the gateway refuses."""
_SENT: Final = "sent"
"""What the gateways of a network call what they tell each other of their clients' traffic."""
_MAX_KNOWN: Final = 10_000


def revoked(members: Members) -> dict[Account, dict[str, int]]:
    """By account, the keys that are shut out for good."""
    return {account: members.revoked(kind) for kind, account in ACCOUNT.items()}


class Exclusion:
    """Lets the server know who is shut out; it ends their connections at once."""

    def __init__(
        self,
        system: Connection,
        authority: Authority,
        members: Members,
        clock: Clock,
        rejections: Counter[str],
    ) -> None:
        """`rejections` counts what the gateway refuses, suspensions among it."""
        self._system = system
        self._authority = authority
        self._members = members
        self._clock = clock
        self._rejections = rejections
        self._peers: GatewayPeers | None = None
        self._allowance_by_key: dict[str, Allowance] = {}
        self._guard = RateGuard(
            system,
            authority.account_key("CLIENTS"),
            self._allowance_of,
            lambda: self.announce("client"),
            on_suspension=self._count,
            tell=self._tell,
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

    async def watch(self, peers: GatewayPeers | None) -> None:
        """Go on suspending clients that send more than they may, here or at the network's other gateways."""
        self._peers = peers
        if peers is not None:
            peers.answer_by(_SENT, self._guard.learn)
        await self._guard.watch()

    def _count(self) -> None:
        self._rejections[SUSPENDED] += 1

    def _tell(self, content: Any) -> None:
        if self._peers is not None:
            self._peers.tell(_SENT, content)

    def _allowance_of(self, key: str) -> Allowance | None:
        """What a client may send: an invited one, or one that holds a grant; others have no limit."""
        known = self._allowance_by_key.get(key)
        if known is None and (member := self._members.with_key("client", key)) is not None:
            # The gateway's own user has no limit: who holds a grant of that user's has one of its own.
            issuer = self._members.with_key("client", member.granted_by) or member
            known = Allowance(issuer.key, issuer.terms.rate or DEFAULT_RATE)
            if len(self._allowance_by_key) >= _MAX_KNOWN:
                self._allowance_by_key.clear()
            self._allowance_by_key[key] = known
        return known
