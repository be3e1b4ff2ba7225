"""Long work on a real network: a gateway, a node that dies, a client that comes and goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from easynet.core.call import progress
from easynet.core.errors import BadData, GatewayError, JobNotFound
from easynet.core.job import JobProgressed, JobStarted
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.jobs.job_client import Jobs, open_jobs
from easynet.fabric.node import ComputeNode
from easynet.fabric.wire.packing import pack
from tests.fabric.job_fakes import updates_of
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow


@pytest.fixture
async def gateway(own_data_dir: Path) -> AsyncIterator[Gateway]:
    async with Gateway(own_data_dir, lasting=True) as gateway:
        yield gateway


@pytest.fixture
async def jobs(gateway: Gateway, own_data_dir: Path) -> AsyncIterator[Jobs]:
    async with open_jobs(gateway.url, own_data_dir) as jobs:
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
        assert await job.result(PATIENCE_S) == {"epochs": 3}
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
        assert await job.result(PATIENCE_S) == "done"
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
        async with within(1):
            await stopped.wait()


async def test_jobs_are_still_there_when_the_gateway_was_started_again(own_data_dir: Path) -> None:
    async with (
        Gateway(own_data_dir, lasting=True) as gateway,
        ComputeNode(gateway.url) as node,
        open_jobs(gateway.url, own_data_dir) as jobs,
    ):
        node.register(len, name="size")
        job = await jobs.submit("size", pack([["four"], {}]))
        assert await job.result(PATIENCE_S) == 4
    async with (
        Gateway(own_data_dir, lasting=True) as gateway,
        open_jobs(gateway.url, own_data_dir) as jobs,
    ):
        assert await jobs.find(job.id).result(PATIENCE_S) == 4


async def test_errors_of_the_gateway_arrive_as_what_they_are(jobs: Jobs) -> None:
    with pytest.raises(JobNotFound):
        await jobs.find("nothing").state()
    with pytest.raises(BadData):
        await jobs.submit("no function.", b"")
    with pytest.raises(BadData):
        await jobs._questions.ask("burn", [])


async def test_nobody_can_ask_in_the_name_of_another(gateway: Gateway, own_data_dir: Path) -> None:
    async with open_jobs(gateway.url, own_data_dir) as jobs:
        assert await jobs._questions._ask("job.list.local", [], timeout_s=PATIENCE_S) == []
        with pytest.raises(GatewayError):
            await jobs._questions._ask("job.list.ana", [], timeout_s=0.5)
