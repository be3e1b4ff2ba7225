"""A real gateway on loopback, and ways to wait for what really happens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from tests.patience import PATIENCE_S


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


@pytest.fixture
def until() -> Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]:
    """Wait until a condition holds that no event tells of; fail when patience ends."""

    async def wait(condition: Callable[[], Awaitable[object]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    return wait
