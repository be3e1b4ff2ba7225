"""How long artifacts stay."""

import os
from pathlib import Path

import pytest

from easynet.core.artifact import Artifact
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.drafts import PART_BYTES
from easynet.fabric.values.retention import DAY_S, MAX_AGE_S, limit_bytes, room_bytes, sweep

NOW = 2e9
NO_LIMIT = 2**60


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def put(store: ArtifactStore, name: str, *, age_s: float) -> Artifact:
    artifact = store.put(name.encode() * 100_000)
    os.utime(store.path(artifact), (NOW - age_s, NOW - age_s))
    return artifact


def left(store: ArtifactStore, *artifacts: Artifact) -> list[bool]:
    return [(store.folder / a.digest[:2] / a.digest).exists() for a in artifacts]


def test_what_was_not_used_for_thirty_days_is_removed(store: ArtifactStore) -> None:
    artifacts = [put(store, "a", age_s=MAX_AGE_S + 1), put(store, "b", age_s=MAX_AGE_S - 1)]
    sweep(store.folder, NOW, NO_LIMIT)
    assert left(store, *artifacts) == [False, True]


def test_what_was_not_used_for_longest_makes_room(store: ArtifactStore) -> None:
    artifacts = [
        put(store, name, age_s=days * DAY_S) for name, days in (("a", 3), ("b", 5), ("c", 2), ("d", 0.5))
    ]
    sweep(store.folder, NOW, 250_000)
    assert left(store, *artifacts) == [False, False, True, True]


def test_what_was_used_today_stays_however_much_there_is(store: ArtifactStore) -> None:
    artifacts = [put(store, name, age_s=hours * 3600) for name, hours in (("a", 23), ("b", 1))]
    sweep(store.folder, NOW, 0)
    assert left(store, *artifacts) == [True, True]


def test_what_was_left_unfinished_is_removed_unless_somebody_has_it_open(store: ArtifactStore) -> None:
    used = store.open_draft(Artifact(digest="a" * 64, size_bytes=PART_BYTES))
    unused = store.open_draft(Artifact(digest="b" * 64, size_bytes=PART_BYTES))
    recent = store.open_draft(Artifact(digest="c" * 64, size_bytes=PART_BYTES))
    unused.close()
    recent.close()
    (store.folder / ".incoming" / "killed").write_bytes(b"x")
    for path in (used.path, unused.path, store.folder / ".incoming" / "killed"):
        os.utime(path, (NOW - DAY_S - 1, NOW - DAY_S - 1))
    os.utime(recent.path, (NOW, NOW))
    sweep(store.folder, NOW, NO_LIMIT)
    assert sorted((store.folder / ".incoming").iterdir()) == [used.path, recent.path]
    used.drop()


def test_the_limit_leaves_most_of_the_disk_to_others(tmp_path: Path) -> None:
    status = os.statvfs(tmp_path)
    total = status.f_blocks * status.f_frsize
    assert 0.15 * total < limit_bytes(tmp_path) < 0.25 * total
    assert room_bytes(tmp_path) < status.f_bavail * status.f_frsize
