"""Large values that one side of a call keeps for the other."""

import hashlib
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.artifact import Artifact
from easynet.fabric.serving.held_results import KEPT_S, HeldResults
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.drafts import PART_BYTES
from easynet.fabric.values.held_values import HeldValues, Memory
from easynet.fabric.values.parcels import Kind
from easynet.fabric.values.recent_values import RecentValues
from easynet.fabric.wire.decoding import decode
from easynet.fabric.wire.encoding import encode
from easynet.fabric.wire.large_values import Coming, Known, Want
from easynet.fabric.wire.references import references


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def in_store(store: ArtifactStore) -> int:
    return len(list(store.folder.glob("??/*")))


@given(sizes=st.lists(st.integers(0, 3 * PART_BYTES), min_size=1, max_size=4), parts=st.integers(1, 8))
def test_the_parts_of_several_pieces_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], parts: int
) -> None:
    held = HeldValues(ArtifactStore(tmp_path_factory.mktemp("store")), Memory())
    pieces = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    artifact = held.put(*pieces)
    got = b""
    while len(got) < artifact.size_bytes:
        answers = held.answers(Want(artifact.digest, len(got), parts))
        assert 0 < len(answers) <= parts
        for parcel in answers:
            assert (parcel.kind, parcel.offset) == (Kind.PART, len(got))
            got += parcel.data
    assert hashlib.sha256(got).hexdigest() == artifact.digest
    assert got == b"".join(pieces)


def test_nothing_is_given_of_what_is_not_the_calls(store: ArtifactStore) -> None:
    held = HeldValues(store, Memory())
    other = store.put(b"a secret in the store")
    (answer,) = held.answers(Want(other.digest))
    assert answer.kind is Kind.ELSEWHERE
    assert held.answers(Want(held.put(b"x").digest, 2**62)) == []


def test_a_value_goes_into_the_store_where_the_other_side_has_the_same(store: ArtifactStore) -> None:
    held = HeldValues(store, Memory())
    artifact = held.put(b"x" * 10)
    assert in_store(store) == 0
    want = Want(artifact.digest, store=ArtifactStore(store.folder).identity)
    assert not held.is_quick(want)
    (answer,) = held.answers(want)
    assert answer.kind is Kind.IN_STORE
    assert store.read(artifact) == b"x" * 10


def test_without_room_all_of_a_calls_values_go_into_the_store(store: ArtifactStore) -> None:
    memory = Memory(100)
    held = HeldValues(store, memory)
    values = [held.put(bytes([i]) * 60) for i in range(3)]
    held.settle()
    assert in_store(store) == 3
    assert not any(value in held for value in values)
    assert memory.take(100)


def test_what_is_released_makes_room(store: ArtifactStore) -> None:
    memory = Memory(100)
    for _ in range(3):
        held = HeldValues(store, memory)
        assert held.put(b"x" * 40) in held
        assert held.put(b"x" * 40) in held
        assert held.put(b"y" * 40) in held
        held.settle()
        held.release()
    assert memory.take(100)
    assert in_store(store) == 0


def test_results_are_kept_for_their_own_client_until_it_has_them_or_a_minute(store: ArtifactStore) -> None:
    memory, results = Memory(100), HeldResults()

    def add(client: str, call: str, now: float) -> HeldValues:
        held = HeldValues(store, memory)
        held.put(b"x" * 30)
        results.add(client, call, held, now)
        return held

    first = add("ana", "1", 0.0)
    assert results.find("ana", "1", 50.0) is first
    assert results.find("bo", "1", 50.0) is None
    results.done("bo", "1")
    add("ana", "2", 50.0)
    results.share("ana", "2", "3", 50.0)
    results.done("ana", "2")
    assert results.find("ana", "2", 60.0) is None
    assert results.find("ana", "3", 60.0) is not None
    results.forget(50.0 + KEPT_S + 1)
    assert results.find("ana", "1", 111.0) is None
    assert results.find("ana", "3", 111.0) is not None
    results.done("ana", "3")
    assert memory.take(100)


def test_recent_values_are_those_used_last() -> None:
    recent = RecentValues(max_bytes=100, kept_s=10.0)
    a, b, c = (Artifact(digest=letter * 64, size_bytes=40) for letter in "abc")
    recent.put(a, b"a", 0.0)
    recent.put(b, b"b", 1.0)
    assert recent.get(a, 2.0) == b"a"
    recent.put(c, b"c", 3.0)
    recent.put(c, b"c", 3.0)
    assert [recent.get(x, 4.0) for x in (a, b, c)] == [b"a", None, b"c"]
    recent.get(c, 13.0)
    recent.forget(15.0)
    assert [recent.get(x, 15.0) for x in (a, b, c)] == [None, None, b"c"]


def test_large_values_are_packed_as_msgpack_packs_them(store: ArtifactStore) -> None:
    for value in (b"x" * 100_000, "ü" * 100_000):
        data = encode([value, 1], store.put)
        (artifact,) = references(data)
        assert store.read(artifact) == msgpack.packb(value)
        assert decode(data, store.value) == [value, 1]


def test_the_other_side_may_begin_before_the_digest_is_known(store: ArtifactStore) -> None:
    told: list[Coming | Known] = []

    def tell(update: Coming | Known) -> None:
        told.append(update)
        if isinstance(update, Coming):
            (first,) = held.answers(Want(update.name))
            assert first.data == bytes(PART_BYTES)

    held = HeldValues(store, Memory(), tell)
    artifact = held.put(bytes(5_000_000))
    coming, known = told
    assert isinstance(coming, Coming)
    assert (coming.size_bytes, coming.store) == (5_000_000, store.identity)
    assert known == Known(coming.name, artifact.digest)
    assert len(held.answers(Want(artifact.digest, parts=2))) == 2
    held.put(b"small")
    assert len(told) == 2
