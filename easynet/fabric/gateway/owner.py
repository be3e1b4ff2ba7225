"""The owner's line to a gateway on this machine: invites devices and shuts them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from easynet.core.errors import GatewayError
from easynet.core.offer import Node
from easynet.fabric.access.members import Kind
from easynet.fabric.access.memberships import WayIn
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.questions import ask
from easynet.fabric.wire.address import Address
from easynet.settings import Settings

DAY_S: Final = 86_400.0


@dataclass(frozen=True)
class MemberInfo:
    """A device that joined."""

    kind: Kind
    name: str
    key: str
    functions: tuple[str, ...]
    """What a client may call; everything where none is named."""
    joined_at: float
    revoked_at: float
    """When it was shut out; 0 while it is not."""


@dataclass(frozen=True)
class GatewayStatus:
    """A gateway, and who is on its network."""

    version: str
    started_at: float
    gateways: tuple[str, ...]
    """The addresses by which other devices find it."""
    tls: bool
    folder: str
    """Where it keeps what has to last."""
    nodes: tuple[Node, ...]
    members: tuple[MemberInfo, ...]


class Owner:
    """Administers a gateway of this user's own."""

    def __init__(self, gateway: str, *, data_dir: Path | None = None) -> None:
        way_in = WayIn(Address.parse(gateway), "owner", data_dir or Settings().data_dir)
        self._way_in = way_in
        self._connection = Connection(Address.parse(gateway), way_in, name="owner", stays=True)

    async def __aenter__(self) -> "Owner":
        await self._connection.open(expect=self._way_in.server_id)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def invite(
        self,
        kind: Kind,
        name: str,
        *,
        functions: Sequence[str] = (),
        trusted: bool = False,
        rate: float = 0.0,
        expires_s: float = DAY_S,
    ) -> str:
        """A token with which one device may join as that; raises NameTaken or UsageError.

        A client may call `functions` only, named as `function` or `node.function`; all where none is named.
        A trusted node is as good as the owner's own. `rate` limits a client's messages a second.
        """
        content = [kind, name, list(functions), trusted, rate, expires_s]
        return str(await self._ask("invite", content))

    async def revoke(self, kind: Kind, name: str) -> None:
        """Cut a member off now and for good; raises UsageError where there is none of that name."""
        await self._ask("revoke", [kind, name])

    async def members(self) -> list[MemberInfo]:
        """Everybody who ever joined, clients first, by name."""
        answer = await self._ask("members")
        try:
            return [MemberInfo(k, n, key, tuple(f), at, until) for k, n, key, f, at, until, *_ in answer]
        except (TypeError, ValueError) as error:
            raise GatewayError("the gateway gave an answer that cannot be read") from error

    async def status(self) -> GatewayStatus:
        """The gateway as it is now, with its nodes and members."""
        members = tuple(await self.members())
        match await self._ask("status"):
            case [str(version), float(started_at), [*gateways], bool(tls), str(folder), [*nodes]]:
                there = tuple(Node.model_validate(node, extra="ignore") for node in nodes)
                return GatewayStatus(
                    version, started_at, tuple(map(str, gateways)), tls, folder, there, members
                )
            case _:
                raise GatewayError("the gateway gave an answer that cannot be read")

    async def drain(self, node: str) -> None:
        """Have a node take nothing new, finish what it runs, and leave; raises UsageError."""
        await self._ask("drain", node)

    async def _ask(self, what: str, content: Any = None) -> Any:
        return await ask(self._connection, f"adm.{self._connection.server_name}.{what}", content)
