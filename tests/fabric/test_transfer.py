"""Artifacts between processes that share no folder."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, EasyNetError
from easynet.fabric.artifacts import ArtifactStore
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.fabric.transfer import PART_BYTES

pytestmark = pytest.mark.slow


def elsewhere(gateway_dir: Path, name: str) -> Path:
    """Another data directory, whose owner was handed the credentials."""
    folder = gateway_dir.parent / name
    shutil.copytree(gateway_dir / "gateways", folder / "gateways")
    return folder


@pytest.fixture
async def far_client(gateway: Gateway, own_data_dir: Path) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(gateway.url, data_dir=elsewhere(own_data_dir, "client")) as client:
        yield client


@pytest.fixture
async def far_node(gateway: Gateway, own_data_dir: Path) -> AsyncIterator[ComputeNode]:
    async with ComputeNode(gateway.url, "far", data_dir=elsewhere(own_data_dir, "node")) as node:
        yield node


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, 5 * PART_BYTES + 7])
async def test_a_file_crosses_the_gateway_and_back(
    far_client: AsyncClient, client: AsyncClient, tmp_path: Path, own_data_dir: Path, size: int
) -> None:
    source = tmp_path / "file.bin"
    source.write_bytes(random.Random(size).randbytes(size))
    artifact = await far_client.upload(source)
    assert ArtifactStore(own_data_dir / "artifacts").read(artifact) == source.read_bytes()
    shutil.rmtree(own_data_dir.parent / "client" / "artifacts")
    await far_client.download(artifact, tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == source.read_bytes()
    assert await client.read(artifact) == source.read_bytes()


async def test_large_values_and_files_reach_a_function_on_a_node_far_away(
    far_client: AsyncClient, far_node: ComputeNode, tmp_path: Path
) -> None:
    @far_node.register
    def merge(record: dict[str, Any], file: Path) -> dict[str, Any]:
        return {"text": record["deep"]["text"] + file.read_text(), "rows": list(range(40_000))}

    file = tmp_path / "tail.txt"
    file.write_text("tail")
    text = "x" * 700_000
    result = await far_client.execute("far.merge", {"deep": {"text": text}}, file=file)
    assert result == {"text": text + "tail", "rows": list(range(40_000))}


async def test_an_artifact_that_nobody_has_is_bad_data(
    far_client: AsyncClient, far_node: ComputeNode
) -> None:
    missing = Artifact(digest="0" * 64, size_bytes=10, filename="x")
    with pytest.raises(BadData):
        await far_client.read(missing)
    far_node.register(len, name="size")
    with pytest.raises(EasyNetError):
        await far_client.execute("far.size", missing)


async def test_damaged_bytes_do_not_arrive(
    far_client: AsyncClient, client: AsyncClient, tmp_path: Path
) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"good" * 100_000)
    artifact = await client.upload(source)
    stored = client._connected().transfer.store.path(artifact)  # pyright: ignore[reportPrivateUsage]
    stored.chmod(0o600)
    stored.write_bytes(b"evil" * 100_000)
    with pytest.raises(BadData, match="not those of the artifact"):
        await far_client.read(artifact)


async def test_the_same_file_may_be_sent_by_several_at_once(
    gateway: Gateway, own_data_dir: Path, tmp_path: Path
) -> None:
    source = tmp_path / "file"
    source.write_bytes(random.Random(1).randbytes(3_000_000))
    clients = [AsyncClient(gateway.url, data_dir=elsewhere(own_data_dir, f"c{i}")) for i in range(3)]
    for client in clients:
        await client.connect()
    artifacts = await asyncio.gather(*[client.upload(source) for client in clients])
    assert len(set(artifacts)) == 1
    assert ArtifactStore(own_data_dir / "artifacts").read(artifacts[0]) == source.read_bytes()
    for client in clients:
        await client.close()
