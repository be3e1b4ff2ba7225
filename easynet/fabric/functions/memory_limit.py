"""How much memory a function may take in its isolated process."""

import gc
import os
import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_STATM = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class MemoryLimit:
    """Lets the process hold `size_bytes` more than it holds with its libraries loaded.

    What is counted is private memory that can be written to (RLIMIT_DATA), whether or not it has been yet.
    The whole address space (RLIMIT_AS) would also count what is only reserved, 64 MiB for each thread and
    many GiB for a GPU's driver, and with it a small limit could not be used. Not counted are memory that
    processes share and what the function's module takes when it is loaded. A process that the function
    starts has the same limit for itself.
    """

    def __init__(self, size_bytes: int | None) -> None:
        self.size_bytes = size_bytes
        self._usual, self._hard = resource.getrlimit(resource.RLIMIT_DATA)
        self._floor = 0 if size_bytes is None else _held_bytes()
        self._was_hit = False

    @contextmanager
    def loading(self) -> Generator[None]:
        """Not count what the code inside takes."""
        before = 0 if self.size_bytes is None else _held_bytes()
        yield
        if self.size_bytes is not None:
            self._floor += max(0, _held_bytes() - before)

    @contextmanager
    def applied(self) -> Generator[None]:
        """Hold the code inside to the limit. Whoever reports its failure is free of it again."""
        if self.size_bytes is None:
            yield
            return
        self._set(self._floor + self.size_bytes)
        try:
            yield
        except MemoryError:
            self._was_hit = True
            raise
        finally:
            self._set(self._usual)

    def is_worn(self) -> bool:
        """Whether so much is left over from calls that the next one would not have its due."""
        if self.size_bytes is None:
            return False
        if self._left_over() > self.size_bytes // 4:
            gc.collect()
        return self._was_hit or self._left_over() > self.size_bytes // 4

    def _left_over(self) -> int:
        return _held_bytes() - self._floor

    def _set(self, soft: int) -> None:
        highest = [limit for limit in (self._usual, self._hard) if limit != resource.RLIM_INFINITY]
        if soft != resource.RLIM_INFINITY:
            soft = min([soft, *highest])
        resource.setrlimit(resource.RLIMIT_DATA, (soft, self._hard))


def _held_bytes() -> int:
    return int(_STATM.read_bytes().split()[5]) * _PAGE_BYTES
