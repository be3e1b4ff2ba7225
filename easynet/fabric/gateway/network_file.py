"""What makes a gateway one of a network, as a file: the keys that decide there, and where the others are.

Whoever has it is the network. It is made on a machine that runs a gateway, and used on another one to run a
further gateway.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from easynet.core.errors import DataDirectoryUnusable, SettingsError, UsageError
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.certificates import certificates_in
from easynet.fabric.wire.address import Address

_VERSION: Final = 1
_KNOWN: Final = "gateways.json"
_MAX_KNOWN: Final = 16


def export_network(folder: Path, path: Path) -> None:
    """Write the keys of the gateway whose folder it is to a file that only this user can read.

    Raises SettingsError where there is no such gateway or the file is there already, DataDirectoryUnusable.
    """
    if not (folder / "authority.json").exists():
        raise SettingsError(
            f"no gateway has been started yet that keeps its keys in {folder}",
            hint="Start it once: easynet gateway start. Or name its folder: --data DIR.",
        )
    authority = Authority.kept_in(folder)
    tls = certificates_in(folder / "tls")
    content = {
        "version": _VERSION,
        "authority": authority.seeds(),
        "ca": tls.ca.read_text("utf-8"),
        "ca_key": (folder / "tls" / "ca.key").read_text("utf-8"),
        "gateways": list(known_gateways(folder)),
    }
    try:
        _write(path, content)
    except FileExistsError:
        raise SettingsError(f"{path} is there already", hint="Choose another name.") from None
    except OSError as error:
        raise DataDirectoryUnusable.at(path, error) from error


def import_network(path: Path, folder: Path) -> None:
    """Keep the keys of a network for a gateway of this machine, which is one of that network's from then on.

    Raises SettingsError where the file cannot be used, or the folder is that of another network's gateway.
    """
    content = _read(path)
    theirs = Authority.from_seeds(content["authority"])
    own = folder / "authority.json"
    if own.exists():
        if Authority.kept_in(folder).network != theirs.network:
            raise SettingsError(
                f"{folder} belongs to a gateway of another network",
                hint="Give the gateway a folder of its own: --data DIR.",
            )
        return
    try:
        (folder / "tls").mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("server.pem", "server.key", "ca.pem", "ca.key"):
            (folder / "tls" / name).unlink(missing_ok=True)
        _write(folder / "tls" / "ca.pem", content["ca"])
        _write(folder / "tls" / "ca.key", content["ca_key"])
        remember_gateways(folder, content["gateways"])
        _write(own, content["authority"])
    except OSError as error:
        raise DataDirectoryUnusable.at(folder, error) from error


def known_gateways(folder: Path) -> tuple[str, ...]:
    """The addresses of the network's gateways that were heard of here."""
    try:
        found = json.loads((folder / _KNOWN).read_text("utf-8"))
        return tuple(str(Address.parse(text)) for text in found)
    except (OSError, ValueError, TypeError, UsageError):
        return ()


def remember_gateways(folder: Path, addresses: Iterable[str]) -> None:
    """Keep the addresses of the network's gateways for the next start; raises DataDirectoryUnusable."""
    draft = folder / f".{_KNOWN}"
    heard = [str(Address.parse(address)) for address in addresses]
    known = list(dict.fromkeys([*heard, *known_gateways(folder)]))[:_MAX_KNOWN]
    try:
        draft.write_text(json.dumps(known), "utf-8")
        draft.replace(folder / _KNOWN)
    except OSError as error:
        raise DataDirectoryUnusable.at(folder, error) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["version"] != _VERSION:
            raise ValueError("it was written by a later version of EasyNet")
        Authority.from_seeds(content["authority"])
        if not (isinstance(content["ca"], str) and isinstance(content["ca_key"], str)):
            raise TypeError
        content["gateways"] = [str(Address.parse(text)) for text in content["gateways"]]
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror or error}") from error
    # A seed that is not one is told in many ways.
    except Exception as error:
        raise SettingsError(
            f"{path} is not the file of a network", hint="It is written by: easynet gateway export FILE."
        ) from error
    return dict(content)


def _write(path: Path, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
