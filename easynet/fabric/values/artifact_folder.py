"""The folder of an artifact store: which file is where, and how it comes there."""

import contextlib
import os
import secrets
import time
from collections.abc import Generator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final

from easynet.core.artifact import Artifact
from easynet.core.errors import DataDirectoryUnusable
from easynet.fabric.values.retention import USED_AGAIN_S

_MAX_PROVEN: Final = 10_000


class ArtifactFolder:
    """A folder of files, each under the digest of its bytes. Any number of processes may use it at once.

    A file appears whole or not at all, and is never changed afterwards.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._proven: dict[str, tuple[int, int]] = {}

    @cached_property
    def identity(self) -> str:
        """Tells this folder from every other; the same for all processes that use it."""
        kept_at = self.path / ".identity"
        with self.trouble():
            if not kept_at.exists():
                draft = self.incoming(secrets.token_hex(8))
                draft.write_text(secrets.token_hex(16), "ascii")
                with contextlib.suppress(FileExistsError):
                    kept_at.hardlink_to(draft)
                draft.unlink()
            return kept_at.read_text("ascii")

    def place(self, artifact: Artifact) -> Path:
        """Where the bytes are, if they are here."""
        return self.path / artifact.digest[:2] / artifact.digest

    def found(self, artifact: Artifact) -> tuple[int, int] | None:
        """What tells the file from a later one of its name; None where it is not here.

        Asking counts as use.
        """
        place = self.place(artifact)
        try:
            found = place.stat()
            if found.st_size != artifact.size_bytes:
                return None
            if time.time() - found.st_mtime > USED_AGAIN_S:
                os.utime(place)
                found = place.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def is_proven(self, artifact: Artifact, found: tuple[int, int]) -> bool:
        """Whether this process knows what is in a file that nobody has touched since."""
        return self._proven.get(artifact.digest) == found

    def prove(self, artifact: Artifact, found: tuple[int, int]) -> None:
        """The file was found to hold what it should."""
        if len(self._proven) >= _MAX_PROVEN:
            self._proven.clear()
        self._proven[artifact.digest] = found

    def incoming(self, name: str) -> Path:
        """Where a file that is not whole yet lies."""
        folder = self.path / ".incoming"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / name

    @contextlib.contextmanager
    def new_file(self) -> Generator[tuple[Path, BinaryIO]]:
        """A file to write to, which is gone afterwards unless it is taken in."""
        with self.trouble():
            path = self.incoming(secrets.token_hex(8))
            try:
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    yield path, file
            finally:
                path.unlink(missing_ok=True)

    def take_in(self, path: Path, artifact: Artifact) -> None:
        """Make an artifact of a file that holds exactly its bytes."""
        place = self.place(artifact)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        path.chmod(0o400)
        # The same digest means the same bytes, so it does not matter which of two writers is last.
        path.replace(place)
        if (found := self.found(artifact)) is not None:
            self.prove(artifact, found)

    @contextlib.contextmanager
    def trouble(self) -> Generator[None]:
        """The folder's failures in this project's words."""
        try:
            yield
        except OSError as error:
            raise DataDirectoryUnusable.at(self.path, error) from error
