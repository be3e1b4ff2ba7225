"""Processes in which a node's functions run apart from the node."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easynet.core.call import CallContext
from easynet.core.errors import CallTimeout, EasyNetError, NodeRefused, SettingsError, UsageError
from easynet.fabric.functions.isolated_process import IsolatedFailure, IsolatedProcess, Settings
from easynet.fabric.functions.isolated_target import Target
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.wire.updates import End, Failure, Item, Progress, Result, Update


@dataclass(frozen=True)
class Isolation:
    """What functions that run in processes of their own are held to."""

    memory_bytes: int | None = None
    time_limit_s: float | None = None

    def pool(self, size: int, store: ArtifactStore, scratch: Path) -> "ProcessPool":
        """Processes for so many calls at once."""
        return ProcessPool(
            size, store, scratch, memory_bytes=self.memory_bytes, time_limit_s=self.time_limit_s
        )


class ProcessPool:
    """Up to `size` processes, each for one call at a time and used again.

    A process is ended, with all that it started, when its call exceeds `time_limit_s` or is cancelled and
    does not stop within half a second. The next call then finds another one in its place. A call that
    takes more than `memory_bytes` gets a MemoryError (see MemoryLimit for what counts).
    """

    def __init__(
        self,
        size: int,
        store: ArtifactStore,
        scratch: Path,
        *,
        memory_bytes: int | None = None,
        time_limit_s: float | None = None,
    ) -> None:
        if memory_bytes is not None and sys.platform != "linux":
            raise SettingsError("only Linux holds a process to a memory limit", hint="Leave the limit out.")
        if (memory_bytes is not None and memory_bytes <= 0) or (
            time_limit_s is not None and time_limit_s <= 0
        ):
            raise UsageError("a limit of nothing leaves no room for any call", hint="Leave the limit out.")
        self._size = size
        self._time_limit_s = time_limit_s
        self._settings = Settings(store.folder, scratch, memory_bytes)
        self._slots = asyncio.Semaphore(size)
        self._count = 0
        self._idle: list[IsolatedProcess] = []
        self._processes: set[IsolatedProcess] = set()
        self._spare: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def run(self, target: Target, arguments: bytes, context: CallContext) -> bytes:
        """The encoded result of a function for encoded arguments.

        Raises IsolatedFailure, CallTimeout or FunctionCrashed. Where the caller is cancelled, so is the
        call: the process is idle or gone when this returns.
        """
        time_left = _TimeLeft(self._time_limit_s, target.label)
        async with self._process() as process:
            await process.load(target)
            async with time_left.spend():
                await process.call(target, arguments, context, is_stream=False)
                match await _next_but_progress(process, context):
                    case Result(value):
                        return value
                    case Failure() as failure:
                        raise IsolatedFailure(failure)
                    case update:
                        raise AssertionError(f"{update!r} in place of a result")

    async def stream(self, target: Target, arguments: bytes, context: CallContext) -> AsyncGenerator[bytes]:
        """The encoded items of a generator function, each made when it is asked for.

        Raises as `run` does. The time limit is for the function's own time, without its consumer's. To be
        closed where it is not read to its end.
        """
        time_left = _TimeLeft(self._time_limit_s, target.label)
        async with self._process() as process:
            await process.load(target)
            async with time_left.spend():
                await process.call(target, arguments, context, is_stream=True)
                update = await _next_but_progress(process, context)
            while isinstance(update, Item):
                yield update.value
                async with time_left.spend():
                    await process.go_on()
                    update = await _next_but_progress(process, context)
            if isinstance(update, Failure):
                raise IsolatedFailure(update)
            assert isinstance(update, End)

    async def close(self) -> None:
        """End all processes, also those that are at work."""
        self._is_closed = True
        if self._spare is not None:
            self._spare.cancel()
            await asyncio.wait([self._spare])
        await asyncio.gather(*(process.end() for process in self._processes), *self._tasks)
        self._processes.clear()
        self._idle.clear()

    @contextlib.asynccontextmanager
    async def _process(self) -> AsyncGenerator[IsolatedProcess]:
        """Lend a process; what it is still at in the end is cancelled."""
        async with self._slots:
            process = await self._take()
            try:
                yield process
            finally:
                if process.is_usable and not self._is_closed:
                    self._idle.append(process)
                else:
                    # It is recovered even where the caller does not wait for it.
                    await asyncio.shield(self._keep(self._recover(process)))

    async def _take(self) -> IsolatedProcess:
        while not self._is_closed:
            while self._idle:
                process = self._idle.pop()
                if process.is_usable:
                    return process
                self._keep(self._recover(process))
            if self._spare is None:
                return await self._started()
            await asyncio.wait([self._spare])
        raise NodeRefused("the node has stopped")

    async def _started(self) -> IsolatedProcess:
        self._count += 1
        try:
            process = await IsolatedProcess.start(self._settings)
        except BaseException:
            self._count -= 1
            raise
        self._processes.add(process)
        if self._is_closed:  # meanwhile
            await self._discard(process)
            raise NodeRefused("the node has stopped")
        return process

    async def _recover(self, process: IsolatedProcess) -> None:
        """Make a process idle again, or put another one in its place."""
        if process.is_busy:
            await process.cancel()
        if process.is_usable and not self._is_closed:
            self._idle.append(process)
            return
        await self._discard(process)
        if self._count < self._size and not (self._idle or self._spare or self._is_closed):
            self._spare = asyncio.create_task(self._start_spare(process.loaded))

    async def _discard(self, process: IsolatedProcess) -> None:
        await process.end()
        if process in self._processes:
            self._processes.discard(process)
            self._count -= 1

    async def _start_spare(self, targets: Iterable[Target]) -> None:
        """Have a process ready before it is needed. A call that needs it is told what went wrong here."""
        try:
            process = await self._started()
            with contextlib.suppress(IsolatedFailure, EasyNetError):
                for target in targets:
                    await process.load(target)
            if process.is_usable:
                self._idle.append(process)
            else:
                await self._discard(process)
        except EasyNetError:
            pass
        finally:
            self._spare = None

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _TimeLeft:
    """What a call has left of its time limit."""

    def __init__(self, limit_s: float | None, label: str) -> None:
        self._limit_s = limit_s
        self._left_s = limit_s
        self._label = label

    @contextlib.asynccontextmanager
    async def spend(self) -> AsyncGenerator[None]:
        """Count the time that the code inside takes; raises CallTimeout when none is left."""
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        try:
            async with asyncio.timeout(self._left_s):
                yield
        except TimeoutError as error:
            raise CallTimeout(
                f"{self._label} did not finish within {self._limit_s:g} s, this node's limit for one call"
            ) from error
        if self._left_s is not None:
            self._left_s -= loop.time() - started_at


async def _next_but_progress(process: IsolatedProcess, context: CallContext) -> Update:
    while isinstance(update := await process.receive(), Progress):
        context.report(update.fraction, update.message)
    return update
