"""A real gateway on loopback, and ways to wait for what really happens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway import Gateway
from easynet.fabric.node import ComputeNode


@pytest.fixture
async def gateway(own_data_dir: Path) -> AsyncIterator[Gateway]:
    async with Gateway(own_data_dir) as gateway:
        yield gateway


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(gateway.url) as client:
        yield client


@pytest.fixture
async def node(gateway: Gateway) -> AsyncIterator[ComputeNode]:
    async with ComputeNode(gateway.url, name="my-node") as node:
        yield node
