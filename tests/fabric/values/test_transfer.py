"""Artifacts between processes that share no folder."""

import asyncio
import contextlib
import hashlib
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, DataDirectoryUnusable, EasyNetError, Overloaded
from easynet.fabric.access.memberships import WayIn
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.node import ComputeNode
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.questions import ask
from easynet.fabric.values import retention
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.drafts import PART_BYTES
from easynet.fabric.values.retention import MAX_AGE_S
from easynet.fabric.values.transfer_service import MAX_UNFINISHED
from easynet.fabric.wire.address import Address
from tests.fabric.proxy import Proxy
from tests.patience import PATIENCE_S

SIZE = 200_000_000
HALF = SIZE // 2
"""What is on its way is still less than a fifth of it."""
GATEWAY = """
import asyncio, sys
from pathlib import Path
from easynet.fabric.gateway.gateway import Gateway
async def main():
    async with Gateway(Path(sys.argv[1]), port=int(sys.argv[2]), lasting=True) as gateway:
        print(gateway.url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
CLIENT = """
import asyncio, sys
from pathlib import Path
from easynet.core.artifact import Artifact
from easynet.fabric.client import AsyncClient
async def main():
    _, url, folder, what, path, digest, size = sys.argv
    async with AsyncClient(url, data_dir=Path(folder)) as client:
        if what == "upload":
            await client.upload(Path(path))
        else:
            await client.download(Artifact(digest=digest, size_bytes=int(size), filename="f"), Path(path))
