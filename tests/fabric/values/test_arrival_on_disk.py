"""Large values that arrive in the store."""

import asyncio
import hashlib
import random
from pathlib import Path

import pytest

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, DataDirectoryUnusable, NodeUnreachable
from easynet.fabric.values.arrival_on_disk import ArrivalOnDisk
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.drafts import PART_BYTES, Draft
from easynet.fabric.values.parcels import Kind, Parcel
from tests.patience import PATIENCE_S

DATA = random.Random(1).randbytes(20 * PART_BYTES + 7)
ARTIFACT = Artifact(digest=hashlib.sha256(DATA).hexdigest(), size_bytes=len(DATA))


class Other:
    """The other side; gives what was asked for when the test says so."""

    def __init__(self, data: bytes = DATA) -> None:
        self.data = data
        self.asked: list[int] = []

    def ask(self, offset: int, parts: int) -> None:
        self.asked += range(offset, offset + parts * PART_BYTES, PART_BYTES)

    async def give(self, arrival: ArrivalOnDisk) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not arrival.end.done():
                asked, self.asked = self.asked, []
                for offset in asked:
                    part = self.data[offset : offset + PART_BYTES]
                    arrival.take(Parcel(Kind.PART, ARTIFACT.digest, offset, part), 1.0)
                await asyncio.sleep(0)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def arrival_in(store: ArtifactStore, other: Other) -> ArrivalOnDisk:
    return ArrivalOnDisk(ARTIFACT, other.ask, 0.0, store, store.open_draft(ARTIFACT, "ana"))


async def test_value_arrives_in_the_store(store: ArtifactStore) -> None:
    other = Other()
    arrival = arrival_in(store, other)
    await other.give(arrival)
    assert await arrival.end is Kind.IN_STORE
    assert store.read(ARTIFACT) == DATA
    assert store.drafts_of("ana") == 0


async def test_no_more_is_asked_for_than_was_written(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Other()
    arrival = arrival_in(store, other)
    waiting: list[asyncio.Future[None]] = []

    def do(_: object) -> "asyncio.Future[None]":
        waiting.append(asyncio.get_running_loop().create_future())
        return waiting[-1]

    monkeypatch.setattr(arrival._work, "do", do)
    for _ in range(5):
        asked, other.asked = other.asked, []
        for offset in asked:
            part = DATA[offset : offset + PART_BYTES]
            arrival.take(Parcel(Kind.PART, ARTIFACT.digest, offset, part), 1.0)
    assert len(waiting) < 20
    for future in waiting:
        future.set_result(None)
    await asyncio.sleep(0)
    assert other.asked
    arrival.fail(NodeUnreachable("enough"))
    with pytest.raises(NodeUnreachable):
        await arrival.end
    arrival._draft.drop()


async def test_other_bytes_are_refused(store: ArtifactStore) -> None:
    other = Other(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    arrival = arrival_in(store, other)
    await other.give(arrival)
    with pytest.raises(BadData, match="not those"):
        await arrival.end
    assert not store.has(ARTIFACT)


async def test_disk_that_takes_no_more_ends_it(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Draft, "write", full)
    other = Other()
    arrival = arrival_in(store, other)
    await other.give(arrival)
    with pytest.raises(DataDirectoryUnusable, match="No space left"):
        await arrival.end


async def test_what_nobody_wants_any_more_is_removed(store: ArtifactStore) -> None:
    arrival = arrival_in(store, Other())
    assert store.drafts_of("ana") == 1
    arrival.fail(NodeUnreachable("gone"))
    with pytest.raises(NodeUnreachable):
        await arrival.end
    async with asyncio.timeout(PATIENCE_S):
        while store.drafts_of("ana"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
