"""How a device enters a network: its key, and what the network's gateway says that it may do."""

import contextlib
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from easynet.core.errors import DataDirectoryUnusable, GatewayUnreachable
from easynet.fabric.access.claims import read
from easynet.fabric.access.process import is_alive
from easynet.fabric.wire.address import Address

Kind = Literal["node", "client", "owner"]
M = TypeVar("M", bound=BaseModel)

_ANY_HOST: Final = ("0.0.0.0", "::")


class Membership(BaseModel):
    """What one device needs to enter one network as a node, as a client, or as the gateway's owner."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Kind
    name: str
    """Under which it is known: the node's name, or the client's id."""
    jwt: str = Field(repr=False)
    """What it may do, signed by the gateway."""
    seed: str = Field(repr=False)
    """Its private key."""
    gateways: tuple[str, ...] = ()
    """Addresses at which the network is entered."""
    ca: str = ""
    """The network's certificate authority in PEM; "" where it is not entered by TLS."""
    joined_at: float = 0.0
    """Unix seconds."""
    token: str = ""
    """The SHA-256 of the token that it was joined with."""

    @property
    def functions(self) -> tuple[str, ...]:
        """What the gateway lets a client call, as signed: `function` or `node.function`; () for all."""
        try:
            subjects = [str(s).split(".") for s in read(self.jwt)["nats"]["pub"]["allow"]]
        except (ValueError, KeyError, TypeError):  # the gateway will say
            return ()
        calls = [(s[1], s[4]) for s in subjects if len(s) == 5 and s[0] == "fn" and s[3] == "call"]
        if ("*", "*") in calls:
            return ()
        return tuple(name if node == "*" else f"{node}.{name}" for node, name in calls)


class LocalGateway(BaseModel):
    """A gateway on this machine, with the ways in that its process made for this user's processes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    server_id: str
    """Proves that the server at the port is still the one that was started."""
    pid: int
    """The process that runs the gateway."""
    host: str
    """On which it listens."""
    is_default: bool
    """Is used where no gateway is named."""
    node: Membership
    client: Membership
    owner: Membership

    def membership(self, kind: Kind) -> Membership:
        match kind:
            case "node":
                return self.node
            case "client":
                return self.client
            case "owner":
                return self.owner

    def is_at(self, address: Address) -> bool:
        """Whether that address, of the same port, is this gateway's."""
        return address.host == self.host or (address.is_loopback and self.host in (*_ANY_HOST, "localhost"))


def publish(gateway: LocalGateway, port: int, data_dir: Path) -> Path:
    """Leave the ways in where this user's processes look for them, and nobody else can read them."""
    return _write(data_dir / "gateways" / f"{port}.json", gateway)


def keep(membership: Membership, data_dir: Path) -> Path:
    """Remember a network that this device has joined, in the place of what it was there before."""
    return _write(data_dir / "memberships" / f"{membership.kind}-{_slug(membership)}.json", membership)


def forget(membership: Membership, data_dir: Path) -> None:
    """Leave a network for good. Does nothing where it was not joined."""
    (data_dir / "memberships" / f"{membership.kind}-{_slug(membership)}.json").unlink(missing_ok=True)


def joined(data_dir: Path) -> list[Membership]:
    """The networks that this device has joined, the latest first."""
    found = (_read(path, Membership) for path in (data_dir / "memberships").glob("*.json"))
    return sorted((m for m in found if m), key=lambda m: m.joined_at, reverse=True)


def sweep(data_dir: Path) -> None:
    """Remove what gateways left behind that were killed."""
    for path in (data_dir / "gateways").glob("*.json"):
        found = _read(path, LocalGateway)
        if found is None or not is_alive(found.pid):
            with contextlib.suppress(OSError):
                path.unlink()


def running(data_dir: Path) -> list[tuple[Address, LocalGateway]]:
    """The gateways of this user that run on this machine, by port."""
    found = ((path, _read(path, LocalGateway)) for path in sorted((data_dir / "gateways").glob("*.json")))
    return [(_address_of(path, local), local) for path, local in found if local and is_alive(local.pid)]


