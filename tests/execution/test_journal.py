"""What only the journal on disk has to get right: other processes, and disks that do not serve."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from easynet.core.errors import DataDirectoryUnusable, RunBusy
from easynet.core.events import RunFinished, RunStarted
from easynet.core.ids import RunId
from easynet.core.intent import Intent
from easynet.execution.journal import SqliteJournal
from easynet.settings import inherited_environment

RUN = RunId("run-1")

WRITER = """
import sys
from pathlib import Path
from easynet.core.events import RunStarted, RunFinished
from easynet.core.intent import Intent
from easynet.execution.journal import SqliteJournal

journal = SqliteJournal(Path(sys.argv[1]))
for n in range(int(sys.argv[3])):
    run = f"{sys.argv[2]}-{n}"
    journal.append([RunStarted(run_id=run, seq=0, at=1.0, intent=Intent.from_text("x"), version="0")])
    journal.append([RunFinished(run_id=run, seq=1, at=2.0, status="succeeded")], {"a": b"1"})
"""

HOLDER = """
import sys, time
from pathlib import Path
from easynet.execution.journal import SqliteJournal

journal = SqliteJournal(Path(sys.argv[1]))
with journal.claim("run-1"):
    print("claimed", flush=True)
    time.sleep(60)
"""

COUNTER = """
import sys
from pathlib import Path
from easynet.core.errors import RunBusy
from easynet.execution.claim import claim

folder, left = Path(sys.argv[1]), 100
number = folder / "number"
while left:
    try:
        with claim(folder, "run-1"):
            number.write_text(str(int(number.read_text()) + 1))
            left -= 1
    except RunBusy:
        pass
"""


def child(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=inherited_environment(),
    )


def started(run_id: RunId = RUN) -> RunStarted:
    return RunStarted(run_id=run_id, seq=0, at=1.0, intent=Intent.from_text("x"), version="0")


@pytest.mark.slow
def test_processes_that_open_and_write_one_new_file_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal.sqlite"
    writers = [child(WRITER, str(path), f"w{n}", "50") for n in range(4)]
    for writer in writers:
        with writer:
            assert writer.wait(timeout=200) == 0
    with closing(SqliteJournal(path)) as journal:
        assert len(journal.runs(limit=1000)) == 200
        assert all(r.status == "succeeded" for r in journal.runs(limit=1000))
        assert len(journal.events(RunId("w3-49"))) == 2


@pytest.mark.slow
def test_a_killed_process_lets_go_of_its_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(SqliteJournal(path)) as journal, child(HOLDER, str(path)) as holder:
        journal.append([started()])
        assert holder.stdout is not None
        assert holder.stdout.readline() == "claimed\n"
        with pytest.raises(RunBusy, match="run-1"), journal.claim(RUN):
            pass
        assert journal.runs()[0].status == "running"
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(timeout=200)
        assert journal.runs()[0].status == "interrupted"
        with journal.claim(RUN):
            pass


@pytest.mark.slow
def test_processes_that_fight_over_a_claim_hold_it_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "number").write_text("0")
    counters = [child(COUNTER, str(tmp_path)) for _ in range(4)]
    for counter in counters:
        with counter:
            assert counter.wait(timeout=200) == 0
    assert (tmp_path / "number").read_text() == "400"


def test_a_claim_leaves_no_file_behind(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path / "journal.sqlite")) as journal:
        with journal.claim(RUN):
            assert list(tmp_path.glob("*.lock"))
        assert not list(tmp_path.glob("*.lock"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(DataDirectoryUnusable, match=r"journal\.sqlite"):
        SqliteJournal(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataDirectoryUnusable, match="file"):
        SqliteJournal(tmp_path / "file" / "journal.sqlite")


def test_a_disk_that_fills_up_is_named_and_earlier_events_stay(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(SqliteJournal(path)) as journal:
        journal.append([started()])
        pages = journal._file.rows("PRAGMA page_count")[0][0]
        journal._file.rows(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DataDirectoryUnusable, match=r"journal\.sqlite.*full") as raised:
            journal.append(
                [RunFinished(run_id=RUN, seq=1, at=2.0, status="succeeded", headline=("x" * 100_000,))]
            )
        assert "EASYNET_DATA_DIR" in raised.value.hint
        assert [e.kind for e in journal.events(RUN)] == ["run_started"]
        journal._file.rows(f"PRAGMA max_page_count = {pages * 100}")
        journal.append([RunFinished(run_id=RUN, seq=1, at=2.0, status="succeeded")])


def test_an_event_of_a_later_version_is_told_from_a_bug(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(SqliteJournal(path)) as journal:
        journal.append([started()])
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("""UPDATE event SET body = '{"kind": "teleported"}'""")
        with pytest.raises(DataDirectoryUnusable, match="this version of EasyNet cannot read"):
            journal.events(RUN)
