"""What the clients of a gateway may do at this moment, for whoever acts in their names."""

from easynet.core.clock import Clock
from easynet.core.errors import AccessDenied
from easynet.fabric.access.authority import LOCAL_CLIENT, Authority
from easynet.fabric.access.grants import Limits
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.members import Member, Members
from easynet.fabric.access.memberships import Membership


class ClientRights:
    """What the clients of a gateway may do: what its members' list says, and its own user everything."""

    def __init__(self, authority: Authority, members: Members, clock: Clock, ca: str) -> None:
        self._authority = authority
        self._members = members
        self._clock = clock
        self._ca = ca

    def of(self, client: str) -> Member | None:
        """The member that the client is, None for the gateway's own user; raises AccessDenied."""
        if client == LOCAL_CLIENT:
            return None
        member = self._members.named("client", client)
        if member is None:
            raise AccessDenied(f"the client {client!r} was shut out of this network")
        if member.expires_at and self._clock.now() >= member.expires_at:
            raise AccessDenied(f"the rights of the client {client!r} have expired")
        return member

    def key_of(self, client: str) -> str:
        """What the client is known by, whoever had its name before; raises AccessDenied."""
        member = self.of(client)
        return member.key if member is not None else LOCAL_CLIENT

    def allow(self, client: str, function: str) -> bool:
        """Whether a client may call `node.function`, or `function` at any node."""
        try:
            member = self.of(client)
        except AccessDenied:
            return False
        return member is None or Limits(member.terms.functions).allow(function)

    def membership(self, client: str) -> Membership:
        """A way in with the client's rights, and a key made for it now; raises AccessDenied."""
        member, key = self.of(client), Identity.generate()
        functions = member.terms.functions if member is not None else ()
        expires_at = member.expires_at if member is not None else 0.0
        jwt = self._authority.client_jwt(key.public, client, functions, expires_at=expires_at)
        return Membership(kind="client", name=client, jwt=jwt, seed=key.seed, ca=self._ca)