def default(data_dir: Path, kind: Kind) -> tuple[str, Membership] | None:
    """The gateway that is meant where none is named, with the way in; None where there is none.

    That is the one that this user runs on this machine, or else the one of the network joined last.
    """
    for address, local in running(data_dir):
        if local.is_default:
            return str(address), local.membership(kind)
    return next(((m.gateways[0], m) for m in joined(data_dir) if m.gateways and m.kind == kind), None)


def find(address: Address, kind: Kind, data_dir: Path, name: str = "") -> tuple[Membership, str]:
    """The way in at an address, and the id of the server there where that is known.

    `name` is a node's, which may have several memberships. Raises GatewayUnreachable.
    """
    local = _read(data_dir / "gateways" / f"{address.port}.json", LocalGateway)
    if local is not None and local.is_at(address) and is_alive(local.pid):
        return local.membership(kind), local.server_id
    mine = [m for m in joined(data_dir) if m.kind == kind and str(address) in _addresses(m)]
    for membership in mine:
        if name in ("", membership.name):
            return membership, ""
    here = [m for m in joined(data_dir) if str(address) in _addresses(m)]
    raise _no_way_in(address, kind, name, here, data_dir)


class WayIn:
    """A device's membership at one gateway, looked up anew at each connection.

    A gateway that ends with its process makes new memberships at each start.
    """

    def __init__(self, address: Address, kind: Kind, data_dir: Path, name: str = "") -> None:
        """Raises GatewayUnreachable where there is none."""
        self._where: tuple[Address, Kind, Path, str] = (address, kind, data_dir, name)
        self._membership, self.server_id = find(*self._where)

    def __call__(self) -> Membership:
        """The membership as it is now, or as it was last."""
        with contextlib.suppress(GatewayUnreachable):
            self._membership, self.server_id = find(*self._where)
        return self._membership

    def learn(self, gateways: Iterable[str]) -> None:
        """Remember further gateways of a network that was joined, for when the known ones are gone."""
        known = self._membership.gateways
        found = tuple(dict.fromkeys((*known, *(str(Address.parse(text)) for text in gateways))))
        if known and found != known:
            self._membership = self._membership.model_copy(update={"gateways": found})
            with contextlib.suppress(DataDirectoryUnusable):
                keep(self._membership, self._where[2])


def _no_way_in(
    address: Address, kind: Kind, name: str, here: Iterable[Membership], data_dir: Path
) -> GatewayUnreachable:
    """Why this device cannot enter there as that; `here` is what it has joined there as."""
    invitation = f"On its owner's machine: easynet invite {kind} --name NAME. Then here: easynet join TOKEN."
    if names := ", ".join(repr(m.name) for m in here if m.kind == kind):
        return GatewayUnreachable(
            f"this device has joined {address} as {names}, and not as {name!r}",
            hint="Use that name, or join with a token for the other one: easynet join TOKEN.",
        )
    if others := ", ".join(f"the {m.kind} {m.name!r}" for m in here):
        return GatewayUnreachable(
            f"this device has joined {address} as {others}, and not as a {kind}", hint=invitation
        )
    if address.is_loopback:
        return GatewayUnreachable(
            f"no gateway of this user runs at {address}",
            hint=f"Start one with `easynet gateway start --listen {address.host}:{address.port}`, "
            f"or check that both use the same data directory; this one is {data_dir}.",
        )
    return GatewayUnreachable(
        f"this device has not joined the network at {address} as a {kind}", hint=invitation
    )


def _address_of(path: Path, local: LocalGateway) -> Address:
    return Address("127.0.0.1" if local.host in _ANY_HOST else local.host, int(path.stem))


def _addresses(membership: Membership) -> set[str]:
    return {str(Address.parse(text)) for text in membership.gateways}


def _slug(membership: Membership) -> str:
    where = Address.parse(membership.gateways[0])
    return f"{where.host.replace(':', '_')}-{where.port}-{membership.name}"


def _write(path: Path, value: BaseModel) -> Path:
    draft = path.with_name(f".{path.stem}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(value.model_dump_json())
        draft.replace(path)
    except OSError as error:
        raise DataDirectoryUnusable.at(path.parent, error) from error
    return path


def _read(path: Path, kind: type[M]) -> M | None:
    try:
        return kind.model_validate(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, ValidationError):
        return None
