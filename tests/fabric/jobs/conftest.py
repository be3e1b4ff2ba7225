"""Gateways that keep jobs in a real server, and call functions that a test holds in its hands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fabric.job_fakes import JobGateway, Nodes, Server, count, echo, fail, wait


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path / "nats")
    await server.start()
    yield server
    server.kill()


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    nodes = Nodes()
    nodes.functions |= {"echo": echo, "count": count, "fail": fail, "wait": wait}
    yield nodes
    await nodes.close()


@pytest.fixture
async def gateway(server: Server, nodes: Nodes) -> AsyncIterator[JobGateway]:
    gateway = await JobGateway.start(server, nodes)
    yield gateway
    await gateway.stop()
