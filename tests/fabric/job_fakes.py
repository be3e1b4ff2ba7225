"""A NATS server that keeps what it is told, nodes that are not really there, and a gateway with jobs."""

import asyncio
import itertools
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgpack
import nats
from nats.aio.client import Client as NatsClient
from nats.js import JetStreamContext

from easynet.core.clock import Clock, SystemClock
from easynet.core.errors import GatewayUnreachable, NodeUnreachable, NotStarted
from easynet.core.ids import NodeId
from easynet.core.job import JobPostponed, JobUpdate
from easynet.fabric.gateway import guardian
from easynet.fabric.gateway.nats_server import nats_server_binary
from easynet.fabric.jobs.job_client import Jobs
from easynet.fabric.jobs.job_events import Placement
from easynet.fabric.jobs.job_handle import JobHandle
from easynet.fabric.jobs.job_rules import JobRules
from easynet.fabric.jobs.job_service import JobService
from easynet.fabric.wire.updates import End, Failure, Item, Progress, Result, Update
from tests.patience import PATIENCE_S

QUICK = JobRules(max_attempts=3, first_delay_s=0.05, max_delay_s=0.2, resume_s=0.5, progress_every_s=0.0)


class Server:
    """A NATS server with JetStream, which can be killed and started again on what it has kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = -1

    async def start(self) -> None:
        ports = self._folder / f"ports-{next(self._starts)}"
        ports.mkdir(parents=True)
        address = ["-a", "127.0.0.1", "-p", str(self.port)]
        keep = ["-js", "-sd", str(self._folder / "kept"), "--ports_file_dir", str(ports)]
        command = [str(nats_server_binary()), *address, *keep]
        self._process = subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-I", "-S", guardian.__file__, str(ports), *command], stdin=subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE_S):
            while (port := _port_in(ports)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        self.port = port

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE_S)

    async def connect(self) -> NatsClient:
        async def silent(_: Exception) -> None: ...

        return await nats.connect(
            f"nats://127.0.0.1:{self.port}",
            error_cb=silent,
            reconnect_time_wait=cast("int", 0.05),
            max_reconnect_attempts=-1,
        )


@asynccontextmanager
async def looking_at(server: Server) -> AsyncIterator[JetStreamContext]:
    """What the server keeps, as somebody else sees it."""
    connection = await server.connect()
    try:
        yield connection.jetstream()
    finally:
        await connection.close()


def _port_in(folder: Path) -> int | None:
    for found in folder.glob("*.ports"):
        try:
            return int(json.loads(found.read_text())["nats"][0].rsplit(":", 1)[1])
        except (ValueError, KeyError, IndexError):
            pass
    return None


Function = Callable[["Work"], AsyncGenerator[Update]]


class Work:
    """A call at a node: it goes on whether or not anybody listens."""

    def __init__(self, function: Function, arguments: bytes) -> None:
        self.arguments = arguments
        self.updates: list[Update] = []
        self.changed = asyncio.Event()
        self.is_cancelled = False
        self._told = 0
        self._task = asyncio.create_task(self._run(function))

    async def _run(self, function: Function) -> None:
        async with aclosing(function(self)) as updates:
            async for update in updates:
                if isinstance(update, Progress):
                    self._told += 1
                    update = Progress(update.fraction, update.message, self._told)
                self.updates.append(update)
                self.changed.set()

    @property
    def is_over(self) -> bool:
        return bool(self.updates) and isinstance(self.updates[-1], Result | End | Failure)

    def cancel(self) -> None:
        self.is_cancelled = True
        self._task.cancel()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Nodes:
    """Nodes that remember their calls by key, as real ones do. They outlive any gateway."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.instances: dict[str, str] = {"one": "1"}
        self.idempotent = True
        self.work: dict[tuple[str, str, str], Work] = {}
        self.runs: Counter[str] = Counter()
        """How often each key was begun."""
        self.clients: dict[str, str] = {}
        """In whose name each key was called."""
        self.receipts: dict[str, str] = {}
        """What was signed about each key."""
        self.refused = 0
        """How often nobody was there to take a call."""
        self.began = asyncio.Event()
        self.error: Exception | None = None
        """What a call meets before it reaches a node."""

    def die(self, node: str) -> None:
        instance = self.instances.pop(node)
        for (name, at, _), work in self.work.items():
            if (name, at) == (node, instance):
                work.cancel()
                work.changed.set()

    async def close(self) -> None:
        for work in self.work.values():
            await work.close()


