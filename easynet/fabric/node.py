"""A node: a process that offers its functions to a network."""

import asyncio
import os
import re
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar, Unpack, overload

from easynet.core.contribution import Terms, stated
from easynet.core.errors import UsageError
from easynet.core.ids import NodeId
from easynet.fabric.address import Address
from easynet.fabric.functions import Function, function_of
from easynet.fabric.names import checked_name
from easynet.fabric.reception import Limits
from easynet.fabric.session import Session
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
        data_dir: Path | None = None,
    ) -> None:
        """`queue` calls wait beyond those that run; further ones are refused, so that they go elsewhere."""
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
        self._function_by_name: dict[str, Function] = {}
        self._session: Session | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._left = asyncio.Event()

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
        self._function_by_name[name] = function
        if self._session is not None:
            self._session.announce_soon()

    async def start(self) -> None:
        """Join the network; raises GatewayUnreachable or NameTaken."""
        if self._session is not None:
            raise UsageError(f"the node {self.name} is started already")
        session = Session(
            self.name,
            self._address,
            self._data_dir,
            self._function_by_name,
            self._limits,
            asked_to_drain=self._drain_soon,
        )
        await session.open()
        self._session = session
        self._left.clear()

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
        """Return once the node has left the network, whoever asked for it."""
        await self._left.wait()

    def serve(self) -> None:
        """Join the network and stay until Ctrl-C or SIGTERM.

        The first of them lets calls finish and takes nothing new; a second one ends everything at once.
        """
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
            waiting = [asyncio.create_task(event.wait()) for event in (self._left, stopped)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            tasks: list[asyncio.Task[Any]] = [*waiting]
            if self._leaving is not None:
                tasks.append(self._leaving)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def __aenter__(self) -> "ComputeNode":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _default_name() -> str:
    host = re.sub(r"[^\w-]+", "-", socket.gethostname().split(".")[0]).strip("-") or "node"
    return f"{host[:60]}-{secrets.token_hex(2)}"
