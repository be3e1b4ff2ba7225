"""A node: a process that offers its functions to a network."""

import asyncio
import os
import re
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, ParamSpec, TypeVar, Unpack, overload

from easynet.core.contribution import Terms, stated
from easynet.core.errors import EasyNetError, UsageError
from easynet.core.ids import NodeId
from easynet.core.quantities import parse_duration, parse_memory
from easynet.fabric.functions.function import Function, function_of
from easynet.fabric.functions.isolated_target import is_loading, target_of
from easynet.fabric.functions.isolation import Isolation
from easynet.fabric.serving.services import Limits
from easynet.fabric.serving.session import Session
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.names import checked_name
from easynet.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

MAX_ASYNC_CALLS: Final = 1024
"""Coroutines that run at once where no number was given: they cost memory, not a thread."""
QUEUE_PER_CALL: Final = 16
"""Calls that wait for each that runs, where no number was given."""
MIN_QUEUE: Final = 1024
"""And no fewer than this: a client may send a thousand calls at once, and they need little memory."""


class ComputeNode:
    """Offers functions under a name. Dials out to a gateway and listens nowhere.

    Functions run `concurrency` at a time, in threads; coroutine functions run on the event loop.
    """

    def __init__(
        self,
        gateway: str,
        name: str | None = None,
        *,
        concurrency: int | None = None,
        queue: int | None = None,
        isolation: Literal["thread", "process"] = "thread",
        memory: str | float | None = None,
        time_limit: str | float | None = None,
        data_dir: Path | None = None,
    ) -> None:
        """`queue` calls wait beyond those that run; further ones are refused, so that they go elsewhere.

        With `isolation="process"` each call runs in a process of its own, which is ended when it takes more
        than `memory` ("2GB", or bytes) or runs for longer than `time_limit` ("60s", or seconds).
        """
        if queue is not None and queue < 0:
            raise UsageError(f"queue is {queue}, but there are no fewer calls than none")
        if concurrency is not None and concurrency < 1:
            raise UsageError(f"concurrency is {concurrency}, but a node runs at least one call at a time")
        self.name = NodeId(checked_name("node", _default_name() if name is None else name))
        self._address = Address.parse(gateway)
        self._data_dir = data_dir or Settings().data_dir
        at_once = concurrency or max(4, os.cpu_count() or 1)
        self._limits = Limits(
            at_once,
            concurrency or MAX_ASYNC_CALLS,
            max(MIN_QUEUE, QUEUE_PER_CALL * at_once) if queue is None else queue,
        )
        self._isolation = _isolation(isolation, memory, time_limit)
        self._function_by_name: dict[str, Function] = {}
        self._session: Session | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._left = asyncio.Event()
        self._reason: EasyNetError | None = None

    @overload
    def register(self, function: Callable[P, R], /, **terms: Unpack[Terms]) -> Callable[P, R]: ...
    @overload
    def register(
        self, function: None = None, /, **terms: Unpack[Terms]
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    def register(self, function: Callable[..., Any] | None = None, /, **terms: Unpack[Terms]) -> Any:
        """Offer a function, which stays as it is; raises UsageError where its name is taken or not allowed.

        Used as `@node.register`, `@node.register(name=..., en=...)` or `node.register(function)`. What is
        not stated here is taken from `@contribute`, or else from the signature and the docstring.
        """
        fields = stated(terms)

        def add(registered: Callable[P, R]) -> Callable[P, R]:
            self._add(function_of(registered, terms.get("name"), fields))
            return registered

        return add if function is None else add(function)

    def _add(self, function: Function) -> None:
        name = function.capability.name
        if name in self._function_by_name:
            raise UsageError(
                f"{self.name} offers a function named {name!r} already",
                hint="Register this one under another name: @node.register(name='...').",
            )
        if self._isolation is not None:
            function = replace(function, target=target_of(function.call, name))
        self._function_by_name[name] = function
        if self._session is not None:
            self._session.announce_soon()

    async def start(self) -> None:
        """Join the network; raises GatewayUnreachable or NameTaken."""
        if self._session is not None:
            raise UsageError(f"the node {self.name} is started already")
        if is_loading():
            raise UsageError(
                f"the node {self.name} would be started again in each process of its functions",
                hint="Start it under `if __name__ == '__main__':`.",
            )
        session = Session(
            self.name,
            self._address,
            self._data_dir,
            self._function_by_name,
            self._limits,
            self._isolation,
            asked_to_drain=self._drain_soon,
            shut_out=self._note_shut_out,
        )
        self._reason = None
        self._left.clear()
        await session.open()
        self._session = session

    async def drain(self) -> None:
        """Take nothing new, finish what runs and waits, and leave the network."""
        if self._session is not None:
            await self._session.drain()
        await self.stop()

    def _drain_soon(self) -> None:
        if self._leaving is None:
            self._leaving = asyncio.create_task(self.drain())

    async def stop(self) -> None:
        """Leave the network; calls that still run are cancelled. Does nothing where it is not started."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        self._left.set()

    async def wait(self) -> None:
        """Return once the node has left the network, whoever asked for it.

        Raises AccessDenied where the gateway shut it out, and NameTaken where it lost its name to another.
        """
        await self._left.wait()
        if self._reason is not None:
            raise self._reason

    def _note_shut_out(self, reason: EasyNetError) -> None:
        self._reason = reason
        self._left.set()

    def serve(self) -> None:
        """Join the network and stay until Ctrl-C or SIGTERM.

        The first of them lets calls finish and takes nothing new; a second one ends everything at once. Does
        nothing while its file is loaded into a process of its functions.
        """
        if not is_loading():
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()

        def end() -> None:
            if self._leaving is None:
                self._drain_soon()
            else:
                stopped.set()

        async with self:
            if threading.current_thread() is threading.main_thread():
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.add_signal_handler(number, end)
            waiting = [asyncio.create_task(self.wait()), asyncio.create_task(stopped.wait())]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            tasks: list[asyncio.Task[Any]] = [*waiting]
            if self._leaving is not None:
                tasks.append(self._leaving)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if self._reason is not None:
                raise self._reason

    async def __aenter__(self) -> "ComputeNode":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _isolation(kind: str, memory: str | float | None, time_limit: str | float | None) -> Isolation | None:
    """Where and within which limits functions run; raises UsageError where that cannot be."""
    if kind not in ("thread", "process"):
        raise UsageError(f"{kind!r} is no kind of isolation", hint="It is 'thread' or 'process'.")
    if kind == "process":
        return Isolation(
            _bytes(memory) if memory is not None else None,
            parse_duration(time_limit, "time_limit") if time_limit is not None else None,
        )
    if memory is not None or time_limit is not None:
        raise UsageError(
            "a thread cannot be held to limits of memory or time", hint="Add isolation='process'."
        )
    return None


def _bytes(size: str | float) -> int:
    return int(parse_memory(size).value if isinstance(size, str) else size)


def _default_name() -> str:
    host = re.sub(r"[^\w-]+", "-", socket.gethostname().split(".")[0]).strip("-") or "node"
    return f"{host[:60]}-{secrets.token_hex(2)}"
