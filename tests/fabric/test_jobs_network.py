"""Long work on a real network: a gateway, a node that dies, a client that comes and goes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import pytest

from easynet.core.call import progress
from easynet.core.clock import SystemClock
from easynet.core.errors import BadData, GatewayError, JobNotFound, UnknownFunction
from easynet.core.ids import CapabilityName
from easynet.core.job import JobProgressed, JobStarted
from easynet.fabric.client import AsyncClient
from easynet.fabric.connection import Message
from easynet.fabric.envelope import Update
from easynet.fabric.gateway import Gateway
from easynet.fabric.job_client import Jobs, open_jobs
from easynet.fabric.job_events import Placement
from easynet.fabric.jobs import JobService
from easynet.fabric.node import ComputeNode
from easynet.fabric.questions import answer
from easynet.fabric.wire import pack
from tests.fabric.job_fakes import QUICK, updates_of

pytestmark = pytest.mark.slow


class NetworkCaller:
    """Calls the nodes of a real network."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def call(
        self, function: str, arguments: bytes, *, client: str, key: str, at: Placement | None = None
    ) -> AsyncGenerator[Placement | Update]:
        name = CapabilityName(function)
        found = await self._client.find(name)
        if not found:
            raise UnknownFunction(f"no node offers {function!r}")
        instances = {node.name: node.instance for node in await self._client.nodes()}
        node = found[0].node
        yield Placement(node, instances.get(node, ""), True)
        router = self._client._connected().router
        async with aclosing(router.updates(node, name, arguments, key=key)) as updates:
            async for update in updates:
                yield update

    async def leave(self) -> None:
        await self._client.close()


@pytest.fixture
async def gateway(own_data_dir: Path) -> AsyncIterator[Gateway]:
    async with Gateway(own_data_dir, lasting=True) as gateway:
        yield gateway


@asynccontextmanager
async def serving_jobs(gateway: Gateway) -> AsyncIterator[JobService]:
    """The gateway, with jobs."""
    control = gateway._control
    tasks: set[asyncio.Task[None]] = set()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(AsyncClient(gateway.url))
        service = JobService(
            control._nats, NetworkCaller(client), lambda *_: True, SystemClock(), rules=QUICK
        )
        await service.start()
        stack.push_async_callback(service.stop)

        async def receive(message: Message) -> None:
            task = asyncio.create_task(answer(control, message, service.answer_to))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        subscription = await control.subscribe("job.*.*", receive)
        await control.flush()
        yield service
        await subscription.unsubscribe()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def jobs(gateway: Gateway, own_data_dir: Path) -> AsyncIterator[Jobs]:
    async with serving_jobs(gateway), open_jobs(gateway.url, own_data_dir) as jobs:
        yield jobs


async def test_job_runs_on_a_real_node_while_its_client_is_away(
    gateway: Gateway, jobs: Jobs, own_data_dir: Path
) -> None:
    go_on = asyncio.Event()

    async def train(epochs: int) -> dict[str, int]:
        for epoch in range(epochs):
            progress(epoch / epochs, f"epoch {epoch}")
        await go_on.wait()
        return {"epochs": epochs}

    async with ComputeNode(gateway.url, name="gpu") as node:
        node.register(train)
        async with open_jobs(gateway.url, own_data_dir) as own:
            submitted = await own.submit("train", pack([[3], {}]))
            async with aclosing(submitted.follow()) as seen:
                async for update in seen:
                    if isinstance(update, JobProgressed) and update.message == "epoch 2":
                        break
        go_on.set()
        job = jobs.find(submitted.id)
        assert await job.result(10) == {"epochs": 3}
        updates = await updates_of(job)
        assert [u.node for u in updates if isinstance(u, JobStarted)] == ["gpu"]
        assert [u.message for u in updates if isinstance(u, JobProgressed)][-1] == "epoch 2"


async def test_job_of_a_node_that_leaves_is_done_by_the_next(gateway: Gateway, jobs: Jobs) -> None:
    began, calls = asyncio.Event(), 0

    async def work() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            began.set()
            await asyncio.sleep(60)
        return "done"

    first = ComputeNode(gateway.url, name="first")
    first.register(work)
    await first.start()
    job = await jobs.submit("work", pack([[], {}]))
    await began.wait()
    await first.stop()
    async with ComputeNode(gateway.url, name="second") as second:
        second.register(work)
        assert await job.result(10) == "done"
    assert [u.node for u in await updates_of(job) if isinstance(u, JobStarted)] == ["first", "second"]


async def test_job_that_is_cancelled_stops_at_the_node(gateway: Gateway, jobs: Jobs) -> None:
    began, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    async with ComputeNode(gateway.url, name="gpu") as node:
        node.register(work)
        job = await jobs.submit("work", pack([[], {}]))
        await began.wait()
        assert await job.cancel() == "cancelled"
        async with asyncio.timeout(1):
            await stopped.wait()


async def test_jobs_are_still_there_when_the_gateway_was_started_again(own_data_dir: Path) -> None:
    async with (
        Gateway(own_data_dir, lasting=True) as gateway,
        serving_jobs(gateway),
        ComputeNode(gateway.url) as node,
        open_jobs(gateway.url, own_data_dir) as jobs,
    ):
        node.register(len, name="size")
        job = await jobs.submit("size", pack([["four"], {}]))
        assert await job.result(10) == 4
    async with (
        Gateway(own_data_dir, lasting=True) as gateway,
        serving_jobs(gateway),
        open_jobs(gateway.url, own_data_dir) as jobs,
    ):
        assert await jobs.find(job.id).result(10) == 4


async def test_errors_of_the_gateway_arrive_as_what_they_are(jobs: Jobs) -> None:
    with pytest.raises(JobNotFound):
        await jobs.find("nothing").state()
    with pytest.raises(BadData):
        await jobs.submit("no function.", b"")
    with pytest.raises(BadData):
        await jobs.ask("burn", [])


async def test_nobody_can_ask_in_the_name_of_another(gateway: Gateway, own_data_dir: Path) -> None:
    async with serving_jobs(gateway), open_jobs(gateway.url, own_data_dir) as jobs:
        assert await jobs._ask("job.list.local", [], timeout_s=5.0) == []
        with pytest.raises(GatewayError):
            await jobs._ask("job.list.ana", [], timeout_s=0.5)
