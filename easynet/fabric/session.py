"""A node's stay on the network, from its joining to its leaving."""

import asyncio
import contextlib
import secrets
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from easynet.core.errors import (
    BadFrame,
    EasyNetError,
    GatewayError,
    NameTaken,
    NodeRefused,
    UnknownFunction,
    nearest,
)
from easynet.core.ids import NodeId
from easynet.core.offer import Node
from easynet.fabric import credentials, envelope
from easynet.fabric.address import Address
from easynet.fabric.artifacts import ArtifactStore
from easynet.fabric.connection import Connection, Message, Subscription
from easynet.fabric.credentials import Login
from easynet.fabric.envelope import Call, Update
from easynet.fabric.failures import failure_of
from easynet.fabric.functions import Function
from easynet.fabric.names import connection_name
from easynet.fabric.questions import ask
from easynet.fabric.registry import HEARTBEAT_S
from easynet.fabric.running_call import RunningCall, Send
from easynet.fabric.scratch import ScratchFolders
from easynet.fabric.threads import ThreadPool
from easynet.fabric.transfer import Transfer

MAX_CALLS: Final = 10_000
"""Calls that run or wait; further ones are refused, so that their callers can go elsewhere."""
_STOP_GRACE_S: Final = 2.0


class Session:
    """A node's stay on the network, from its joining to its leaving."""

    def __init__(
        self,
        name: NodeId,
        address: Address,
        data_dir: Path,
        function_by_name: Mapping[str, Function],
        *,
        concurrency: int,
        async_limit: int,
    ) -> None:
        self._name = name
        self._instance = secrets.token_hex(8)
        self._address = address
        self._data_dir = data_dir
        self._function_by_name = function_by_name
        self._concurrency = concurrency
        self._login: Login | None = None
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPool(concurrency, name)
        self._slots_by_blocking = {
            True: asyncio.Semaphore(concurrency),
            False: asyncio.Semaphore(async_limit),
        }
        self._call_by_id: dict[str, RunningCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pulse: asyncio.Task[None] | None = None
        self._is_named = False
        self._subscription: Subscription | None = None
        self._folders = ScratchFolders(data_dir / "scratch")
        self._connection = Connection(
            address,
            self._current_login,
            name=connection_name(name, self._instance),
            on_return=self._beat,
        )
        self._transfer = Transfer(self._connection, ArtifactStore(data_dir / "artifacts"))

    async def open(self) -> None:
        """Join, and serve from then on."""
        try:
            entry = credentials.find(self._address, self._data_dir)
            self._login = entry.node
            await self._connection.open(expect=entry.server_id)
            await self._ask("claim", self._instance)
            self._is_named = True
            await self._listen()
            await self._join()
            self._pulse = asyncio.create_task(self._beat_on())
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Leave, and end what still runs."""
        tasks = [task for task in (self._pulse, *self._tasks) if task is not None]
        if self._is_named and self._connection.is_connected:
            with contextlib.suppress(EasyNetError):
                await self._ask("leave", self._instance)
        for call in list(self._call_by_id.values()):
            await call.refuse()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_GRACE_S)
        await self._connection.close()
        self._threads.close()
        self._folders.close()

    def announce_soon(self) -> None:
        """Tell the gateway what the node offers now; may be called from any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(lambda: self._keep(self._announce()))

    async def _announce(self) -> None:
        with contextlib.suppress(EasyNetError):  # the next heartbeat tries again
            await self._join()

    def _current_login(self) -> Login:
        """The login that the gateway has now, which differs once it was started again."""
        with contextlib.suppress(EasyNetError):
            self._login = credentials.find(self._address, self._data_dir).node
        assert self._login is not None
        return self._login

    async def _join(self) -> None:
        functions = tuple(self._function_by_name.values())
        node = Node(
            name=self._name,
            instance=self._instance,
            capabilities=tuple(function.capability for function in functions),
            concurrency=self._concurrency,
            running=len(self._call_by_id),
        )
        await self._ask("join", node.model_dump(mode="json"))

    async def _ask(self, what: str, content: Any) -> Any:
        return await ask(self._connection, f"node.{what}.{self._name}", content)

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for call in list(self._call_by_id.values()):
                await call.keep_alive()
            self._keep(self._beat())

    async def _beat(self) -> None:
        """Say that the node lives, and join again where the gateway does not know it."""
        try:
            if not await self._ask("beat", [self._instance, len(self._call_by_id)]):
                await self._join()
                await self._listen()
        except NameTaken:
            # This node was silent for so long that another took its name, and with it its calls.
            await self._listen_no_more()
        except EasyNetError:
            pass  # the next heartbeat tries again

    async def _listen(self) -> None:
        if self._subscription is None:
            self._subscription = await self._connection.subscribe(f"fn.{self._name}.>", self._receive)
            await self._connection.flush()

    async def _listen_no_more(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await subscription.unsubscribe()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receive(self, message: Message) -> None:
        match message.subject.split(".")[2:]:
            case [function]:
                await self._receive_call(function, message)
            case ["cancel", id_] if id_ in self._call_by_id:
                self._call_by_id[id_].cancel()
            case ["credit", id_] if id_ in self._call_by_id and message.data.isdigit():
                self._call_by_id[id_].grant(int(message.data))
            case _:
                pass

    async def _receive_call(self, function: str, message: Message) -> None:
        try:
            call = envelope.decode_call(message.data)
            send = self._sender(message.reply, call)
            offered = self._function(function)
            if call.function != function or call.id in self._call_by_id:
                raise BadFrame("a call that contradicts itself")
            if len(self._call_by_id) >= MAX_CALLS:
                raise NodeRefused(
                    f"{self._name} has {MAX_CALLS:,} calls to do already", hint="Try again later."
                )
        except EasyNetError as error:
            if message.reply:
                await self._connection.publish(message.reply, envelope.encode_update(failure_of(error)))
            return
        running = RunningCall(
            call, offered, send, transfer=self._transfer, threads=self._threads, folders=self._folders
        )
        self._call_by_id[call.id] = running
        self._keep(self._run(running))

    async def _run(self, running: RunningCall) -> None:
        try:
            await running.run(self._slots_by_blocking[running.function.blocks])
        finally:
            del self._call_by_id[running.call.id]

    def _function(self, name: str) -> Function:
        found = self._function_by_name.get(name)
        if found is None:
            hint = (
                nearest(name, list(self._function_by_name))
                or f"It offers {', '.join(self._function_by_name)}."
            )
            raise UnknownFunction(f"{self._name} offers no function named {name!r}", hint=hint)
        return found

    def _sender(self, reply: str, call: Call) -> Send:
        """The way back to the caller: the reply subject for the first update, its inbox for the others."""
        subject = reply
        inbox = f"re.{call.client}.{call.id}"

        async def send(update: Update) -> None:
            nonlocal subject
            to, subject = subject, inbox
            with contextlib.suppress(GatewayError):  # the caller notices the silence
                await self._connection.publish(to, envelope.encode_update(update))

        return send
