"""What the tests of isolated processes share: a pool at work, and ways to watch other processes."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

from easynet.core.call import CallContext
from easynet.fabric.functions.isolated_target import target_of
from easynet.fabric.functions.isolation import ProcessPool
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.wire.decoding import decode
from easynet.fabric.wire.encoding import encode
from tests.patience import PATIENCE_S, within


class Bench:
    """A pool, with what a node would do around it."""

    def __init__(self, pool: ProcessPool, store: ArtifactStore, scratch: Path) -> None:
        self.pool = pool
        self.store = store
        self.reports: list[tuple[float | None, str]] = []
        self._scratch = scratch
        self._count = 0

    async def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        value = await self.pool.run(target_of(function), self.encoded(args, kwargs), self.context())
        return decode(value, self.store.read)

    async def stream(self, function: Callable[..., Any], *args: Any) -> AsyncGenerator[Any]:
        items = self.pool.stream(target_of(function), self.encoded(args, {}), self.context())
        async with aclosing(items):
            async for item in items:
                yield decode(item)

    def encoded(self, args: Any, kwargs: Any) -> bytes:
        return encode([list(args), kwargs], self.store.put, self.store.put_file)

    def context(self) -> CallContext:
        return CallContext(
            lambda *report: self.reports.append(report), self._folder, lambda: False, "the key"
        )

    def _folder(self) -> Path:
        self._count += 1
        folder = self._scratch / f"call-{self._count}"
        folder.mkdir(parents=True)
        return folder


def written(path: Path) -> str | None:
    """What a function has written, or None before it has."""
    return path.read_text() if path.exists() else None


async def there(path: Path) -> None:
    """Wait until a function has written something."""
    async with asyncio.timeout(PATIENCE_S):
        while written(path) is None:  # noqa: ASYNC110 (another process makes it)
            await asyncio.sleep(0.005)


async def numbers(path: Path) -> list[int]:
    """Wait until `with_child` has written the ids of its two processes."""
    async with asyncio.timeout(PATIENCE_S):
        while " " not in (written(path) or ""):  # noqa: ASYNC110 (another process writes it)
            await asyncio.sleep(0.005)
    return [int(number) for number in (written(path) or "").split()]


def lives(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def gone(*pids: int) -> None:
    async with within(2):
        while any(lives(pid) for pid in pids):  # noqa: ASYNC110 (the system ends them)
            await asyncio.sleep(0.005)
