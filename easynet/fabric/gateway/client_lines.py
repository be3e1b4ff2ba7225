"""The lines over which a gateway makes calls in the names of its clients, one for each."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from easynet.core.errors import AccessDenied, EasyNetError, GatewayUnreachable
from easynet.fabric.access.client_rights import ClientRights
from easynet.fabric.access.members import Member
from easynet.fabric.calling.line import Line
from easynet.fabric.calling.pending_call import FollowedCall
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.wire.address import Address

IDLE_S: Final = 60.0
"""A client's line that no job needs is closed after so long."""
_LOOK_EVERY_S: Final = 0.5
"""How long a client that was shut out may go on, at most."""


@dataclass
class ClientLine:
    """One client's line, and who uses it."""

    line: Line
    opening: asyncio.Task[None]
    calls: int = 0
    """Calls that use it now."""
    idle_since: float = 0.0
    denied: AccessDenied | None = None
    """Why it is of no more use."""
    followed: set[FollowedCall] = field(default_factory=set[FollowedCall])


class ClientLines:
    """Opens a line for a client that needs one; closes it after a while, or when the client may not go on."""

    def __init__(self, address: Address, store: ArtifactStore, rights: ClientRights) -> None:
        self._address = address
        self._store = store
        self._rights = rights
        self._by_member: dict[tuple[str, Member | None], ClientLine] = {}
        self._loop = asyncio.get_running_loop()
        self._watching: asyncio.Task[None] | None = None
        self.are_closed = False

    async def of(self, client: str) -> ClientLine:
        """The client's line, opened where it is not; raises AccessDenied or GatewayUnreachable."""
        if self.are_closed:
            raise GatewayUnreachable("the gateway stops")
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        whose = client, self._rights.of(client)
        found = self._by_member.get(whose)
        if found is None:
            found = self._by_member[whose] = self._new_line(client)
        # Several jobs of one client wait for the same line; one that is cancelled leaves it to the others.
        found.calls += 1
        try:
            await asyncio.shield(found.opening)
        except EasyNetError:
            if self._by_member.get(whose) is found:
                del self._by_member[whose]
            raise
        finally:
            found.calls -= 1
        return found

    def _new_line(self, client: str) -> ClientLine:
        membership = self._rights.membership(client)
        line = Line(self._address, lambda: membership, self._store, name="jobs", stays=True)
        return ClientLine(line, asyncio.create_task(line.open()), idle_since=self._loop.time())

    async def _watch(self) -> None:
        """Shut out who is shut out, and close what nobody has needed for long."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = self._loop.time()
            for (client, member), held in list(self._by_member.items()):
                held.denied = self._denied(client, member, held.line)
                if held.denied is None and (held.calls or now - held.idle_since < IDLE_S):
                    continue
                del self._by_member[client, member]
                for call in list(held.followed):
                    held.line.outbox.cancel(call)
                    call.fail(held.denied or GatewayUnreachable("it was not needed"))
                await self._close(held)

    def _denied(self, client: str, member: Member | None, line: Line) -> AccessDenied | None:
        """Why a client may not go on as the member that it was."""
        try:
            now = self._rights.of(client)
        except AccessDenied as error:
            return error
        if (now.key if now else "") != (member.key if member else ""):
            return AccessDenied(f"the client {client!r} that asked for it was shut out of this network")
        if line.connection.denied:
            return AccessDenied(f"the gateway let {client!r} in no more: {line.connection.denied}")
        return None

    async def _close(self, held: ClientLine) -> None:
        # Not cancelled: those who wait for it would take that for their own end.
        await asyncio.gather(held.opening, return_exceptions=True)
        await held.line.close()

    async def close(self) -> None:
        """Open no more. Calls go on at their nodes; those who wait for them here get GatewayUnreachable."""
        self.are_closed = True
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        lines, self._by_member = list(self._by_member.values()), {}
        for held in lines:
            held.line.outbox.abandon_all(GatewayUnreachable("the gateway stops"))
            await self._close(held)