asyncio.run(main())
"""

pytestmark = pytest.mark.slow


def elsewhere(gateway_dir: Path, name: str) -> Path:
    """Another data directory, whose owner was handed the credentials."""
    folder = gateway_dir.parent / name
    shutil.copytree(gateway_dir / "gateways", folder / "gateways")
    return folder


def through(proxy: Proxy, folder: Path) -> str:
    """The address of a gateway behind a proxy, for the owner of a data directory."""
    (way_in,) = (folder / "gateways").glob("*.json")
    shutil.copy(way_in, way_in.with_name(f"{proxy.port}.json"))
    return f"nats://127.0.0.1:{proxy.port}"


def large_file(path: Path, size: int = SIZE) -> tuple[Artifact, Path]:
    """A file, no two parts of which are alike."""
    block = random.Random(3).randbytes(1_000_000)
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for number in range(size // len(block)):
            piece = number.to_bytes(8, "big") + block[8:]
            digest.update(piece)
            file.write(piece)
    return Artifact(digest=digest.hexdigest(), size_bytes=size, filename=path.name), path


def debris(data_dir: Path) -> list[Path]:
    return list((data_dir / "artifacts" / ".incoming").glob("*"))


@contextlib.asynccontextmanager
async def running(*command: object) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A Python program of its own, killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", *map(str, command), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


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


@pytest.mark.parametrize("way", ["up", "down"])
async def test_200_mb_arrive_whole_though_the_connection_is_cut_in_the_middle(
    gateway: Gateway, own_data_dir: Path, tmp_path: Path, way: Literal["up", "down"]
) -> None:
    artifact, source = large_file(tmp_path / "f")
    folder = elsewhere(own_data_dir, "client")
    store = ArtifactStore(own_data_dir / "artifacts")
    async with (
        Proxy(Address.parse(gateway.url).port) as proxy,
        AsyncClient(through(proxy, folder), data_dir=folder) as client,
    ):
        moving: asyncio.Task[Any]
        if way == "up":
            moving = asyncio.create_task(client.upload(source))
        else:
            store.put_file(source)
            moving = asyncio.create_task(client.download(artifact, tmp_path / "copy"))
        for share in (0.3, 0.6):
            await proxy.passed_as_much_as(int(share * SIZE))
            proxy.cut()
        await moving
        assert proxy.passed < 1.2 * SIZE
    arrived = store.path(artifact) if way == "up" else tmp_path / "copy"
    assert hashlib.sha256(arrived.read_bytes()).hexdigest() == artifact.digest
    assert debris(own_data_dir) == debris(folder) == []


@pytest.mark.parametrize("way", ["up", "down"])
async def test_what_arrived_before_the_client_was_killed_is_not_sent_again(
    gateway: Gateway, own_data_dir: Path, tmp_path: Path, way: Literal["up", "down"]
) -> None:
    artifact, source = large_file(tmp_path / "f", HALF)
    folder = elsewhere(own_data_dir, "client")
    target = tmp_path / "copy"
    if way == "down":
        ArtifactStore(own_data_dir / "artifacts").put_file(source)
    async with Proxy(Address.parse(gateway.url).port) as proxy:
        url = through(proxy, folder)
        what = ("upload", source) if way == "up" else ("download", target)
        async with running(CLIENT, url, folder, *what, artifact.digest, HALF) as killed:
            await proxy.passed_as_much_as(HALF // 2)
            killed.send_signal(signal.SIGKILL)
            await killed.wait()
        async with AsyncClient(url, data_dir=folder) as client:
            await (client.upload(source) if way == "up" else client.download(artifact, target))
        assert proxy.passed < 1.2 * HALF
    assert hashlib.sha256((source if way == "up" else target).read_bytes()).hexdigest() == artifact.digest
    assert ArtifactStore(own_data_dir / "artifacts").has(artifact)


@pytest.mark.parametrize("way", ["up", "down"])
async def test_a_large_file_arrives_whole_though_the_gateway_is_killed_in_the_middle(
    own_data_dir: Path, tmp_path: Path, way: Literal["up", "down"]
) -> None:
    artifact, source = large_file(tmp_path / "f", HALF)
    store = ArtifactStore(own_data_dir / "artifacts")
    if way == "down":
        store.put_file(source)
    async with contextlib.AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(running(GATEWAY, own_data_dir, 0))
        assert gateway.stdout is not None
        port = Address.parse((await gateway.stdout.readline()).decode().strip()).port
        folder = elsewhere(own_data_dir, "client")
        proxy = await stack.enter_async_context(Proxy(port))
        client = AsyncClient(through(proxy, folder), data_dir=folder)
        await stack.enter_async_context(client)
        moving: asyncio.Task[Any]
        if way == "up":
            moving = asyncio.create_task(client.upload(source))
        else:
            moving = asyncio.create_task(client.download(artifact, tmp_path / "copy"))
        await proxy.passed_as_much_as(HALF // 2)
        proxy.close()
        gateway.kill()
        await gateway.wait()
        again = await stack.enter_async_context(running(GATEWAY, own_data_dir, port))
        assert again.stdout is not None
        await again.stdout.readline()
        await proxy.open()
        await moving
        assert proxy.passed < 1.2 * HALF
    arrived = store.path(artifact) if way == "up" else tmp_path / "copy"
    assert hashlib.sha256(arrived.read_bytes()).hexdigest() == artifact.digest


@contextlib.asynccontextmanager
async def any_member(gateway: Gateway, data_dir: Path) -> AsyncGenerator[Connection]:
    """A connection that may speak for any member, as the nodes of the gateway's own user may."""
    way_in = WayIn(Address.parse(gateway.url), "node", data_dir, "x")
    connection = Connection(Address.parse(gateway.url), way_in, name="test")
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


def about(connection: Connection, what: str) -> str:
    """The subject of a question to the gateway that one is connected to."""
    return f"art.{what}.{connection.server_name}"


async def test_nobody_can_spoil_what_another_member_sends(
    gateway: Gateway, own_data_dir: Path, far_client: AsyncClient, tmp_path: Path
) -> None:
    data = random.Random(1).randbytes(3 * PART_BYTES)
    (tmp_path / "f").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    async with any_member(gateway, own_data_dir) as connection:
        content = [digest, len(data)]
        for offset in (0, PART_BYTES, 2 * PART_BYTES):
            await ask(
                connection, about(connection, "put.client.mallory"), [*content, offset, bytes(PART_BYTES)]
            )
        assert await ask(connection, about(connection, "begin.client.ana"), content) == bytes(3)
        with pytest.raises(BadData, match="not those of the artifact"):
            await ask(connection, about(connection, "end.client.mallory"), content)
        await ask(connection, about(connection, "put.client.mallory"), [*content, 0, bytes(PART_BYTES)])
        artifact = await far_client.upload(tmp_path / "f")
        assert await far_client.read(artifact) == data
        assert ArtifactStore(own_data_dir / "artifacts").read(artifact) == data
        assert await ask(connection, about(connection, "end.client.mallory"), content) is None


