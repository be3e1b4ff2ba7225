"""Files that arrive in parts."""

import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.drafts import PART_BYTES, Draft, is_in_use, offsets_of_missing

DATA = random.Random(7).randbytes(3 * PART_BYTES + 5)
ARTIFACT = Artifact(digest=hashlib.sha256(DATA).hexdigest(), size_bytes=len(DATA))


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def part(offset: int) -> bytes:
    return DATA[offset : offset + PART_BYTES]


def write(store: ArtifactStore, draft: Draft, *numbers: int) -> None:
    for number in numbers:
        store.write_part(draft, number * PART_BYTES, part(number * PART_BYTES))


def debris(store: ArtifactStore) -> list[Path]:
    return list(store.folder.glob(".incoming/*"))


@given(order=st.permutations(range(4)), kept=st.integers(0, 4))
def test_parts_may_come_in_any_order_and_over_two_lives(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], kept: int
) -> None:
    store = ArtifactStore(tmp_path_factory.mktemp("store"))
    first = store.open_draft(ARTIFACT)
    assert not first.was_begun
    write(store, first, *order[:kept])
    first.close()
    second = store.open_draft(ARTIFACT)
    assert second.was_begun == (kept > 0)
    missing = offsets_of_missing(second.record)
    assert missing == sorted(number * PART_BYTES for number in order[kept:])
    for offset in missing:
        store.write_part(second, offset, part(offset))
    store.adopt(second)
    assert store.read(ARTIFACT) == DATA
    assert debris(store) == []


@pytest.mark.parametrize("numbers", [[], [0], [0, 1, 2]])
def test_what_is_not_whole_does_not_become_an_artifact(store: ArtifactStore, numbers: list[int]) -> None:
    draft = store.open_draft(ARTIFACT)
    write(store, draft, *numbers)
    with pytest.raises(BadData, match="whole"):
        store.adopt(draft)
    assert not store.has(ARTIFACT)
    assert debris(store) == []


def test_other_bytes_do_not_become_an_artifact(store: ArtifactStore) -> None:
    draft = store.open_draft(ARTIFACT)
    write(store, draft, 0, 1, 3)
    store.write_part(draft, 2 * PART_BYTES, bytes(PART_BYTES))
    with pytest.raises(BadData, match="not those"):
        store.adopt(draft)
    assert not store.has(ARTIFACT)
    assert debris(store) == []


def test_a_part_that_is_there_cannot_be_changed_after_it_was_counted(store: ArtifactStore) -> None:
    draft = store.open_draft(ARTIFACT)
    write(store, draft, 0, 1, 2, 3)
    store.write_part(draft, PART_BYTES, bytes(PART_BYTES))
    store.adopt(draft)
    assert ArtifactStore(store.folder).read(ARTIFACT) == DATA


@pytest.mark.parametrize(
    ("offset", "size"),
    [(1, PART_BYTES), (-PART_BYTES, PART_BYTES), (0, 1), (0, PART_BYTES + 1), (3 * PART_BYTES, 6),
     (4 * PART_BYTES, 0), (2**70 * PART_BYTES, 5)],
)  # fmt: skip
def test_a_part_that_does_not_fit_is_refused(store: ArtifactStore, offset: int, size: int) -> None:
    draft = store.open_draft(ARTIFACT)
    with pytest.raises(BadData, match="does not fit"):
        store.write_part(draft, offset, bytes(size))
    assert not any(draft.record)
    draft.drop()


def test_an_empty_artifact_has_no_parts(store: ArtifactStore) -> None:
    empty = Artifact(digest=hashlib.sha256(b"").hexdigest(), size_bytes=0)
    draft = store.open_draft(empty)
    assert draft.record == b""
    store.adopt(draft)
    assert store.read(empty) == b""


def test_each_owner_has_drafts_of_its_own(store: ArtifactStore) -> None:
    mine, theirs = store.open_draft(ARTIFACT, "ana"), store.open_draft(ARTIFACT, "../mallory")
    store.write_part(theirs, 0, bytes(PART_BYTES))
    assert not any(mine.record)
    write(store, mine, 0, 1, 2, 3)
    assert (store.drafts_of("ana"), store.drafts_of("../mallory"), store.drafts_of("bo")) == (1, 1, 0)
    store.adopt(mine)
    assert store.read(ARTIFACT) == DATA
    theirs.drop()


def test_a_draft_that_somebody_has_open_is_left_alone(store: ArtifactStore) -> None:
    first = store.open_draft(ARTIFACT)
    write(store, first, 0)
    second = store.open_draft(ARTIFACT)
    assert second.path != first.path
    assert not second.was_begun
    assert is_in_use(first.path)
    write(store, second, 0, 1, 2, 3)
    store.adopt(second)
    write(store, first, 1, 2, 3)
    store.adopt(first)
    assert store.read(ARTIFACT) == DATA
    assert debris(store) == []
    assert not is_in_use(first.path)


def test_a_draft_of_another_size_is_begun_anew(store: ArtifactStore) -> None:
    first = store.open_draft(ARTIFACT)
    first.close()
    first.path.write_bytes(b"something else")
    draft = store.open_draft(ARTIFACT)
    assert draft.path == first.path
    assert not draft.was_begun
    write(store, draft, 0, 1, 2, 3)
    store.adopt(draft)
    assert store.read(ARTIFACT) == DATA
