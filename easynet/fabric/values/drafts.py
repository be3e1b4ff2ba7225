"""Files that arrive in parts."""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Final

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData

PART_BYTES: Final = 256 * 1024
"""Measured between 128 and 512 KiB: smaller parts cost a sixth more time, larger ones gain nothing."""


class Draft:
    """A file of known content that arrives in parts. Those that are there outlive the process.

    Behind the bytes, the file has one byte for each part that is there; they are cut off when it is whole.
    A part that is there is not written again, so nothing changes that was counted into the digest. One
    process at a time has the file open, and one thread at a time uses this object.
    """

    def __init__(self, path: Path, artifact: Artifact) -> None:
        """Raises BlockingIOError where another process, or this one, has the file open; OSError."""
        self.path = path
        self.artifact = artifact
        self._count = -(-artifact.size_bytes // PART_BYTES)
        self._descriptor = _locked(path)
        try:
            self._record = self._read_record()
        except BaseException:
            self.close()
            raise
        self.was_begun = any(self._record)
        """Whether some parts were there already."""
        self._sha256 = hashlib.sha256()
        self._hashed = 0

    @property
    def record(self) -> bytes:
        """One byte for each part: 1 where it is there, otherwise 0."""
        return bytes(self._record)

    def write(self, offset: int, data: bytes) -> None:
        """Keep a part; does nothing where it is there. Raises OSError, or BadData where it does not fit."""
        number, rest = divmod(offset, PART_BYTES)
        if (
            rest
            or not 0 <= number < self._count
            or len(data) != min(PART_BYTES, self.artifact.size_bytes - offset)
        ):
            raise BadData("a part that does not fit its artifact")
        if self._record[number]:
            return
        self._write_all(data, offset)
        # Noted behind the part itself, so that a process that dies in between has noted nothing false.
        self._write_all(b"\x01", self.artifact.size_bytes + number)
        self._record[number] = 1
        if number == self._hashed:
            self._hash(data)

    def finish(self) -> None:
        """Leave nothing but the bytes, which are those of the artifact; raises BadData where they are not."""
        if not all(self._record):
            raise BadData("the artifact did not arrive whole")
        while self._hashed < self._count:
            offset = self._hashed * PART_BYTES
            size = min(PART_BYTES, self.artifact.size_bytes - offset)  # the record follows
            self._hash(os.pread(self._descriptor, size, offset))
        if self._sha256.hexdigest() != self.artifact.digest:
            raise BadData("the bytes that arrived are not those of the artifact")
        os.ftruncate(self._descriptor, self.artifact.size_bytes)

    def close(self) -> None:
        """Let go of the file, which stays. Does nothing the second time."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def drop(self) -> None:
        """Remove the file. Does nothing where it is closed."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                self.path.unlink()
            self.close()

    def _read_record(self) -> bytearray:
        size = self.artifact.size_bytes
        if os.fstat(self._descriptor).st_size != size + self._count:
            os.ftruncate(self._descriptor, 0)
            os.ftruncate(self._descriptor, size + self._count)
        record = bytearray(os.pread(self._descriptor, self._count, size))
        return record if len(record) == self._count else bytearray(self._count)

    def _write_all(self, data: bytes, offset: int) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._descriptor, view, offset)
            view, offset = view[written:], offset + written

    def _hash(self, data: bytes) -> None:
        self._sha256.update(data)
        self._hashed += 1


def offsets_of_missing(record: bytes) -> list[int]:
    """Where the parts begin that a draft's record says are not there."""
    return [number * PART_BYTES for number, there in enumerate(record) if not there]


def is_in_use(path: Path) -> bool:
    """Whether a process has the draft open."""
    try:
        os.close(_locked(path, os.O_RDWR))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _locked(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """The file, opened for this object alone; the operating system lets go of it when the process dies."""
    while True:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between the two, its former owner may have made an artifact of it, which is not to be written.
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
