"""The right to work on a run, held by one process at a time."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from easynet.core.errors import DataDirectoryUnusable, RunBusy
from easynet.core.ids import RunId


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
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


@contextmanager
def claim(folder: Path, run_id: RunId) -> Generator[None]:
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
            f"another process is working on run {run_id}", hint="Wait for it to end, or stop it first."
        )
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def is_claimed(folder: Path, run_id: RunId) -> bool:
    """Whether a living process holds the run."""
    try:
        descriptor = os.open(folder / f"{run_id}.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
