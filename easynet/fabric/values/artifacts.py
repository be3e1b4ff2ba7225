"""Large values and files on disk, each under the digest of what it contains."""

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Final

from easynet.core.artifact import Artifact, own_name
from easynet.core.errors import BadData, DataDirectoryUnusable
from easynet.fabric.values import retention
from easynet.fabric.values.artifact_folder import ArtifactFolder
from easynet.fabric.values.drafts import Draft
from easynet.fabric.wire.blobs import Blob, blob_begins

TIDY_EVERY_S: Final = 3600.0
_BLOCK_BYTES: Final = 1024 * 1024


class ArtifactStore:
    """A folder of artifacts. Any number of processes may use it at once.

    What nobody has used for long is removed in time; see `retention`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = ArtifactFolder(folder)

    @property
    def identity(self) -> str:
        """Tells this store from every other; the same for all processes that use it."""
        return self._files.identity

    def put(self, *pieces: bytes) -> Artifact:
        """Keep what one or several pieces are together; raises DataDirectoryUnusable."""
        artifact = artifact_of(pieces)
        if not self.has(artifact):
            with self._files.new_file() as (path, file):
                file.writelines(pieces)
                file.flush()
                self._files.take_in(path, artifact)
        return artifact

    def put_file(self, path: Path) -> Artifact:
        """Keep a copy of a file, under its own name; raises BadData where there is none."""
        digest = hashlib.sha256()
        size_bytes = 0
        block = bytearray(_BLOCK_BYTES)
        view = memoryview(block)
        with _opened(path) as source, self._files.new_file() as (draft, file):
            while count := source.readinto(block):
                digest.update(view[:count])
                size_bytes += count
                file.write(view[:count])
            file.flush()
            artifact = Artifact(
                digest=digest.hexdigest(), size_bytes=size_bytes, filename=own_name(path.name) or "file"
            )
            self._files.take_in(draft, artifact)
        return artifact

    def has(self, artifact: Artifact) -> bool:
        """Whether the bytes are here. Asking counts as use."""
        return self._files.found(artifact) is not None

    def keep(self, artifact: Artifact, for_s: float) -> None:
        """See that an artifact that is here stays for so long, as if it were used until then."""
        until = time.time() + for_s
        with contextlib.suppress(OSError):
            place = self._files.place(artifact)
            if place.stat().st_mtime < until - retention.USED_AGAIN_S:
                os.utime(place, (until, until))

    def path(self, artifact: Artifact) -> Path:
        """The file that holds the bytes; not to be changed. Raises BadData where it is not here."""
        if not self.has(artifact):
            raise self._absent(artifact)
        return self._files.place(artifact)

    def open(self, artifact: Artifact) -> FileIO:
        """The file that holds the bytes, to read parts of it; raises BadData where it is not here."""
        return _opened(self.path(artifact))

    def value(self, artifact: Artifact) -> bytes | Blob:
        """The bytes of an encoded value, to be decoded; raises BadData."""
        with self.open(artifact) as file:
            begins = blob_begins(file.read(16), artifact.size_bytes)
        data = self.read(artifact, begins)
        return Blob(data) if begins else data

    def read(self, artifact: Artifact, begin: int = 0) -> bytes:
        """The bytes, or those from `begin` on, proven to be those that were put; raises BadData."""
        found = self._files.found(artifact)
        if found is None:
            raise self._absent(artifact)
        try:
            with open(self._files.place(artifact), "rb", buffering=0) as file:
                head, data = file.read(begin), file.readall()
        except OSError as error:
            raise BadData(f"cannot read {_named(artifact)} in {self.folder}: {error.strerror}") from error
        # What this process has proven is not hashed again while nobody has touched the file.
        if not self._files.is_proven(artifact, found):
            if artifact_of((head, data)).digest != artifact.digest:
                with contextlib.suppress(OSError):
                    self._files.place(artifact).unlink()
                raise BadData(f"{_named(artifact)} is damaged in {self.folder}")
            self._files.prove(artifact, found)
        return data

    def copy(self, artifact: Artifact, target: Path) -> None:
        """Write the bytes to a file of the caller's own; raises BadData or DataDirectoryUnusable."""
        source = self.path(artifact)
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise DataDirectoryUnusable(f"cannot write {target}: {error.strerror or error}") from error

    def open_draft(self, artifact: Artifact, owner: str = "") -> Draft:
        """The file for an artifact that arrives in parts, with the parts that arrived before.

        Each owner has drafts of its own. Where another process has this very draft open, it is a new one
        without anything in it. Raises DataDirectoryUnusable.
        """
        with self._files.trouble():
            path = self._files.incoming(draft_name(artifact, owner))
            try:
                return Draft(path, artifact)
            except BlockingIOError:
                return Draft(path.with_name(f"{path.name}.{secrets.token_hex(4)}"), artifact)

    def write_part(self, draft: Draft, offset: int, data: bytes) -> None:
        """Keep a part of a draft; raises BadData, or DataDirectoryUnusable and then the draft is gone."""
        try:
            with self._files.trouble():
                draft.write(offset, data)
        except DataDirectoryUnusable:
            draft.drop()
            raise

    def adopt(self, draft: Draft) -> None:
        """Make an artifact of a draft; where it raises BadData or DataDirectoryUnusable, that is gone."""
        try:
            with self._files.trouble():
                draft.finish()
                self._files.take_in(draft.path, draft.artifact)
            draft.close()
        finally:
            draft.drop()

    def drafts_of(self, owner: str) -> int:
        """How many artifacts of an owner's are on their way."""
        return sum(1 for _ in (self.folder / ".incoming").glob(f"*.{_token(owner)}*"))

    def tidy(self) -> None:
        """Remove what nobody has used for long, and what was left behind unfinished.

        At most once an hour, whichever process does it.
        """
        now = time.time()
        mark = self.folder / ".tidied"
        with contextlib.suppress(OSError):
            if not mark.exists() or now - mark.stat().st_mtime >= TIDY_EVERY_S:
                mark.touch(0o600)
                retention.sweep(self.folder, now, retention.limit_bytes(self.folder))

    def room_bytes(self) -> int:
        """How much more the disk takes."""
        with self._files.trouble():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return retention.room_bytes(self.folder)

    def _absent(self, artifact: Artifact) -> BadData:
        return BadData(
            f"{_named(artifact)} is not in {self.folder}",
            hint=f"What nobody has used for {retention.MAX_AGE_S // retention.DAY_S} days is removed.",
        )


def artifact_of(pieces: Sequence[bytes]) -> Artifact:
    """What refers to several pieces that belong together."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return Artifact(digest=digest.hexdigest(), size_bytes=sum(map(len, pieces)))


def draft_name(artifact: Artifact, owner: str) -> str:
    """What the file of an artifact on its way is called."""
    return f"{artifact.digest}.{_token(owner)}"


def _token(owner: str) -> str:
    """The owner's name, harmless as a part of a file's."""
    return hashlib.sha256(owner.encode()).hexdigest()[:16]


def _named(artifact: Artifact) -> str:
    return f"the artifact {artifact.filename or artifact.digest[:12]}"


def _opened(path: Path) -> FileIO:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            # Opening a pipe waits for its writer, and a device may never end.
            raise BadData(f"cannot read the file {path}: not a regular file")
        return open(path, "rb", buffering=0)
    except OSError as error:
        raise BadData(f"cannot read the file {path}: {error.strerror or error}") from error
