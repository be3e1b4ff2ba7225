"""A run that failed for a bad answer or a bad file, and what helps it."""

import os
from pathlib import Path

import pytest

from easynet.core.events import RunFinished
from tests.journeys.command import Cli, events_of

pytestmark = pytest.mark.slow


def test_answer_that_names_no_file_is_asked_for_again(cli: Cli, tmp_path: Path) -> None:
    [run, *_] = events_of(cli("describe my table", "--json").stdout)
    assert cli("runs", "resume", run.run_id, "--answer", "data=nowhere.csv").returncode == 2
    unknown = cli("runs", "resume", run.run_id, "--answer", "dta=s.csv")
    assert unknown.returncode == 2
    assert "dta" in unknown.stderr
    assert cli("runs", "resume", run.run_id).returncode == 4
    (tmp_path / "s.csv").write_text("a,b\n" + "1,2\n3,5\n" * 20)
    assert cli("runs", "resume", run.run_id, "--answer", "data=s.csv").returncode == 0


def test_file_that_was_mended_counts_as_it_is_now(cli: Cli, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n")
    failed = events_of(cli("describe my table", "--input", "data=t.csv", "--json").stdout)
    assert isinstance(failed[-1], RunFinished)
    assert failed[-1].status == "failed"
    table.write_text("a,b\n" + "1,2\n3,5\n" * 20)
    assert cli("runs", "resume", failed[0].run_id).returncode == 0


def test_pipe_that_nobody_writes_to_is_refused(cli: Cli, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    ended = cli("describe my table", "--input", "data=pipe")
    assert ended.returncode == 2
    assert "pipe" in ended.stdout


def test_name_that_is_not_text_is_refused(cli: Cli) -> None:
    ended = cli("describe my table", "--input", "data=\udcff.csv")
    assert ended.returncode == 2
    assert "Unicode" in ended.stderr
