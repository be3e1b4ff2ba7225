"""An isolated process from the node's side."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

from easynet.core.call import CallContext
from easynet.core.errors import BadFrame, CallTimeout, FunctionCrashed, NodeRefused
from easynet.fabric.functions.isolated_frames import GRACE_S, HEADER, MAX_FRAME_BYTES, request
from easynet.fabric.functions.isolated_target import Target
from easynet.fabric.wire.updates import Alive, End, Failure, Result, Update, decode_update

START_TIMEOUT_S: Final = 30.0
LOAD_TIMEOUT_S: Final = 120.0
"""For importing a function's module, which does not count as the function's own time."""

_PROGRAM: Final = (
    "import sys; sys.path[:] = sys.argv.pop(1).split('\\n')\n"
    "from easynet.fabric.functions.isolated_worker import main\n"
    "main(int(sys.argv.pop(1)), int(sys.argv.pop(1)))"
)


@dataclass(frozen=True)
class Settings:
    """What an isolated process is told at its start."""

    store: Path
    """The folder of the node's artifacts."""
    scratch: Path
    """The folder under which it makes its own for files among arguments."""
    memory_bytes: int | None


class IsolatedFailure(Exception):
    """The function, or its module, raised in its process; `failure` is what the caller is told."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.type}: {failure.message}")
        self.failure = failure


class IsolatedProcess:
    """Runs one call after the other. Children of its functions end with it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        lifeline: int,
        settings: Settings,
    ) -> None:
        self.loaded: set[Target] = set()
        self.is_busy = True
        """Whether a request is without its last update."""
        self._process = process
        self._reader, self._writer = streams
        self._lifeline = lifeline
        self._settings = settings
        self._header: tuple[int, bool] | None = None
        self._is_worn = False
        self._gone = asyncio.create_task(self._wait())

    @classmethod
    async def start(cls, settings: Settings) -> "IsolatedProcess":
        """A process that is ready to load functions; raises NodeRefused where it does not come up."""
        try:
            self = cls(*await _spawned(), settings)
        except OSError as error:
            raise NodeRefused(f"the node cannot start another process: {error.strerror or error}") from error
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._tell("hello", str(settings.store), str(settings.scratch), settings.memory_bytes)
                await self.receive()
        except BaseException as error:
            await self.end()
            if isinstance(error, TimeoutError | FunctionCrashed):
                why = "The node's standard error may say why."
                raise NodeRefused("a process of the node did not start", hint=why) from error
            raise
        return self

    @property
    def is_usable(self) -> bool:
        """Whether it can be given a call."""
        return not (self.is_busy or self._is_worn or self._gone.done() or self._reader.at_eof())

    async def load(self, target: Target) -> None:
        """Have the function at hand; raises IsolatedFailure where its module raises."""
        if target in self.loaded:
            return
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                await self._ask("load", *astuple(target))
                update = await self.receive()
        except TimeoutError as error:
            where = target.path or target.module
            raise CallTimeout(f"{where} was not loaded within {LOAD_TIMEOUT_S:.0f} s") from error
        if isinstance(update, Failure):
            raise IsolatedFailure(update)
        self.loaded.add(target)

    async def call(self, target: Target, arguments: bytes, context: CallContext, *, is_stream: bool) -> None:
        """Begin a call; its updates are to be received."""
        scratch = str(context.scratch())
        await self._ask("call", astuple(target), arguments, is_stream, scratch, context.key)

    async def go_on(self) -> None:
        """Ask for another item of the stream."""
        await self._tell("next")

    async def cancel(self) -> bool:
        """Ask the call to stop; whether it did before the grace was over."""
        with contextlib.suppress(TimeoutError, FunctionCrashed):
            async with asyncio.timeout(GRACE_S):
                await self._tell("cancel")
                while self.is_busy:
                    await self.receive()
        return not self.is_busy

    async def receive(self) -> Update:
        """The next update; raises FunctionCrashed. A wait that is given up loses nothing."""
        try:
            if self._header is None:
                self._header = HEADER.unpack(await self._reader.readexactly(HEADER.size))
            size, is_last = self._header
            if size > MAX_FRAME_BYTES:
                raise BadFrame
            update = decode_update(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await self._crash() from error
        except BadFrame as error:
            self._kill()
            raise FunctionCrashed("the function wrote into its process's connection to the node") from error
        self._header = None
        if isinstance(update, Alive | Result | End | Failure):
            self.is_busy, self._is_worn = False, is_last
        return update

    async def end(self) -> None:
        """The process, its children and its files are gone afterwards; one that is idle may end by itself."""
        self._writer.close()
        if not self.is_busy:
            await asyncio.wait([self._gone], timeout=GRACE_S)
        self._kill()
        await asyncio.shield(self._gone)
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _ask(self, kind: str, *fields: Any) -> None:
        self.is_busy = True
        await self._tell(kind, *fields)

    async def _tell(self, kind: str, *fields: Any) -> None:
        self._writer.write(request(kind, *fields))
        with contextlib.suppress(ConnectionError):  # whoever waits for the answer learns why
            await self._writer.drain()

    def _kill(self) -> None:
        if not self._gone.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _wait(self) -> None:
        await self._process.wait()
        # Its children go with it, and let go of the connection that they may have inherited.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        os.close(self._lifeline)
        for folder in self._settings.scratch.glob(f"{self._process.pid}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    async def _crash(self) -> FunctionCrashed:
        await asyncio.wait([self._gone], timeout=GRACE_S)
        if not self._gone.done():
            self._kill()
            return FunctionCrashed("the function closed its process's connection to the node")
        code = self._process.returncode or 0
        if code >= 0:
            return FunctionCrashed(f"the function ended its process with exit code {code}")
        name = signal.Signals(-code).name if -code in list(signal.Signals) else f"signal {-code}"
        return FunctionCrashed(f"the function's process was killed by {name}", hint=self._memory_hint(-code))

    def _memory_hint(self, number: int) -> str:
        if number == signal.SIGKILL:
            return "The system kills a process so when memory runs out."
        if self._settings.memory_bytes is not None:
            size = f"{self._settings.memory_bytes / 2**20:,.0f} MiB"
            return f"Native code may crash so at the memory limit, here {size} for one call."
        return ""


async def _spawned() -> tuple[
    asyncio.subprocess.Process, tuple[asyncio.StreamReader, asyncio.StreamWriter], int
]:
    """A new process, the connection to it, and the descriptor whose closing ends it; raises OSError."""
    with contextlib.ExitStack() as always, contextlib.ExitStack() as undo:
        ours, theirs = socket.socketpair()
        always.callback(theirs.close)
        undo.callback(ours.close)
        lifeline_end, lifeline = os.pipe()
        always.callback(os.close, lifeline_end)
        undo.callback(os.close, lifeline)
        streams = await asyncio.open_connection(sock=ours)
        undo.callback(streams[1].close)
        # The last step: a caller who gives up during it leaves no process.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", _PROGRAM),
            *(_search_path(), str(theirs.fileno()), str(lifeline_end)),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), lifeline_end),
            start_new_session=True,
        )
        undo.pop_all()
    return process, streams, lifeline


def _search_path() -> str:
    """Where this process finds its modules, for another one to find the same."""
    return "\n".join(os.path.abspath(folder) for folder in sys.path)
