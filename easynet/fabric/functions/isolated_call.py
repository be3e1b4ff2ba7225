"""One call in an isolated process, from its arguments to its last update."""

from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from easynet.core.call import CallContext, Cancelled, call_context
from easynet.core.errors import ArgumentMismatch, BadData, VersionMismatch
from easynet.fabric.functions.call_files import CallFiles
from easynet.fabric.functions.function import Function
from easynet.fabric.functions.isolated_reports import Reports
from easynet.fabric.functions.memory_limit import MemoryLimit
from easynet.fabric.functions.scratch import ScratchFolders
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.wire.decoding import decode
from easynet.fabric.wire.encoding import encode
from easynet.fabric.wire.failures import failure_of
from easynet.fabric.wire.updates import End, Failure, Item, Result, Update

if TYPE_CHECKING:
    import asyncio

_AROUND = ("easynet.fabric.", "asyncio.", "importlib.")
"""Modules between this process's start and the function."""


@dataclass(frozen=True)
class Surroundings:
    """What all calls of a process use."""

    store: ArtifactStore
    folders: ScratchFolders
    limit: MemoryLimit
    runner: "Callable[[], asyncio.Runner]"
    """Gives the event loop that all coroutines of the process run on, one call after the other."""


class IsolatedCall:
    """Runs a function for the node. `go_on` and `cancel` come from another thread."""

    def __init__(self, arguments: bytes, is_stream: bool, scratch: Path, key: str, reports: Reports) -> None:
        self._encoded_arguments = arguments
        self._is_stream = is_stream
        self._reports = reports
        self._context = CallContext(reports.report, lambda: scratch, lambda: self._is_cancelled, key)
        self._is_cancelled = False
        self._wishes: SimpleQueue[bool] = SimpleQueue()
        self._on_wish: Callable[[], object] | None = None
        self._on_cancel: Callable[[], object] | None = None

    def go_on(self) -> None:
        """The consumer of a stream wants another item."""
        self._wishes.put(True)
        if self._on_wish is not None:
            self._on_wish()

    def cancel(self) -> None:
        """The caller has given up: stop as soon as the function allows."""
        self._is_cancelled = True
        self._wishes.put(False)
        if self._on_cancel is not None:
            self._on_cancel()

    def run(self, function: Function, around: Surroundings) -> Update:
        """The last update. Never raises on behalf of the function."""
        files = CallFiles(around.store, around.folders)
        try:
            with call_context(self._context), around.limit.applied():
                if function.capability.streaming != self._is_stream:
                    raise VersionMismatch(
                        f"{function.capability.name} has changed since the node was started",
                        hint="Start the node again.",
                    )
                if function.blocks:
                    return self._run_sync(function, files, around.store)
                work = self._run_async(function, files, around.store)
                return around.runner().run(work, context=copy_context())
        # Whatever the function raises is the caller's to see; only this process goes on.
        except BaseException as error:
            return failure(error, around.limit)
        finally:
            files.remove()
            self._reports.close()

    def _run_sync(self, function: Function, files: CallFiles, store: ArtifactStore) -> Update:
        args, kwargs = self._arguments(function, files, store)
        if self._is_cancelled:
            raise Cancelled
        given = function.call(*args, **kwargs)
        if not self._is_stream:
            return Result(_encoded(given, store))
        try:
            for item in given:
                self._reports.send(Item(_encoded(item, store)))
                if not self._wishes.get():
                    break
        finally:
            given.close()
        return End()

    async def _run_async(self, function: Function, files: CallFiles, store: ArtifactStore) -> Update:
        import asyncio  # takes a tenth of the process's start, and most functions need none

        loop, task, wished = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
        assert task is not None
        self._on_wish = lambda: loop.call_soon_threadsafe(wished.set)
        self._on_cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        args, kwargs = self._arguments(function, files, store)
        if self._is_cancelled:
            raise Cancelled
        given = function.call(*args, **kwargs)
        if not self._is_stream:
            return Result(_encoded(await given, store))
        try:
            async for item in given:
                wished.clear()
                self._reports.send(Item(_encoded(item, store)))
                await wished.wait()
        finally:
            await given.aclose()
        return End()

    def _arguments(
        self, function: Function, files: CallFiles, store: ArtifactStore
    ) -> tuple[list[Any], dict[str, Any]]:
        encoded, self._encoded_arguments = self._encoded_arguments, b""  # not held on to for the whole call
        match decode(encoded, store.value):
            case [list(), dict()] as both if all(isinstance(name, str) for name in both[1]):
                args, kwargs = files.in_place_of(both)
            case _:
                raise BadData("arguments that are not a list and a mapping of names")
        if problem := function.capability.mismatch(tuple(args), kwargs):
            raise ArgumentMismatch(problem)
        return function.with_objects(args, kwargs)


def failure(error: BaseException, limit: MemoryLimit) -> Failure:
    """What the caller is told; the traceback begins in the function."""
    trace = error.__traceback__
    while trace is not None and f"{trace.tb_frame.f_globals.get('__name__', '')}.".startswith(_AROUND):
        trace = trace.tb_next
    told = failure_of(error, raised_in=trace)
    if isinstance(error, MemoryError) and limit.size_bytes is not None:
        size = f"{limit.size_bytes / 2**20:,.0f} MiB"
        message = f"the function needs more than {size} of memory, the limit of this node for one call"
        told = replace(told, message=f"{message} ({told.message})" if told.message else message)
    return told


def _encoded(value: Any, store: ArtifactStore) -> bytes:
    return encode(value, store.put, store.put_file)
