"""A folder that one process at a time works in."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from easynet.core.errors import DataDirectoryUnusable


class FolderBusy(Exception):
    """Another process, or this one, works in the folder; `pid` is its number, or 0 where that is unknown."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"process {pid} works there")
        self.pid = pid


@contextmanager
def hold(folder: Path) -> Generator[None]:
    """Keep a folder, made where it is missing, for the code inside; raises FolderBusy.

    The operating system lets go of it when the process dies, however it dies. The file of the lock stays:
    removing it would leave two processes with locks on two files of one name.
    """
    path = folder / "lock"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataDirectoryUnusable.at(path, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.pread(descriptor, 20, 0)
            raise FolderBusy(int(written) if written.isdigit() else 0) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
