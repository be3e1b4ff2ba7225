"""Past runs in a file."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from easynet.core.errors import DataDirectoryUnusable
from easynet.core.ids import CapabilityName, RunId
from easynet.planners.experience import kind_of
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import model_path
from easynet.settings import inherited_environment
from tests.planners.experience_world import history, past


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteExperience]:
    opened = SqliteExperience(tmp_path / "experience.db")
    yield opened
    opened.close()


def test_runs_come_back_as_they_were_oldest_first(store: SqliteExperience) -> None:
    runs = history(6)
    for run in reversed(runs):
        store.add(run)
    assert list(store.runs()) == runs


def test_runs_outlive_the_process(store: SqliteExperience, tmp_path: Path) -> None:
    store.add(past(1, "cancel", "cancel_train"))
    again = SqliteExperience(tmp_path / "experience.db")
    assert len(again.runs()) == 1
    again.close()


def test_a_run_that_is_told_twice_is_kept_once(store: SqliteExperience) -> None:
    store.add(past(1, "cancel", "cancel_train"))
    store.add(past(1, "cancel it", "cancel_train"))
    assert [r.text for r in store.runs()] == ["cancel it"]


def test_the_version_changes_with_every_change(store: SqliteExperience) -> None:
    seen = [store.version()]
    store.add(past(1, "cancel", "cancel_train"))
    seen.append(store.version())
    store.forget()
    seen.append(store.version())
    assert len(set(seen)) == 3
    assert store.version() == seen[-1]


def test_one_run_or_all_of_a_function_can_be_forgotten(store: SqliteExperience) -> None:
    for run in history(12):
        store.add(run)
    assert store.forget(run=RunId("run-0000")) == 1
    assert store.forget(capability=CapabilityName("send_mail")) == 2
    assert all("send_mail" not in r.graph.capabilities for r in store.runs())
    assert store.forget() == 9
    assert list(store.runs()) == []


def test_what_another_version_wrote_is_left_out(store: SqliteExperience, tmp_path: Path) -> None:
    store.add(past(1, "cancel", "cancel_train"))
    with sqlite3.connect(tmp_path / "experience.db") as db:
        db.execute("INSERT INTO past_run VALUES ('x', 0, 'cancel', 1, '{\"plan\": 3}')")
    db.close()
    assert [r.id for r in store.runs()] == ["run-0001"]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "experience.db").mkdir()
    with pytest.raises(DataDirectoryUnusable, match=r"experience\.db"):
        SqliteExperience(tmp_path / "experience.db")


def test_runs_in_memory_are_ordered_and_replaced_alike() -> None:
    store = MemoryExperience(reversed(history(4)))
    store.add(past(0, "again", "cancel_train"))
    assert [r.id for r in store.runs()] == [f"run-000{i}" for i in range(4)]
    assert store.runs()[0].text == "again"


# ── of one kind, of one function ────────────────────────────────────────────────────────────────


def test_the_latest_runs_of_a_kind_are_found_newest_first(store: SqliteExperience) -> None:
    for i in range(5):
        store.add(past(i, f"cancel ticket {10 + i}", "cancel_train"))
    store.add(past(9, "cancel nothing", "cancel_train"))
    assert [r.id for r in store.latest(kind_of("cancel ticket 7"), 3)] == ["run-0004", "run-0003", "run-0002"]


def test_outcomes_of_a_function_are_those_of_its_runs_in_order(store: SqliteExperience) -> None:
    memory = MemoryExperience()
    avoiding = past(4, "d", "book_hotel").model_copy(update={"avoided": (CapabilityName("cancel_train"),)})
    runs = [
        past(2, "b", "cancel_train", failed="cancel_train"),
        past(1, "a", "cancel_train"),
        past(3, "c", "book_train"),
        avoiding,
    ]
    for run in runs:
        store.add(run)
        memory.add(run)
    for kept in (store, memory):
        assert kept.outcomes(CapabilityName("cancel_train")) == [True, False, False]


def test_a_run_that_is_resumed_takes_the_place_of_its_failure(store: SqliteExperience) -> None:
    store.add(past(1, "cancel", "cancel_train", failed="cancel_train"))
    store.add(past(1, "cancel", "cancel_train"))
    assert store.outcomes(CapabilityName("cancel_train")) == [True]


def test_links_are_those_of_runs_that_went_well_and_are_still_known(store: SqliteExperience) -> None:
    store.add(past(1, "a", "search_train", "book_train"))
    store.add(past(2, "b", "search_hotel", "book_hotel", failed="book_hotel"))
    assert store.links() == [("search_train", "book_train", "context")]
    store.forget(run=RunId("run-0001"))
    assert store.links() == []


# ── forgetting ──────────────────────────────────────────────────────────────────────────────────


def test_what_is_forgotten_is_in_no_file_any_more(store: SqliteExperience, tmp_path: Path) -> None:
    store.add(past(1, "mail to xylophonist@example.com", "send_mail"))
    store.add(past(2, "cancel", "cancel_train"))
    model_path(tmp_path / "experience.db").write_bytes(b"xylophonist")
    assert any(b"xylophonist" in f.read_bytes() for f in tmp_path.glob("experience*"))
    store.forget(run=RunId("run-0001"))
    assert not any(b"xylophonist" in f.read_bytes() for f in tmp_path.glob("experience*"))


def test_a_run_that_was_read_before_is_read_anew_when_it_changes(tmp_path: Path) -> None:
    with (
        closing(SqliteExperience(tmp_path / "e.db")) as one,
        closing(SqliteExperience(tmp_path / "e.db")) as two,
    ):
        one.add(past(1, "cancel", "cancel_train"))
        assert [r.text for r in two.runs()] == ["cancel"]
        one.add(past(1, "cancel it", "cancel_train"))
        one.add(past(2, "cancel all", "cancel_train"))
        assert [r.text for r in two.runs()] == ["cancel it", "cancel all"]
        one.forget(run=RunId("run-0001"))
        assert [r.text for r in two.runs()] == ["cancel all"]


# ── crashes, full disks, several processes ──────────────────────────────────────────────────────

STORER = """
import sys
from pathlib import Path
from easynet.planners.experience_store import SqliteExperience
from tests.planners.experience_world import past

