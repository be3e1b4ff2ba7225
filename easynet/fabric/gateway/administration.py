"""What the owner of a gateway may ask of it, from a process on the same machine."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final

from easynet.core.clock import Clock
from easynet.core.errors import BadData, UsageError, nearest
from easynet.fabric.access.authority import LOCAL_CLIENT
from easynet.fabric.access.invitations import Invitation
from easynet.fabric.access.members import Kind, Members, Terms
from easynet.fabric.gateway.directory import Directory
from easynet.fabric.wire.names import GRANTED, METERED, checked_name

_LOG: Final = logging.getLogger(__name__)

_SECRET_BYTES: Final = 16
_RESERVED: Final = (LOCAL_CLIENT, "gateway", "owner", "entry")


class Administration:
    """Invites devices, shuts them out, and tells who there is."""

    def __init__(
        self,
        members: Members,
        clock: Clock,
        invitation: Callable[[bytes], Invitation],
        shut_out: Callable[[Kind], Awaitable[None]],
        directory: Directory,
        about: Callable[[], list[Any]],
    ) -> None:
        """`invitation` makes one of a secret; `shut_out` lets the server know who was revoked.

        `about` tells what the gateway says of itself.
        """
        self._members = members
        self._clock = clock
        self._invitation = invitation
        self._shut_out = shut_out
        self._directory = directory
        self._about = about

    async def answer_to(self, what: str, content: Any) -> Any:
        """Answer the owner; raises UsageError, NameTaken or BadData."""
        match what, content:
            case (
                "invite",
                [("node" | "client") as kind, str(name), [*functions], bool(trusted), rate, expires_s],
            ):
                terms = Terms(kind, name, tuple(map(str, functions)), trusted, float(rate))
                return self._invite(terms, float(expires_s))
            case "revoke", [("node" | "client") as kind, str(name)]:
                await self._revoke(kind, name)
                return None
            case "members", None:
                return [
                    [m.terms.kind, m.terms.name, m.key, list(m.terms.functions), m.joined_at, m.revoked_at]
                    for m in self._members.all()
                ]
            case "status", None:
                nodes = self._directory.registry.nodes()
                return [*self._about(), [node.model_dump(mode="json") for node in nodes]]
            case "drain", str(name):
                return await self._directory.drain(name)
            case _:
                raise BadData("a request to the gateway that cannot be read")

    def _invite(self, terms: Terms, expires_s: float) -> str:
        checked_name(terms.kind, terms.name)
        if terms.name in _RESERVED or terms.name.startswith((GRANTED, METERED)):
            raise UsageError(f"{terms.name!r} is a name of the gateway's own", hint="Choose another name.")
        for function in terms.functions:
            node, dot, name = function.rpartition(".")
            checked_name("function", name)
            if dot:
                checked_name("node", node)
        secret = secrets.token_bytes(_SECRET_BYTES)
        self._members.invite(terms, secret, self._clock.now() + expires_s)
        _LOG.info("%s %s is invited", terms.kind, terms.name)
        return self._invitation(secret).token()

    async def _revoke(self, kind: Kind, name: str) -> None:
        member = self._members.named(kind, name)
        if member is None:
            names = [m.terms.name for m in self._members.all() if m.terms.kind == kind and not m.revoked_at]
            raise UsageError(
                f"no {kind} named {name!r} has joined this network",
                hint=nearest(name, names) or "easynet gateway status lists who has joined.",
            )
        self._members.revoke(member, self._clock.now())
        await self._shut_out(kind)
        _LOG.info("%s %s is shut out", kind, name)
