"""What outlives a gateway: its network's keys, its own id, and its members."""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from easynet.core.errors import ServerNotStarted
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.certificates import TlsFiles, certificates_in
from easynet.fabric.access.members import Members
from easynet.fabric.gateway import folder_lock
from easynet.fabric.gateway.folder_lock import FolderBusy
from easynet.fabric.gateway.network_file import known_gateways, remember_gateways


class GatewayFolder:
    """The folder of a gateway that lasts; one that does not has everything made anew, and forgets it."""

    def __init__(self, path: Path | None, stack: AsyncExitStack) -> None:
        """It is this gateway's alone until `stack` is closed; `path` is None where nothing is to last.

        Raises ServerNotStarted or DataDirectoryUnusable.
        """
        self.path = path
        self._stack = stack
        if path is not None:
            _keep_others_out(path, stack)
        self.authority = Authority.kept_in(path) if path is not None else Authority.new()
        self.id = _id_kept_in(path) if path is not None else secrets.token_hex(4)
        """What names this gateway among those of its network."""
        self.members = Members(path / "members.db" if path is not None else None)
        stack.callback(self.members.close)

    def certificates(self, hosts: Sequence[str]) -> TlsFiles:
        """What the server shows to those that connect."""
        return certificates_in((self.path or self._temporary()) / "tls", hosts)

    def _temporary(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="easynet-gateway-")))

    @property
    def ca(self) -> str:
        """The network's certificate authority, where this gateway has served it before."""
        assert self.path is not None
        return (self.path / "tls" / "ca.pem").read_text("utf-8")

    def forget_rights(self) -> None:
        """Let go of what the server was told of accounts; it is told anew."""
        if self.path is not None:
            shutil.rmtree(self.path / "jwt", ignore_errors=True)

    def known_gateways(self) -> tuple[str, ...]:
        """The addresses of the network's gateways when it was last seen."""
        return known_gateways(self.path) if self.path is not None else ()

    def remember_gateways(self, addresses: Iterable[str]) -> None:
        """Know the network's gateways at the next start."""
        if self.path is not None:
            remember_gateways(self.path, addresses)


def _keep_others_out(path: Path, stack: AsyncExitStack) -> None:
    try:
        stack.enter_context(folder_lock.hold(path))
    except FolderBusy as busy:
        raise ServerNotStarted(
            f"a gateway works with {path} already" + (f": process {busy.pid}" if busy.pid else ""),
            hint="Stop that one first, or give this one a folder of its own.",
        ) from None


def _id_kept_in(path: Path) -> str:
    file = path / "id"
    with contextlib.suppress(FileExistsError), open(file, "x", encoding="utf-8") as new:
        new.write(secrets.token_hex(4))
    return file.read_text("utf-8")