async def test_a_member_speaks_of_artifacts_in_its_own_name_only(
    gateway: Gateway, own_data_dir: Path
) -> None:
    refused: asyncio.Queue[str] = asyncio.Queue()
    address = Address.parse(gateway.url)
    connection = Connection(address, WayIn(address, "client", own_data_dir), name="test")
    connection.on_refusal = refused.put_nowait
    await connection.open()
    await connection.publish(about(connection, "put.client.ana"), b"")
    async with asyncio.timeout(PATIENCE_S):
        assert (await refused.get()).startswith("art.put.client.ana.")
    await connection.close()


async def test_a_member_has_only_so_many_artifacts_on_their_way(
    gateway: Gateway, own_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with any_member(gateway, own_data_dir) as connection:
        for number in range(MAX_UNFINISHED + 1):
            await ask(connection, about(connection, "begin.client.ana"), [f"{number:064x}", 10])
        with pytest.raises(Overloaded):
            await ask(connection, about(connection, "begin.client.ana"), ["f" * 64, 10])
        assert await ask(connection, about(connection, "begin.client.bo"), ["f" * 64, 10]) == b"\0"
        monkeypatch.setattr(retention, "room_bytes", lambda _: 1000)
        with pytest.raises(DataDirectoryUnusable, match="no room"):
            await ask(connection, about(connection, "begin.client.bo"), ["e" * 64, 1001])
        with pytest.raises(BadData, match="too large"):
            await ask(connection, about(connection, "begin.client.bo"), ["e" * 64, 2**50])


@pytest.mark.parametrize(
    "more", [[0], ["x", b""], [-1, b"x"], [0, b"xx"], [5, b"x"], [0, b"x", 1], [2**60, b"x"]]
)
async def test_parts_that_cannot_be_are_refused(
    gateway: Gateway, own_data_dir: Path, more: list[Any]
) -> None:
    async with any_member(gateway, own_data_dir) as connection:
        for what in ("put", "get"):
            with pytest.raises(BadData):
                await ask(connection, about(connection, f"{what}.client.ana"), ["a" * 64, 1, *more])


async def test_a_gateway_removes_what_nobody_has_used_for_long(
    own_data_dir: Path, until: Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]
) -> None:
    store = ArtifactStore(own_data_dir / "artifacts")
    old, new = store.path(store.put(b"old")), store.path(store.put(b"new"))
    long_ago = time.time() - MAX_AGE_S - 10
    os.utime(old, (long_ago, long_ago))

    async def is_gone() -> bool:
        return not old.exists()

    async with Gateway(own_data_dir):
        await until(is_gone)
    assert new.exists()


async def test_node_and_client_of_one_name_have_nothing_of_each_others(
    gateway: Gateway, own_data_dir: Path
) -> None:
    data = random.Random(2).randbytes(2 * PART_BYTES)
    content = [hashlib.sha256(data).hexdigest(), len(data)]
    async with any_member(gateway, own_data_dir) as connection:
        await ask(connection, about(connection, "put.node.twin"), [*content, 0, bytes(PART_BYTES)])
        assert await ask(connection, about(connection, "begin.client.twin"), content) == bytes(2)
        for offset in (0, PART_BYTES):
            part = data[offset : offset + PART_BYTES]
            await ask(connection, about(connection, "put.client.twin"), [*content, offset, part])
        assert await ask(connection, about(connection, "end.client.twin"), content) is None


async def test_namesake_of_a_client_that_was_shut_out_finds_none_of_its_drafts(
    own_data_dir: Path, tmp_path: Path
) -> None:
    content = ["e" * 64, 2 * PART_BYTES]
    async with Gateway(own_data_dir, lasting=True) as gateway, Owner(gateway.url) as owner:
        for who in ("first", "second"):
            member = await join(await owner.invite("client", "ana"), tmp_path / who)
            address = Address.parse(member.gateways[0])
            connection = Connection(address, WayIn(address, "client", tmp_path / who), name="test")
            await connection.open()
            assert await ask(connection, about(connection, "begin.client.ana"), content) == bytes(2)
            await ask(connection, about(connection, "put.client.ana"), [*content, 0, bytes(PART_BYTES)])
            assert await ask(connection, about(connection, "begin.client.ana"), content) == b"\1\0"
            await connection.close()
            await owner.revoke("client", "ana")
