"""Large values and files on disk, each under the digest of what it contains."""

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, Final

from easynet.core.artifact import Artifact, own_name
from easynet.core.errors import BadData, DataDirectoryUnusable

_STALE_AFTER_S: Final = 24 * 3600
_BLOCK_BYTES: Final = 1024 * 1024


class ArtifactStore:
    """A folder of artifacts. Any number of processes may use it at once.

    A file appears under its digest whole or not at all, and is never changed afterwards.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put_bytes(self, data: bytes, filename: str = "") -> Artifact:
        """Keep bytes; raises DataDirectoryUnusable."""
        artifact = Artifact(
            digest=hashlib.sha256(data).hexdigest(), size_bytes=len(data), filename=own_name(filename)
        )
        if not self.has(artifact):
            with self._draft() as (draft, file):
                file.write(data)
                file.flush()
                self._adopt(draft, artifact)
        return artifact

    def put_file(self, path: Path) -> Artifact:
        """Keep a copy of a file, under its own name; raises BadData where there is none."""
        digest = hashlib.sha256()
        size_bytes = 0
        with _opened(path) as source, self._draft() as (draft, file):
            while block := source.read(_BLOCK_BYTES):
                digest.update(block)
                size_bytes += len(block)
                file.write(block)
            file.flush()
            artifact = Artifact(
                digest=digest.hexdigest(), size_bytes=size_bytes, filename=own_name(path.name) or "file"
            )
            self._adopt(draft, artifact)
        return artifact

    def has(self, artifact: Artifact) -> bool:
        """Whether the bytes are here."""
        try:
            return self._place(artifact).stat().st_size == artifact.size_bytes
        except OSError:
            return False

    def path(self, artifact: Artifact) -> Path:
        """The file that holds the bytes; not to be changed. Raises BadData where it is not here."""
        if not self.has(artifact):
            raise BadData(f"the artifact {artifact.filename or artifact.digest[:12]} is not in {self.folder}")
        return self._place(artifact)

    def read(self, artifact: Artifact) -> bytes:
        """The bytes, proven to be those that were put; raises BadData."""
        data = self.path(artifact).read_bytes()
        if hashlib.sha256(data).hexdigest() != artifact.digest:
            with contextlib.suppress(OSError):
                self._place(artifact).unlink()
            raise BadData(
                f"the artifact {artifact.filename or artifact.digest[:12]} is damaged in {self.folder}"
            )
        return data

    def read_part(self, artifact: Artifact, offset: int, size_bytes: int) -> bytes:
        """Some of the bytes, unchecked."""
        with open(self.path(artifact), "rb") as file:
            file.seek(offset)
            return file.read(size_bytes)

    def write_part(self, transfer: str, offset: int, data: bytes) -> None:
        """Keep some of the bytes of an artifact that is arriving in parts."""
        with self._trouble():
            descriptor = os.open(self._incoming(transfer), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(descriptor, data, offset)
            finally:
                os.close(descriptor)

    def adopt_parts(self, transfer: str, artifact: Artifact) -> None:
        """Make an artifact of the parts that have arrived; raises BadData where they are not its bytes."""
        draft = self._incoming(transfer)
        try:
            with open(draft, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != artifact.digest or draft.stat().st_size != artifact.size_bytes:
                raise BadData("the bytes that arrived are not those of the artifact")
            self._adopt(draft, artifact)
        except OSError as error:
            raise BadData(f"the artifact did not arrive whole: {error.strerror or error}") from error
        finally:
            draft.unlink(missing_ok=True)

    def drop_parts(self, transfer: str) -> None:
        """Forget an artifact that will not arrive."""
        with contextlib.suppress(OSError):
            self._incoming(transfer).unlink(missing_ok=True)

    def copy(self, artifact: Artifact, target: Path) -> None:
        """Write the bytes to a file of the caller's own; raises BadData or DataDirectoryUnusable."""
        source = self.path(artifact)
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise DataDirectoryUnusable(f"cannot write {target}: {error.strerror or error}") from error

    def sweep(self) -> None:
        """Remove what processes left behind that were killed while they wrote."""
        for draft in self.folder.glob(".incoming/*"):
            with contextlib.suppress(OSError):
                if time.time() - draft.stat().st_mtime > _STALE_AFTER_S:
                    draft.unlink()

    def _place(self, artifact: Artifact) -> Path:
        return self.folder / artifact.digest[:2] / artifact.digest

    def _incoming(self, transfer: str) -> Path:
        folder = self.folder / ".incoming"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / transfer

    @contextlib.contextmanager
    def _draft(self) -> Generator[tuple[Path, BinaryIO]]:
        with self._trouble():
            draft = self._incoming(secrets.token_hex(8))
            try:
                with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    yield draft, file
            finally:
                draft.unlink(missing_ok=True)

    def _adopt(self, draft: Path, artifact: Artifact) -> None:
        with self._trouble():
            place = self._place(artifact)
            place.parent.mkdir(exist_ok=True, mode=0o700)
            draft.chmod(0o400)
            # The same digest means the same bytes, so it does not matter which of two writers is last.
            draft.replace(place)

    @contextlib.contextmanager
    def _trouble(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise DataDirectoryUnusable.at(self.folder, error) from error


def _opened(path: Path) -> BinaryIO:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            # Opening a pipe waits for its writer, and a device may never end.
            raise BadData(f"cannot read the file {path}: not a regular file")
        return open(path, "rb")
    except OSError as error:
        raise BadData(f"cannot read the file {path}: {error.strerror or error}") from error
