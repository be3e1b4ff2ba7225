"""The ways in that a gateway makes for processes of its own machine, itself among them."""

import os
from collections.abc import Callable
from pathlib import Path

from easynet.fabric.access import memberships
from easynet.fabric.access.authority import LOCAL_CLIENT, Authority
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import Kind, LocalGateway, Membership


class WaysIn:
    """Memberships made for one start of a gateway, and the file in which this user's processes find them."""

    def __init__(self, authority: Authority, ca: str) -> None:
        """`ca` is the network's certificate authority, "" where it is entered without TLS."""
        self._authority = authority
        self._ca = ca

    def control(self) -> Membership:
        """For the gateway's services."""
        return self._made("owner", "gateway", self._authority.control_jwt)

    def system(self) -> Membership:
        """For the server's events."""
        return self._made("owner", "gateway", self._authority.system_jwt)

    def publish(self, server_id: str, host: str, port: int, data_dir: Path, *, is_default: bool) -> Path:
        """Let this user's processes in; raises DataDirectoryUnusable. Made anew each time."""
        authority = self._authority
        gateway = LocalGateway(
            server_id=server_id,
            pid=os.getpid(),
            host=host,
            is_default=is_default,
            node=self._made("node", LOCAL_CLIENT, authority.local_node_jwt),
            client=self._made("client", LOCAL_CLIENT, lambda key: authority.client_jwt(key, LOCAL_CLIENT)),
            owner=self._made("owner", "owner", authority.owner_jwt),
        )
        return memberships.publish(gateway, port, data_dir)

    def _made(self, kind: Kind, name: str, jwt: Callable[[str], str]) -> Membership:
        key = Identity.generate()
        return Membership(kind=kind, name=name, jwt=jwt(key.public), seed=key.seed, ca=self._ca)