class Caller:
    """One gateway's way to the nodes."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._left = asyncio.Event()

    async def call(
        self,
        function: str,
        arguments: bytes,
        *,
        client: str,
        key: str,
        at: Placement | None = None,
        trace: str = "",
    ) -> AsyncGenerator[Placement | Update]:
        nodes = self._nodes
        if nodes.error is not None:
            raise nodes.error
        node, instance = self._choose(at)
        yield Placement(NodeId(node), instance, nodes.idempotent)
        work = nodes.work.get((node, instance, key))
        if work is None:
            work = nodes.work[node, instance, key] = Work(nodes.functions[function], arguments)
            nodes.runs[key] += 1
            nodes.clients[key] = client
        nodes.began.set()
        seen = 0
        try:
            while True:
                while seen < len(work.updates):
                    seen += 1
                    yield work.updates[seen - 1]
                if nodes.instances.get(node) != instance:
                    raise NodeUnreachable(f"{node} is gone")
                work.changed.clear()
                await self._wait(work)
        finally:
            if not work.is_over and not self._left.is_set():
                work.cancel()

    def _choose(self, at: Placement | None) -> tuple[str, str]:
        if at is None:
            for found in self._nodes.instances.items():
                return found
        elif self._nodes.instances.get(at.node) == at.instance:
            return at.node, at.instance
        self._nodes.refused += 1
        raise NotStarted("nobody took the call")

    async def _wait(self, work: Work) -> None:
        waits = [asyncio.create_task(work.changed.wait()), asyncio.create_task(self._left.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._left.is_set():
            raise GatewayUnreachable("the gateway stops")

    async def receipt(self, key: str) -> str | None:
        return self._nodes.receipts.get(key)

    async def leave(self) -> None:
        self._left.set()


class Rights:
    """Who the clients are at this moment, and what they may do."""

    def __init__(self, is_allowed: Callable[[str, str], bool] = lambda client, function: True) -> None:
        self._is_allowed = is_allowed
        self.keys: dict[str, str] = {}
        """Of those whose name is not theirs for the first time."""

    def key_of(self, client: str) -> str:
        return self.keys.get(client, f"{client}s-key")

    def allow(self, client: str, function: str) -> bool:
        return self._is_allowed(client, function)


class JobGateway:
    """A gateway process that does nothing but jobs."""

    def __init__(self, nats_client: NatsClient, service: JobService) -> None:
        self._nats = nats_client
        self.service = service

    @classmethod
    async def start(
        cls,
        server: Server,
        nodes: Nodes,
        *,
        clock: Clock | None = None,
        ack_wait_s: float = 30.0,
        rules: JobRules = QUICK,
        rights: Rights | None = None,
    ) -> "JobGateway":
        connection = await server.connect()
        service = JobService(
            connection,
            Caller(nodes),
            rights or Rights(),
            clock or SystemClock(),
            ack_wait_s=ack_wait_s,
            rules=rules,
        )
        await service.start()
        return cls(connection, service)

    async def stop(self) -> None:
        await self.service.stop()
        await self._nats.close()

    async def kill(self) -> None:
        """End it in a way that lets it say nothing to anybody any more."""
        await self._nats.close()
        await self.service.stop()

    async def ask(self, subject: str, content: Any, *, timeout_s: float) -> Any:
        async with asyncio.timeout(timeout_s):
            answer = await self.service.answer_to(subject, msgpack.unpackb(msgpack.packb(content)))
        return msgpack.unpackb(msgpack.packb(answer))

    def jobs(self, client: str = "ana") -> Jobs:
        return Jobs(self.ask, client, decoded, retry_s=0.02)


async def decoded(data: bytes) -> Any:
    return msgpack.unpackb(data)


def encoded(value: Any) -> bytes:
    return bytes(msgpack.packb(value))


async def updates_of(job: JobHandle, after: int = 0) -> list[JobUpdate]:
    async with asyncio.timeout(PATIENCE_S):
        return [update async for update in job.follow(after)]


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that no event tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def echo(work: Work) -> AsyncGenerator[Update]:
    yield Result(work.arguments)


async def fail(work: Work) -> AsyncGenerator[Update]:
    yield Failure("remote_failure", "ValueError", "no such luck", "line 1")


async def count(work: Work) -> AsyncGenerator[Update]:
    for i in range(3):
        yield Item(encoded(i))
    yield End()


async def wait(work: Work) -> AsyncGenerator[Update]:
    yield Progress(0.1, "began")
    await asyncio.sleep(60)
    yield Result(encoded("woke"))


class Steps:
    """A function that takes a step each time that it is allowed one."""

    def __init__(self) -> None:
        self._allowed = asyncio.Semaphore(0)

    def allow(self, steps: int = 1) -> None:
        for _ in range(steps):
            self._allowed.release()

    async def __call__(self, work: Work) -> AsyncGenerator[Update]:
        for i in range(4):
            await self._allowed.acquire()
            yield Progress(i / 4, f"step {i}")
        await self._allowed.acquire()
        yield Result(encoded("done"))


async def until_postponed(job: JobHandle, times: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        async for update in job.follow():
            times -= isinstance(update, JobPostponed)
            if not times:
                return


async def queued(server: Server) -> int:
    """How many orders the queue holds."""
    async with looking_at(server) as js:
        return (await js.stream_info("JOB_ORDERS")).state.messages


async def until_empty(server: Server) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await queued(server):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
