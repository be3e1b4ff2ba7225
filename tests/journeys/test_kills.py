"""Runs whose processes are killed at random moments, and that nobody can take up twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from easynet.core.events import RunStarted
from easynet.core.result import replay
from easynet.execution.journal import SqliteJournal
from evals.processes.home import Home, events_of
from evals.processes.kill_checks import Call

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path) as home:
        yield home


def test_runs_killed_at_random_moments_keep_their_promises() -> None:
    """Four of the fifty points of `make evals-crash`; what is checked at each is in `kill_checks.py`."""
    told = subprocess.run(
        (sys.executable, "-m", "evals.processes.kills", "4"), capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "4 points" in told.stdout.splitlines()[-1]
    assert "0 broke a promise" in told.stdout


def test_of_two_processes_that_resume_a_run_one_works_and_the_other_says_so(home: Home) -> None:
    gateway = home.start_gateway()
    home.start_node("press", gateway, concurrency=4)
    words = "write chapters about the primes"
    first = home.start(words, "--input", "limit=2000", "--gateway", gateway, "--json")
    run = next(e.run_id for e in events_of(first) if e.kind == "subtask_finished")
    first.kill()
    first.wait()
    working = home.start("runs", "resume", run, "--json")
    story = events_of(working)
    resumed = next(story)
    assert isinstance(resumed, RunStarted)
    assert resumed.resumed
    working.send_signal(signal.SIGSTOP)  # so that it is still at it, however slow the other one is
    other = subprocess.run(
        (sys.executable, "-m", "easynet", "runs", "resume", run),
        cwd=home.folder,
        env=home.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    working.send_signal(signal.SIGCONT)
    assert other.returncode == 2
    assert f"another process is working on run {run}" in other.stderr
    assert "Traceback" not in other.stderr
    assert [*story][-1].kind == "run_finished"
    with closing(SqliteJournal(home.data / "journal.db")) as journal:
        events = journal.events(run)
    assert replay(events).ok
    assert len([e for e in events if isinstance(e, RunStarted)]) == 2
    began = [c.function for c in Call.noted_in(home.folder / "calls.jsonl", run) if c.what == "began"]
    assert len(began) == len(set(began)), "something ran twice"
