"""Past runs in a file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from easynet.core.errors import DataDirectoryUnusable
from easynet.core.ids import CapabilityName, RunId
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_store import SqliteExperience
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
