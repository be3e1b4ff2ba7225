"""Runs that are cut short: killed, cancelled, orphaned. Nothing is lost and nothing is left behind."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from easynet.core.events import RUN_EVENT, RunEvent, RunFinished, SubtaskFinished
from easynet.core.result import replay
from easynet.execution.journal import SqliteJournal
from tests.journeys.command import COMMAND, Cli, events_of

pytestmark = pytest.mark.slow


@contextmanager
def running(*words: str) -> Generator[subprocess.Popen[str]]:
    """A command at work; killed at the end if it still is."""
    process = subprocess.Popen((*COMMAND, *words, "--json"), stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], wanted: Callable[[RunEvent], bool]) -> list[RunEvent]:
    """The events up to the first one that is wanted."""
    assert process.stdout is not None
    seen: list[RunEvent] = []
    for line in process.stdout:
        seen.append(RUN_EVENT.validate_json(line))
        if wanted(seen[-1]):
            return seen
    raise AssertionError("the run ended before that")


def children_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Every process that a command has started: the NATS server, its guardian, the worker."""
    return psutil.Process(process.pid).children(recursive=True)


def test_killed_run_is_resumed_without_repeating_what_was_finished(own_data_dir: Path, cli: Cli) -> None:
    with running("train a medical anomaly detector") as process:
        seen = read_until(process, lambda e: isinstance(e, SubtaskFinished) and e.subtask.startswith("split"))
        process.kill()
        process.wait()
    run_id = seen[0].run_id
    assert "interrupted" in cli("runs").stdout

    resumed = cli("runs", "resume", run_id, "--json")
    assert resumed.returncode == 0, resumed.stderr

    journal = SqliteJournal(own_data_dir / "journal.db")
    events = journal.events(run_id)
    journal.close()
    finished = Counter(e.subtask for e in events if isinstance(e, SubtaskFinished))
    assert set(finished.values()) == {1}
    assert replay(events).ok
    done_before = {e.subtask for e in seen if isinstance(e, SubtaskFinished)}
    done_after = {e.subtask for e in events_of(resumed.stdout) if isinstance(e, SubtaskFinished)}
    assert done_before
    assert not done_before & done_after


def test_interrupt_cancels_the_run_and_leaves_it_resumable(cli: Cli) -> None:
    with running("train a medical anomaly detector") as process:
        seen = read_until(process, lambda e: isinstance(e, SubtaskFinished))
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=200)
        assert process.returncode == 130
    last = events_of(rest)[-1]
    assert isinstance(last, RunFinished)
    assert last.status == "cancelled"
    assert cli("runs", "resume", seen[0].run_id).returncode == 0


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_second_interrupt_ends_at_once_and_without_a_traceback(
    second: signal.Signals, cli: Cli, capfd: pytest.CaptureFixture[str]
) -> None:
    with running("train a medical anomaly detector") as process:
        seen = read_until(process, lambda e: isinstance(e, SubtaskFinished))
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)  # so that the two are told apart
        process.send_signal(second)
        process.communicate(timeout=200)
        # By the signal itself where the first one had already brought Python to its own end.
        assert process.returncode in (130, -second)
    assert "Traceback" not in capfd.readouterr().err
    [run] = [line for line in cli("runs").stdout.splitlines() if seen[0].run_id in line]
    assert "cancelled" in run or "interrupted" in run  # either can be resumed


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_the_command(end: signal.Signals) -> None:
    with running("train a medical anomaly detector") as process:
        read_until(process, lambda e: isinstance(e, SubtaskFinished))
        started = children_of(process)
        assert any("nats-server" in " ".join(p.cmdline()) for p in started)
        process.send_signal(end)
        process.communicate(timeout=200)
        gone, alive = psutil.wait_procs(started, timeout=60)
        assert not alive
        assert gone


def test_worker_that_is_killed_costs_an_attempt_not_the_run(cli: Cli) -> None:
    with running("train a medical anomaly detector") as process:
        seen = read_until(process, lambda e: e.kind == "attempt_started")
        worker = next(p for p in children_of(process) if "easynet.worker" in p.cmdline())
        os.kill(worker.pid, signal.SIGKILL)
        rest, _ = process.communicate(timeout=200)
    result = replay(seen + events_of(rest))
    assert result.ok, result.problem
    assert result.attempts > len(result.plan.subtasks if result.plan else ())


def test_server_that_is_killed_is_started_again_and_nothing_runs_twice(cli: Cli) -> None:
    with running("train a medical anomaly detector") as process:
        seen = read_until(process, lambda e: e.kind == "attempt_started")
        server = next(p for p in children_of(process) if p.name() == "nats-server")
        server.kill()
        rest, _ = process.communicate(timeout=200)
    result = replay(seen + events_of(rest))
    assert result.ok, result.problem
    assert result.plan is not None
    assert result.attempts == len(result.plan.subtasks)