store, first = SqliteExperience(Path(sys.argv[1])), int(sys.argv[2])
for i in range(first, first + int(sys.argv[3])):
    store.add(past(i, f"cancel ticket {i}", "search_train", "book_train"))
    print(i, flush=True)
"""


def storer(path: Path, first: int, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", STORER, str(path), str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=inherited_environment())


def is_whole(store: SqliteExperience) -> bool:
    """Whether every run that is kept has its outcomes, and no other run has any."""
    runs = store.runs()
    return len(store.outcomes(CapabilityName("book_train"))) == len(runs) == len(store.ids())


@pytest.mark.slow
def test_a_process_killed_while_storing_leaves_whole_runs_only(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    with storer(path, 0, 100_000) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(200)]
        process.kill()
        told += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    with closing(SqliteExperience(path)) as store:
        assert {f"run-{i:04d}" for i in told} <= store.ids()
        assert is_whole(store)
        store.add(past(200_000, "cancel", "search_train", "book_train"))
        assert is_whole(store)


@pytest.mark.slow
def test_processes_that_store_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    processes = [storer(path, first, 150) for first in (0, 1000, 2000)]
    for process in processes:
        with process:
            process.communicate(timeout=200)
            assert process.returncode == 0
    with closing(SqliteExperience(path)) as store:
        assert len(store.ids()) == 450
        assert store.version() == 450
        assert is_whole(store)


def test_a_full_disk_is_named_and_earlier_runs_stay(store: SqliteExperience) -> None:
    store.add(past(1, "cancel", "search_train", "book_train"))
    pages = store._file.rows("PRAGMA page_count")[0][0]
    store._file.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DataDirectoryUnusable, match=r"experience\.db.*full"):
        store.add(past(2, "cancel " + "x" * 100_000, "search_train", "book_train"))
    assert [r.id for r in store.runs()] == ["run-0001"]
    assert is_whole(store)
    store._file.rows(f"PRAGMA max_page_count = {pages * 100}")
    store.add(past(2, "cancel", "search_train", "book_train"))
    assert is_whole(store)
