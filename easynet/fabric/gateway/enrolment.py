"""How a device becomes a member: it shows a token and a key that it made, and gets its rights signed.

The token is an invitation of the owner's, or a grant of another client's.

The device's half is `join`, the gateway's half is `Enrolment`. A stranger's connection may do nothing but
this. The secret of the token is sent only to a server whose certificate the token vouches for.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from easynet.core.clock import Clock
from easynet.core.errors import BadData, GatewayUnreachable, TokenRejected
from easynet.fabric.access import certificates, grants, memberships, tokens
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.grants import Grant, verified
from easynet.fabric.access.identity import Identity, verify
from easynet.fabric.access.invitations import Invitation
from easynet.fabric.access.members import Member, Members, Terms
from easynet.fabric.access.memberships import Membership
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.questions import ask
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.names import GRANTED, METERED

_LOG: Final = logging.getLogger(__name__)

_FORGET_EVERY_S: Final = 600.0
_PURPOSE: Final = b"easynet-join:"
"""What a device signs begins with it, so that the signature is good for nothing else."""


class _MakerAway(GatewayUnreachable):
    """The network is there, but not the gateway that can redeem the token."""


async def join(token: str, data_dir: Path) -> Membership:
    """Make this device a member of the network that an invitation or a grant is for, and remember it.

    Raises TokenRejected, NameTaken, GatewayUnreachable or DataDirectoryUnusable.
    """
    word = "".join(token.split())  # it may have been wrapped on its way
    ticket = Grant.parse(word) if word.startswith(grants.PREFIX) else Invitation.parse(word)
    digest = tokens.digest(word)
    _check_not_joined_with(digest, data_dir)
    # Kept until the gateway's answer has arrived: an invitation is good for no other key once it was shown.
    draft = data_dir / "memberships" / f"joining-{digest[:16]}.key"
    identity = Identity.kept_at(draft)
    unreachable: GatewayUnreachable | None = None
    for address in map(Address.parse, ticket.gateways):
        try:
            membership = await _join_at(address, ticket, identity, digest)
        except _MakerAway as error:
            unreachable = error
            continue
        except GatewayUnreachable as error:
            unreachable = unreachable or error
            continue
        memberships.keep(membership, data_dir)
        draft.unlink(missing_ok=True)
        return membership
    assert unreachable is not None
    raise unreachable


def _check_not_joined_with(digest: str, data_dir: Path) -> None:
    for member in memberships.joined(data_dir):
        if member.token == digest:
            raise TokenRejected(
                f"this device has joined with it already, as the {member.kind} {member.name!r}",
                hint=f"There is nothing left to do: it is a member of the network at {member.gateways[0]}. "
                "If it was shut out since, ask the gateway's owner for a new token.",
            )


async def _join_at(
    address: Address, ticket: Invitation | Grant, identity: Identity, digest: str
) -> Membership:
    ca = await _authority_at(address, ticket) if ticket.fingerprint else ""
    connection = Connection(address, lambda: None, name="join", tls=certificates.trusting(ca) if ca else None)
    await connection.open()
    try:
        answer = await ask(connection, *_question(ticket, identity))
    except GatewayUnreachable as error:
        if isinstance(ticket, Invitation) and connection.server_name not in ("", ticket.gateway_id):
            raise _MakerAway(
                f"the gateway that made the token is not there now; another of its network is, at {address}",
                hint="Try again when that gateway is back, or ask for a token that another one makes.",
            ) from error
        raise
    finally:
        await connection.close()
    match answer:
        case [("node" | "client") as kind, str(name), str(jwt), [*gateways]]:
            return Membership(
                kind=kind,
                name=name,
                jwt=jwt,
                seed=identity.seed,
                gateways=tuple(dict.fromkeys([str(address), *map(str, gateways)])),
                ca=ca,
                joined_at=time.time(),
                token=digest,
            )
        case _:
            raise TokenRejected("the gateway gave an answer that cannot be read")


def _question(ticket: Invitation | Grant, identity: Identity) -> tuple[str, list[Any]]:
    """What a device asks of the gateway: the subject, and what it shows."""
    if isinstance(ticket, Grant):
        content = [ticket.chain, identity.public, ticket.proof(identity.public)]
        return f"enrol.{ticket.gateway_id}.grant", content
    proof = identity.sign(_PURPOSE + ticket.gateway_id.encode() + ticket.secret)
    return f"enrol.{ticket.gateway_id}.redeem", [ticket.secret, identity.public, proof]


async def _authority_at(address: Address, ticket: Invitation | Grant) -> str:
    """The network's certificate authority as the server states it, checked against the token."""
    connection = Connection(address, lambda: None, name="join", tls=certificates.unproven())
    await connection.open()
    try:
        ca = await ask(connection, f"enrol.{ticket.gateway_id}.authority")
    finally:
        await connection.close()
    try:
        if isinstance(ca, str) and certificates.fingerprint(ca) == ticket.fingerprint:
            return ca
    except (ValueError, ssl.SSLError):
        pass
    raise TokenRejected(
        f"the server at {address} is not the one that the token was made by",
        hint="Somebody may be in between. Do not join from this network; ask whoever gave you the token.",
    )


class Enrolment:
    """The gateway's side: redeems the tokens that it made."""

    def __init__(
        self,
        authority: Authority,
        members: Members,
        clock: Clock,
        gateways: Callable[[], list[str]],
        ca: str,
    ) -> None:
        self._authority = authority
        self._members = members
        self._clock = clock
        self._gateways = gateways
        self._ca = ca

    async def forget_on(self) -> None:
        """Let go, again and again, of what was spent under grants that have expired."""
        while True:
            self._members.spending.forget(self._clock.now())
            await asyncio.sleep(_FORGET_EVERY_S)

    def answer_to(self, gateway_id: str, what: str, content: Any) -> Any:
        """Answer a stranger; raises TokenRejected, NameTaken or BadData."""
        match what, content:
            case "authority", None:
                return self._ca
            case "redeem", [bytes(secret), str(key), bytes(proof)]:
                if not verify(key, _PURPOSE + gateway_id.encode() + secret, proof):
                    raise TokenRejected("the key that was shown is not the device's own")
                return self._welcome(self._members.redeem(secret, key, self._clock.now()))
            case "grant", [chain, str(key), bytes(proof)]:
                return self._welcome(self._admit(chain, key, proof))
            case _:
                raise BadData("a request for enrolment that cannot be read")

    def _admit(self, chain: Any, key: str, proof: bytes) -> Member:
        """Make the holder of a grant a client of its own name."""
        now = self._clock.now()
        rights = verified(chain, key, proof, self._authority.grant_key, now)
        prefix = METERED if rights.caps else GRANTED
        terms = Terms("client", prefix + sha256(key.encode()).hexdigest()[:24], rights.functions)
        member = Member(
            terms, key, joined_at=now, granted_by=rights.owner, expires_at=rights.expires_at or 0.0
        )
        return self._members.grant(member, rights.caps)

    def _welcome(self, member: Member) -> list[Any]:
        terms, authority = member.terms, self._authority
        _LOG.info("%s %s joined", terms.kind, terms.name)
        if terms.kind == "node":
            jwt = authority.node_jwt(member.key, terms.name)
        else:
            jwt = authority.client_jwt(member.key, terms.name, terms.functions, expires_at=member.expires_at)
        return [terms.kind, terms.name, jwt, self._gateways()]
