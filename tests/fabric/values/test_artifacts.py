"""The store of large values and files."""

import hashlib
import multiprocessing
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.artifact import Artifact, own_name
from easynet.core.errors import BadData, DataDirectoryUnusable
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.drafts import PART_BYTES
from easynet.fabric.values.retention import MAX_AGE_S


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def test_bytes_come_back_under_their_digest(store: ArtifactStore) -> None:
    artifact = store.put(b"hel", b"lo")
    assert artifact == Artifact(digest=hashlib.sha256(b"hello").hexdigest(), size_bytes=5)
    assert store.has(artifact)
    assert store.read(artifact) == b"hello"
    assert store.path(artifact).read_bytes() == b"hello"
    with store.open(artifact) as file:
        assert file.read() == b"hello"


def test_the_same_bytes_are_kept_once_whatever_their_name(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    first, second = store.put_file(tmp_path / "a"), store.put(b"x")
    assert store.path(first) == store.path(second)


def test_a_file_is_copied_and_keeps_its_name(store: ArtifactStore, tmp_path: Path) -> None:
    path = tmp_path / "模型 1.bin"
    path.write_bytes(b"y" * 3_000_000)
    artifact = store.put_file(path)
    path.unlink()
    assert artifact.filename == "模型 1.bin"
    assert store.read(artifact) == b"y" * 3_000_000
    store.copy(artifact, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == 3_000_000
    assert os.access(tmp_path / "copy", os.W_OK)


def test_nothing_half_written_is_left(store: ArtifactStore, tmp_path: Path) -> None:
    store.put(b"x")
    with pytest.raises(BadData, match="missing"):
        store.put_file(tmp_path / "missing")
    with pytest.raises(BadData):
        store.put_file(tmp_path)
    assert list(store.folder.glob(".incoming/*")) == []


def test_what_is_absent_or_of_another_size_is_not_there(store: ArtifactStore) -> None:
    artifact = store.put(b"hello")
    other = artifact.model_copy(update={"size_bytes": 6})
    assert not store.has(other)
    with pytest.raises(BadData):
        store.path(other)
    with pytest.raises(BadData):
        store.read(Artifact(digest="0" * 64, size_bytes=0))


def test_damaged_bytes_are_refused_and_removed(store: ArtifactStore) -> None:
    artifact = store.put(b"hello")
    path = store.path(artifact)
    path.chmod(0o600)
    path.write_bytes(b"hullo")
    with pytest.raises(BadData, match="damaged"):
        store.read(artifact)
    assert not store.has(artifact)


@given(st.text(max_size=300))
def test_a_filename_is_one_harmless_part(name: str) -> None:
    own = own_name(name)
    assert "/" not in own
    assert "\\" not in own
    assert "\0" not in own
    assert own not in (".", "..")
    assert len(own.encode()) <= 200


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file grows beyond four parts."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * PART_BYTES, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_is_full_in_the_middle_leaves_no_debris(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(2 * PART_BYTES))
    with pytest.raises(DataDirectoryUnusable):
        store.put(bytes(5 * PART_BYTES))
    size = 3 * PART_BYTES
    artifact = Artifact(digest=hashlib.sha256(bytes(size)).hexdigest(), size_bytes=size)
    draft = store.open_draft(artifact)
    store.write_part(draft, 0, bytes(PART_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (PART_BYTES + 10, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    with pytest.raises(DataDirectoryUnusable):
        store.write_part(draft, PART_BYTES, bytes(PART_BYTES))
    with pytest.raises(DataDirectoryUnusable):
        store.put_file(tmp_path / "a")
    assert list(store.folder.glob(".incoming/*")) == []
    assert not store.has(artifact)


def test_what_is_used_stays_and_what_is_not_is_removed(store: ArtifactStore) -> None:
    used, unused = store.put(b"used"), store.put(b"unused")
    for artifact in (used, unused):
        old_s = time.time() - MAX_AGE_S - 10
        os.utime(store.path(artifact), (old_s, old_s))
    assert store.read(used) == b"used"
    store.tidy()
    assert store.has(used)
    assert not store.has(unused)
    with pytest.raises(BadData, match="is not in") as caught:
        store.read(unused)
    assert "30 days" in caught.value.hint


def test_a_store_is_tidied_once_an_hour_by_whoever_is_first(store: ArtifactStore) -> None:
    store.tidy()  # there is no folder yet
    artifact = store.put(b"x")
    store.tidy()
    old_s = time.time() - MAX_AGE_S - 10
    os.utime(store.path(artifact), (old_s, old_s))
    ArtifactStore(store.folder).tidy()
    assert len(list(store.folder.glob("??/*"))) == 1
    os.utime(store.folder / ".tidied", (old_s, old_s))
    ArtifactStore(store.folder).tidy()
    assert list(store.folder.glob("??/*")) == []


def test_an_unusable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = ArtifactStore(tmp_path / "file" / "store")
    with pytest.raises(DataDirectoryUnusable, match="file/store"):
        store.put(b"x")


def test_a_pipe_is_refused_instead_of_waited_for(store: ArtifactStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadData, match="not a regular file"):
        store.put_file(tmp_path / "pipe")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_named(store: ArtifactStore, tmp_path: Path) -> None:
    artifact = store.put(b"x" * 100_000)
    with pytest.raises(DataDirectoryUnusable, match="No space left"):
        store.copy(artifact, Path("/dev/full"))


def put_many(folder: Path) -> None:
    store = ArtifactStore(folder)
    for i in range(60):
        data = bytes([i]) * 50_000
        assert store.read(store.put(data)) == data


def test_two_processes_may_put_the_same_things_at_once(store: ArtifactStore) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=put_many, args=(store.folder,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert list(store.folder.glob(".incoming/*")) == []
