"""The right to work on a run, held by one process at a time, which others may ask to stop.

It is a lock on a file. What somebody writes into the file while it is locked is a request to stop: it means
this work alone, because the file goes with the claim, and a file that was left behind is emptied first.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from easynet.core.errors import DataDirectoryUnusable, RunBusy
from easynet.core.ids import RunId


class Claim(Protocol):
    """The right to work on a run."""

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has asked for the work to stop."""
        ...


class _FileClaim:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @property
    def is_cancelled(self) -> bool:
        return os.fstat(self._descriptor).st_size > 0


def _locked(lock: Path) -> int | None:
    """A descriptor of the lock file with the lock held, or `None` where another process holds it."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        try:
            # A holder removes the file before it lets go, so this may be a lock on a file without a name.
            if os.stat(lock).st_ino == os.fstat(descriptor).st_ino:
                os.ftruncate(descriptor, 0)  # it may be left from a process that was killed
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


@contextmanager
def claim(folder: Path, run_id: RunId) -> Generator[Claim]:
    """Hold a run for the code inside; raises RunBusy where another process, or this one, holds it.

    The operating system lets go of it when the process dies, however it dies.
    """
    lock = folder / f"{run_id}.lock"
    try:
        descriptor = _locked(lock)
    except OSError as error:
        raise DataDirectoryUnusable.at(lock, error) from error
    if descriptor is None:
        raise RunBusy(
            f"another process is working on run {run_id}",
            hint="Wait for it to end, or stop it with `easynet runs cancel`.",
            zh=f"另一个进程正在执行运行 {run_id}",
            hint_zh="请等它结束，或用 `easynet runs cancel` 停止它。",
        )
    try:
        yield _FileClaim(descriptor)
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def is_claimed(folder: Path, run_id: RunId) -> bool:
    """Whether a living process holds the run."""
    return _look(folder / f"{run_id}.lock", request=b"")


def ask_to_cancel(folder: Path, run_id: RunId) -> bool:
    """Ask the process that holds the run to stop, as often as one likes; False where none holds it.

    Raises DataDirectoryUnusable where the request cannot be written down.
    """
    return _look(folder / f"{run_id}.lock", request=b"cancel\n")


def _look(lock: Path, request: bytes) -> bool:
    """Whether a living process holds the lock; it then finds the request in its file."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        if request:
            raise DataDirectoryUnusable.at(lock, error) from error
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            os.write(descriptor, request)
        except OSError as error:
            raise DataDirectoryUnusable.at(lock, error) from error
        return True
    else:
        return False
    finally:
        os.close(descriptor)
