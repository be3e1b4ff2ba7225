"""The invitations and grants that a gateway makes: each says where the network is and how to know it."""

from collections.abc import Callable

from easynet.core.errors import AccessDenied, SettingsError, UsageError
from easynet.fabric.access.authority import LOCAL_CLIENT, Authority
from easynet.fabric.access.certificates import fingerprint
from easynet.fabric.access.grants import Grant, Limits
from easynet.fabric.access.invitations import Invitation
from easynet.fabric.access.members import Members


class Tickets:
    """Makes what lets devices in."""

    def __init__(
        self,
        authority: Authority,
        members: Members,
        gateway_id: str,
        addresses: Callable[[], tuple[str, ...]],
        ca: str,
        *,
        lasts: bool,
    ) -> None:
        """`addresses` tells where other devices find the network; `lasts` whether it outlives its process."""
        self._authority = authority
        self._members = members
        self._gateway_id = gateway_id
        self._addresses = addresses
        self._fingerprint = fingerprint(ca) if ca else b""
        self._lasts = lasts

    def invitation(self, secret: bytes) -> Invitation:
        """The invitation with that secret; raises SettingsError where nobody can be invited."""
        if not self._lasts:
            raise SettingsError(
                "nobody can be invited to a network that ends with its process",
                hint="Start one that lasts: easynet gateway start.",
            )
        return Invitation(self._addresses(), self._gateway_id, secret, self._fingerprint)

    def grant(self, client: str) -> Grant:
        """All the rights of a client, for it to hand parts of them on; raises UsageError or AccessDenied."""
        member = self._members.named("client", client)
        if member is None and client != LOCAL_CLIENT:
            raise AccessDenied(f"no client named {client!r} is a member of this network")
        if member is not None and member.granted_by:
            raise UsageError(
                "what a grant allows is handed on by narrowing the grant itself",
                hint="easynet delegate --from TOKEN ...",
            )
        owner, functions = (member.key, member.terms.functions) if member else (LOCAL_CLIENT, ())
        return Grant.issue(
            self._addresses(),
            self._gateway_id,
            self._fingerprint,
            owner,
            Limits(functions),
            self._authority.sign_grant,
        )
