"""Who may enter a gateway: passwords made at its start, readable by the user who started it alone."""

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from easynet.core.errors import DataDirectoryUnusable, GatewayUnreachable
from easynet.fabric.address import Address
from easynet.fabric.process import is_alive


@dataclass(frozen=True)
class Login:
    """A user of the NATS server."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Credentials:
    """What a node and a client need to enter a gateway on this machine."""

    server_id: str
    """Proves that the server at the port is still the one that was started."""
    pid: int
    """The process that runs the gateway."""
    node: Login
    client: Login


def new_login(user: str) -> Login:
    """A login that nobody can guess."""
    return Login(user, secrets.token_urlsafe(24))


def _folder(data_dir: Path) -> Path:
    return data_dir / "gateways"


def publish(credentials: Credentials, port: int, data_dir: Path) -> Path:
    """Leave the credentials where this user's processes look for them, and nobody else can read them."""
    folder = _folder(data_dir)
    path = folder / f"{port}.json"
    draft = folder / f".{port}.{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(credentials), file)
        draft.replace(path)
    except OSError as error:
        raise DataDirectoryUnusable.at(folder, error) from error
    return path


def sweep(data_dir: Path) -> None:
    """Remove what gateways left behind that were killed."""
    for path in _folder(data_dir).glob("*.json"):
        found = _read(path)
        if found is None or not is_alive(found.pid):
            with contextlib.suppress(OSError):
                path.unlink()


def find(address: Address, data_dir: Path) -> Credentials:
    """The credentials for a gateway on this machine, as its process left them; raises GatewayUnreachable."""
    if not address.is_loopback:
        raise GatewayUnreachable(
            f"{address} is not on this machine",
            hint="This version reaches gateways on the same machine only; name one on 127.0.0.1.",
        )
    found = _read(_folder(data_dir) / f"{address.port}.json")
    if found is None or not is_alive(found.pid):
        raise GatewayUnreachable(
            f"no gateway of this user runs at {address}",
            hint=f"Start one with Server(port={address.port}).start(), "
            f"or check that both use the same data directory; this one is {data_dir}.",
        )
    return found


def _read(path: Path) -> Credentials | None:
    try:
        raw = json.loads(path.read_text("utf-8"))
        return Credentials(
            server_id=str(raw["server_id"]),
            pid=int(raw["pid"]),
            node=Login(**raw["node"]),
            client=Login(**raw["client"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None
