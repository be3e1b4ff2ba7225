"""A disk that is full in the middle of a run: what was kept is kept, and the user is told."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from easynet.core.events import SubtaskFinished
from easynet.core.result import replay
from easynet.execution.journal import SqliteJournal
from evals.processes.home import Home
from evals.processes.kill_checks import Call

pytestmark = pytest.mark.slow

ROOM = 160_000
"""Bytes: a part of what the run's journal takes."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path) as home:
        yield home


def test_run_on_a_full_disk_says_so_and_is_resumed_when_there_is_room(home: Home) -> None:
    gateway = home.start_gateway()
    home.start_node("press", gateway, concurrency=1)
    command = (sys.executable, "-m", "easynet", "write chapters about the primes", "--gateway", gateway)
    full = subprocess.run(
        (*command, "--input", "limit=2000"),
        cwd=home.folder,
        env=home.environment,
        capture_output=True,
        text=True,
        check=False,
        # No file may become larger: the journal's log of changes is the first that wants to.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM)),
    )
    assert full.returncode not in (0, 1), full.stderr
    assert "Traceback" not in full.stderr
    assert str(home.data) in full.stderr
    with closing(SqliteJournal(home.data / "journal.db")) as journal:
        [run] = journal.runs()
        before = {e.subtask for e in journal.events(run.id) if isinstance(e, SubtaskFinished)}
        assert journal.results(run.id).keys() == before
    assert run.status == "interrupted"
    assert 0 < len(before) < 9
    home.say("runs", "resume", run.id)
    with closing(SqliteJournal(home.data / "journal.db")) as journal:
        assert replay(journal.events(run.id)).ok
    ran = [c.function for c in Call.noted_in(home.folder / "calls.jsonl", run.id) if c.what == "began"]
    assert all(ran.count(step) == 1 for step in before)
