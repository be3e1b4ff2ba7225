"""`easynet runs export`, without a network."""

from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from easynet.cli.app import app
from easynet.cli.run_export import recorded
from easynet.core.errors import RunNotFound, SettingsError
from easynet.core.events import IntentParsed
from easynet.core.ids import RunId, SubtaskId
from easynet.execution.journal import SqliteJournal
from easynet.execution.recording import Recording
from easynet.fabric.wire.encoding import encode
from easynet.testing.example_run import example_run

RUN = example_run("zh")[0].run_id


@pytest.fixture
def data_dir(own_data_dir: Path) -> Path:
    """A data directory with one run in its journal."""
    with closing(SqliteJournal(own_data_dir / "journal.db")) as journal:
        journal.append(example_run("zh"), {SubtaskId("load"): encode({"rows": 569, "城市": "南京"})})
    return own_data_dir


def test_a_run_goes_to_a_file_that_is_read_as_its_recording(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    ended = CliRunner().invoke(app, ["runs", "export", RUN[:8], "-o", str(path)])
    assert ended.exit_code == 0, ended.output
    recording = Recording.read(path)
    assert list(recording.events) == example_run("zh")
    assert recording.results == {"load": {"rows": 569, "城市": "南京"}}
    assert not recording.is_redacted
    assert path.stat().st_mode & 0o077 == 0


def test_without_a_file_its_lines_are_printed(data_dir: Path) -> None:
    ended = CliRunner().invoke(app, ["runs", "export", RUN])
    with closing(SqliteJournal(data_dir / "journal.db")) as journal:
        assert ended.stdout_bytes.splitlines() == [*recorded(journal, RUN, redact=False).lines()]


def test_redacted_it_has_no_values(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    assert CliRunner().invoke(app, ["runs", "export", RUN, "--redact", "-o", str(path)]).exit_code == 0
    recording = Recording.read(path)
    assert recording.is_redacted
    assert recording.results == {"load": {"…1": 0, "…2": "…"}}
    assert any(isinstance(e, IntentParsed) for e in recording.events)
    assert "南京" not in path.read_text()


def test_an_unknown_run_and_a_folder_that_is_not_there_are_named(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(RunNotFound):
        CliRunner().invoke(app, ["runs", "export", "x"], catch_exceptions=False)
    missing = str(tmp_path / "none" / "run.jsonl")
    with pytest.raises(SettingsError, match="cannot write"):
        CliRunner().invoke(app, ["runs", "export", RUN, "-o", missing], catch_exceptions=False)


def test_what_has_happened_so_far_of_an_interrupted_run_is_exported(own_data_dir: Path) -> None:
    events = example_run("en", "interrupted")
    with closing(SqliteJournal(own_data_dir / "journal.db")) as journal:
        journal.append(events)
        recording = recorded(journal, RunId(events[0].run_id), redact=True)
    assert recording.ended is None
    assert len(recording.events) == len(events)
