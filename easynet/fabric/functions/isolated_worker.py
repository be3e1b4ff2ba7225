"""The process that runs a node's functions apart from the node: one call at a time, in its main thread.

It takes requests over a connection of its own, so that a function may print and read as it likes, and ends
when the node does. Imports few modules, because a call may wait for its start.
"""

import contextlib
import faulthandler
import fcntl
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from easynet.fabric.functions.function import Function, function_of
from easynet.fabric.functions.isolated_call import IsolatedCall, Surroundings, failure
from easynet.fabric.functions.isolated_frames import GRACE_S, Channel
from easynet.fabric.functions.isolated_reports import Reports
from easynet.fabric.functions.isolated_target import Target, load
from easynet.fabric.functions.memory_limit import MemoryLimit
from easynet.fabric.functions.scratch import ScratchFolders
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.wire.updates import Alive, Update

if TYPE_CHECKING:
    import asyncio


class Worker:
    """Loads functions and runs calls of them, until the node closes the connection."""

    def __init__(self, channel: Channel, store: Path, scratch: Path, memory_bytes: int | None) -> None:
        self._channel = channel
        self._work: SimpleQueue[tuple[Target, IsolatedCall | None] | None] = SimpleQueue()
        threading.Thread(target=self._listen, name="easynet-requests", daemon=True).start()
        self._folders = ScratchFolders(scratch)
        self._limit = MemoryLimit(memory_bytes)  # after the thread, whose stack is not the function's
        self._around = Surroundings(ArtifactStore(store), self._folders, self._limit, self._event_loop)
        self._function_by_target: dict[Target, Function] = {}
        self._runner: asyncio.Runner | None = None
        self._process = os.getpid()

    def serve(self) -> None:
        """Do what the node asks until it leaves, or until the process is worn."""
        self._channel.send(Alive())
        is_worn = False
        while not is_worn and (work := self._work.get()) is not None:
            update = self._answer(*work)
            if os.getpid() != self._process:
                os._exit(0)  # the function has forked, and this is the copy
            is_worn = work[1] is not None and self._limit.is_worn()
            self._channel.send(update, is_last=is_worn)
        self._folders.close()
        if self._runner is not None:
            self._runner.close()

    def _answer(self, target: Target, call: IsolatedCall | None) -> Update:
        if call is not None:
            return call.run(self._function_by_target[target], self._around)
        try:
            with self._limit.loading():
                self._function_by_target[target] = function_of(load(target), target.label, {})
        # A user's module may raise anything.
        except BaseException as error:
            return failure(error, self._limit)
        return Alive()

    def _event_loop(self) -> "asyncio.Runner":
        import asyncio  # takes a tenth of the process's start, and most functions need none

        self._runner = self._runner or asyncio.Runner()
        return self._runner

    def _listen(self) -> None:
        current: IsolatedCall | None = None
        try:
            while (request := self._channel.receive()) is not None:
                match request:
                    case ["next"] if current is not None:
                        current.go_on()
                    case ["cancel"] if current is not None:
                        current.cancel()
                    case ["load", *place]:
                        current = None
                        self._work.put((Target(*place), None))
                    case ["call", place, arguments, is_stream, scratch, key]:
                        reports = Reports(self._channel)
                        current = IsolatedCall(arguments, is_stream, Path(scratch), key, reports)
                        self._work.put((Target(*place), current))
                    case _:
                        pass
        finally:
            # The node has gone, or closed a process that it does not need; a call that still runs is lost.
            self._work.put(None)
            time.sleep(GRACE_S)
            os.killpg(0, signal.SIGKILL)


def _end_with(lifeline: int) -> None:
    """Have the system kill this process and all that it started when the other end of a pipe is closed.

    Where the system can (Linux). It needs no thread of this process, so it also works while a function
    holds the interpreter's lock; and unlike PR_SET_PDEATHSIG it reaches the function's own children.
    """
    os.set_inheritable(lifeline, False)
    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _print_to_standard_error() -> None:
    """What functions print goes where the node's own messages go, at once."""
    with contextlib.suppress(OSError):  # the node has no standard error
        os.dup2(2, 1)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a TextIOWrapper
        faulthandler.enable()


def _leave_stopping_to_the_node() -> None:
    """Not end by SIGTERM: a service manager sends it to all processes, and the node may finish its calls.

    What the function starts ends by it as usual, whether it forks or runs another program.
    """
    number = signal.SIGTERM
    signal.signal(number, lambda *_: None)

    def reset() -> None:
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])

    # Blocked meanwhile, so that a signal that comes early does not meet the handler of this process.
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [number]),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, [number]),
        after_in_child=reset,
    )


def main(connection: int, lifeline: int) -> None:
    """Serve the node at the other end of `connection`."""
    _end_with(lifeline)
    _print_to_standard_error()
    _leave_stopping_to_the_node()
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    channel = Channel(connection)
    hello: list[Any] | None = channel.receive()
    if hello is not None:
        _, store, scratch, memory_bytes = hello
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the node has gone
            Worker(channel, Path(store), Path(scratch), memory_bytes).serve()
