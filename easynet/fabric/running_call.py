"""One call at a node, from the arrival of its message to its last update."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, Final

from easynet.core.call import CallContext, Cancelled, call_context
from easynet.core.errors import ArgumentMismatch, BadData, CallTimeout, NodeRefused
from easynet.fabric import codec
from easynet.fabric.call_files import CallFiles
from easynet.fabric.envelope import Alive, Call, End, Failure, Item, Progress, Result, Update
from easynet.fabric.failures import failure_of
from easynet.fabric.functions import Function
from easynet.fabric.scratch import ScratchFolders
from easynet.fabric.threads import ThreadPool
from easynet.fabric.transfer import Transfer

STREAM_WINDOW: Final = 64
"""Items that a generator may be ahead of its consumer."""
_PROGRESS_EVERY_S: Final = 0.1
_MAX_PROGRESS_CHARACTERS: Final = 2000
_DONE: Final = object()

Send = Callable[[Update], Awaitable[None]]


class RunningCall:
    """Runs a function for a caller and tells the caller how it goes."""

    def __init__(
        self,
        call: Call,
        function: Function,
        send: Send,
        *,
        transfer: Transfer,
        threads: ThreadPool,
        folders: ScratchFolders,
    ) -> None:
        self.call = call
        self.function = function
        self._send_update = send
        self._transfer = transfer
        self._threads = threads
        self._folders = folders
        self._files = CallFiles(transfer.store, folders)
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False
        self._answered = False
        self._is_running = False
        self._given = 0
        self._wanted = STREAM_WINDOW
        self._wanted_more = asyncio.Event()
        self._progress: Progress | None = None
        self._progress_timer: asyncio.TimerHandle | None = None
        self._progress_sent_at = 0.0
        self._sending: asyncio.Task[None] | None = None

    async def run(self, slots: asyncio.Semaphore) -> None:
        """Wait for a slot, run the function, answer. Never raises on behalf of the function."""
        self._task = asyncio.current_task()
        expiry = None
        if self.call.deadline_s is not None:
            expiry = self._loop.call_later(self.call.deadline_s, self._expire)
        try:
            async with slots:
                if not self._cancelled:
                    await self._answer()
        except asyncio.CancelledError:
            if not self._cancelled:  # not the caller gave up, but the node
                raise
        finally:
            if expiry is not None:
                expiry.cancel()
            if self._progress_timer is not None:
                self._progress_timer.cancel()

    def cancel(self) -> None:
        """The caller has given up: stop as soon as the function allows."""
        self._cancelled = self._answered = True
        self._wanted_more.set()
        # A thread cannot be stopped from outside; it looks at the flag.
        if self._task is not None and not (self._is_running and self.function.blocks):
            self._task.cancel()

    async def refuse(self) -> None:
        """The node stops: tell the caller, who may go elsewhere, and cancel."""
        await self._finish(failure_of(NodeRefused("the node stopped before the call was finished")))
        self.cancel()

    def grant(self, consumed: int) -> None:
        """The consumer of a stream has taken `consumed` items."""
        self._wanted = max(self._wanted, consumed + STREAM_WINDOW)
        self._wanted_more.set()

    async def keep_alive(self) -> None:
        """Tell the caller that the call still waits or runs."""
        await self._send(Alive())

    def _expire(self) -> None:
        late = CallTimeout(f"{self.call.function} did not finish within {self.call.deadline_s:g} s")
        self._sending = self._loop.create_task(self._finish(failure_of(late)))
        self._sending.add_done_callback(lambda _: self.cancel())

    async def _answer(self) -> None:
        self._is_running = True
        scratch = self._folders.lend()
        context = CallContext(self._report, scratch, lambda: self._cancelled)
        try:
            with call_context(context):
                await self._finish(await self._outcome())
        finally:
            self._folders.take_back(scratch)
            self._files.remove()

    async def _outcome(self) -> Update:
        try:
            if wanted := codec.references(self.call.arguments):
                await self._transfer.pull_all(wanted)
            match self.function.manner:
                case "sync":
                    return await self._stored(await self._threads.run(self._run_sync))
                case "async":
                    args, kwargs = self._arguments()
                    return await self._stored(self._encoded(await self.function.call(*args, **kwargs)))
                case "generator":
                    return await self._run_generator()
                case "async generator":
                    return await self._run_async_generator()
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return self._failure(error)  # the function raised it by itself
        # Whatever the function raises is the caller's to see; only this node goes on.
        except BaseException as error:
            return self._failure(error)

    def _run_sync(self) -> bytes:
        args, kwargs = self._arguments()
        if self._cancelled:
            raise Cancelled
        return self._encoded(self.function.call(*args, **kwargs))

    async def _run_generator(self) -> Update:
        context = copy_context()
        args, kwargs = await self._threads.run(self._arguments)
        items = self.function.call(*args, **kwargs)

        def advance() -> Any:
            item = next(items, _DONE)
            return item if item is _DONE else self._encoded(item)

        try:
            while (value := await self._threads.run(advance, context)) is not _DONE:
                if not await self._give(value):
                    break
        finally:
            await self._threads.run(items.close, context)
        return End()

    async def _run_async_generator(self) -> Update:
        args, kwargs = self._arguments()
        items = self.function.call(*args, **kwargs)
        try:
            async for item in items:
                if not await self._give(self._encoded(item)):
                    break
        finally:
            await items.aclose()
        return End()

    async def _give(self, value: bytes) -> bool:
        """Send an item once the consumer is near enough; False where it has gone."""
        while self._given >= self._wanted and not self._cancelled:
            self._wanted_more.clear()
            await self._wanted_more.wait()
        if self._cancelled:
            return False
        self._given += 1
        await self._push(value)
        await self._send(Item(value))
        return True

    def _arguments(self) -> tuple[list[Any], dict[str, Any]]:
        match codec.decode(self.call.arguments, self._transfer.store.read):
            case [list(), dict()] as both if all(isinstance(name, str) for name in both[1]):
                args, kwargs = self._files.in_place_of(both)
            case _:
                raise BadData("arguments that are not a list and a mapping of names")
        if problem := self.function.capability.mismatch(tuple(args), kwargs):
            raise ArgumentMismatch(problem)
        return self.function.with_objects(args, kwargs)

    def _encoded(self, value: Any) -> bytes:
        store = self._transfer.store
        return codec.encode(value, store.put_bytes, store.put_file)

    async def _stored(self, value: bytes) -> Result:
        await self._push(value)
        return Result(value)

    async def _push(self, value: bytes) -> None:
        if made := codec.references(value):
            await self._transfer.push_all(made)

    def _failure(self, error: BaseException) -> Failure:
        trace = error.__traceback__
        # What the caller wants to read begins in the function, not in the node around it.
        while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(
            "easynet.fabric."
        ):
            trace = trace.tb_next
        return failure_of(error, raised_in=trace)

    def _report(self, fraction: float | None, message: str) -> None:
        """Take a progress report from any thread."""
        text = str(message)[:_MAX_PROGRESS_CHARACTERS]
        progress = Progress(None if fraction is None else float(fraction), text)
        with contextlib.suppress(RuntimeError):  # the node has stopped, but not yet this thread
            self._loop.call_soon_threadsafe(self._note_progress, progress)

    def _note_progress(self, progress: Progress) -> None:
        self._progress = progress
        if self._progress_timer is None and not self._answered:
            wait_s = max(0.0, self._progress_sent_at + _PROGRESS_EVERY_S - time.monotonic())
            self._progress_timer = self._loop.call_later(wait_s, self._send_progress)

    def _send_progress(self) -> None:
        progress, self._progress, self._progress_timer = self._progress, None, None
        if progress is not None:
            self._progress_sent_at = time.monotonic()
            self._sending = self._loop.create_task(self._send(progress))

    async def _finish(self, update: Update) -> None:
        if not self._answered:
            if self._progress is not None and isinstance(update, Result | End):
                await self._send(self._progress)
            await self._send(update)
            self._answered = True

    async def _send(self, update: Update) -> None:
        if not self._answered:
            await self._send_update(update)
