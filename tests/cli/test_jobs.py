"""`easynet jobs`, against the jobs of a gateway that is not really there."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from easynet.cli.app import app
from easynet.cli.render_jobs import plain, update_line
from easynet.core.artifact import Artifact
from easynet.core.errors import JobNotFound, RemoteFailure, UsageError
from easynet.core.events import Problem
from easynet.core.ids import JobId
from easynet.core.job import Job, JobEnded, JobPostponed, JobProgressed, JobYielded
from easynet.fabric.jobs import job_client
from easynet.fabric.jobs.job_client import Jobs
from easynet.fabric.jobs.job_events import Ended, JobEvent, Placement, Started, Submitted
from easynet.fabric.jobs.job_frames import encode_event
from easynet.fabric.wire import updates
from easynet.fabric.wire.packing import pack
from easynet.fabric.wire.updates import Failure, Progress

ENDS: dict[str, JobEvent] = {
    "aa11": Ended(updates.Result(pack({"auc": 0.9}))),
    "aa22": Ended(Failure("remote_failure", "ValueError", "no such luck")),
    "bb33": Ended(None),
}


@pytest.fixture(autouse=True)
def gateway(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A gateway that keeps three jobs; gives what was cancelled."""
    cancelled: list[str] = []

    async def ask(subject: str, content: Any, *, timeout_s: float) -> Any:
        match subject.split("."), content:
            case [_, "list", "local"], []:
                return [summary(job) for job in ENDS]
            case [_, "cancel", "local"], [job]:
                cancelled.append(job)
                return "cancelled" if job == "bb33" else "succeeded"
            case [_, "read", "local"], [job, after, _]:
                return events_of(job)[after:], True
        raise AssertionError(subject)

    async def value(data: bytes) -> Any:
        return {"auc": 0.9}

    @asynccontextmanager
    async def open_jobs(gateway: str, data_dir: Path) -> AsyncGenerator[Jobs]:
        assert gateway == "127.0.0.1:7"
        yield Jobs(ask, "local", value)

    monkeypatch.setattr(job_client, "open_jobs", open_jobs)
    return cancelled


def summary(job: str) -> dict[str, Any]:
    reason = "no such luck" if job == "aa22" else ""
    kept = Job(id=JobId(job), function="train", state="succeeded", submitted_at=0.0, reason=reason)
    return kept.model_dump(mode="json")


def events_of(job: str) -> list[Any]:
    began = Started(1, Placement("gpu", "1", True), "")  # type: ignore[arg-type]
    told: list[JobEvent] = [
        Submitted("local", "local", "train", "", 0),
        began,
        Progress(0.5, "half"),
        ENDS[job],
    ]
    return [[seq, encode_event(event, 0.0)] for seq, event in enumerate(told, 1)]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--gateway", "127.0.0.1:7"])


@pytest.mark.parametrize("words", [("jobs",), ("jobs", "list")])
def test_jobs_are_listed(words: tuple[str, ...]) -> None:
    shown = run(*words).stdout.splitlines()
    assert len(shown) == 4
    assert shown[1].split() == ["aa11", "succeeded", "1970-01-01", "00:00", "–", "train"]
    assert shown[2].endswith("train: no such luck")


def test_jobs_are_listed_for_programs() -> None:
    lines = run("jobs", "list", "--json").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == list(ENDS)


def test_following_tells_the_story_and_prints_the_result() -> None:
    ended = run("jobs", "follow", "aa11")
    assert ended.exit_code == 0
    assert json.loads(ended.stdout) == {"auc": 0.9}
    told = [line.split("  ", 1)[1] for line in ended.stderr.splitlines()]
    assert told == ["submitted", "started on gpu", "50% half", "succeeded"]


def test_following_for_programs_prints_each_update() -> None:
    lines = run("jobs", "follow", "aa11", "--json").stdout.splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds == ["submitted", "started", "progressed", "ended"]


def test_following_a_job_that_failed_ends_in_its_error() -> None:
    ended = run("jobs", "follow", "aa2")
    assert isinstance(ended.exception, RemoteFailure)
    assert ended.stdout == ""


def test_following_a_job_that_was_cancelled_says_so_by_its_exit_code() -> None:
    assert run("jobs", "follow", "b").exit_code == 130


def test_job_is_cancelled(gateway: list[str]) -> None:
    ended = run("jobs", "cancel", "bb")
    assert (ended.exit_code, ended.stdout) == (0, "bb33 cancelled\n")
    assert gateway == ["bb33"]


def test_cancelling_what_is_over_is_told() -> None:
    ended = run("jobs", "cancel", "aa11")
    assert isinstance(ended.exception, UsageError)
    assert "over already" in str(ended.exception)


@pytest.mark.parametrize(("beginning", "error"), [("aa", UsageError), ("zz", JobNotFound)])
def test_beginning_that_names_no_single_job_is_refused(
    gateway: list[str], beginning: str, error: type[Exception]
) -> None:
    assert isinstance(run("jobs", "cancel", beginning).exception, error)
    assert gateway == []


def test_without_a_gateway_there_are_no_jobs() -> None:
    ended = CliRunner().invoke(app, ["jobs"])
    assert isinstance(ended.exception, UsageError)
    assert ended.exception.hint


def test_updates_are_told_in_a_line_each() -> None:
    problem = Problem(code="node_unreachable", message="gpu is\ngone")
    said = [
        update_line(JobPostponed(seq=1, at=0, attempt=1, delay_s=2, problem=problem)),
        update_line(JobProgressed(seq=1, at=0, fraction=None, message="on it")),
        update_line(JobYielded(seq=1, at=0, value="x" * 1000)),
        update_line(JobEnded(seq=1, at=0, state="failed", problem=problem)),
    ]
    assert not any("\n" in line for line in said)
    assert said[0].endswith("gpu is gone; another attempt follows in 2 s")
    assert said[1].endswith("  on it")
    assert len(said[2]) < 250
    assert said[3].endswith("failed: gpu is gone")


def test_values_that_json_cannot_hold_are_described() -> None:
    artifact = Artifact(digest="0" * 64, size_bytes=1234, filename="model.skops")
    given = {1: (artifact, b"xx", object(), 2.5, None)}
    assert plain(given) == {"1": ["<model.skops, 1,234 bytes>", "<2 bytes>", "<object>", 2.5, None]}
