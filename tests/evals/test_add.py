"""`python -m evals add RUN`: a run of the journal becomes a case."""

from contextlib import closing
from pathlib import Path

import pytest

from easynet.core.errors import UsageError
from easynet.core.events import NodesFound, RunEvent, RunFinished
from easynet.execution.journal import SqliteJournal
from easynet.execution.recording import Recording
from easynet.testing.example_run import example_run
from evals import add
from evals.simulation.case import RECORDINGS

ROUTE = Recording.read(RECORDINGS / "logistics-route-en.jsonl")


def journal_with(folder: Path, events: list[RunEvent]) -> Path:
    with closing(SqliteJournal(folder / "journal.db")) as journal:
        journal.append(events)
    return folder


def told(recording: Recording) -> list[RunEvent]:
    """The events as the journal had them."""
    return [
        e.model_copy(update={"capabilities": recording.capabilities}) if isinstance(e, NodesFound) else e
        for e in recording.events
    ]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return journal_with(tmp_path / "data", told(ROUTE))


def test_a_run_becomes_a_case_without_its_values(data_dir: Path, tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    arguments = [ROUTE.run_id, "--data-dir", str(data_dir), "--to", str(cases), "--name", "my-route"]
    assert add.main(arguments) == 0
    case = Recording.read(cases / "my-route.jsonl")
    assert case.is_redacted
    assert "depot" not in (cases / "my-route.jsonl").read_text()
    assert [s.id for s in case.graph.subtasks] == [s.id for s in ROUTE.graph.subtasks]
    assert add.main(arguments) == 2  # it is there already


def test_plain_it_keeps_its_values(data_dir: Path, tmp_path: Path) -> None:
    path = add.add(ROUTE.run_id, data_dir, tmp_path, is_plain=True)
    assert path.name == f"{ROUTE.run_id}.jsonl"
    assert Recording.read(path).intent == ROUTE.intent


@pytest.mark.parametrize("word", ["/home/me", "machine"])
def test_values_that_tell_of_this_machine_are_not_kept(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr("socket.gethostname", lambda: "my-machine-7")
    secret = {"/home/me": "/home/me/x.csv", "machine": "my-machine-7"}[word]
    first = ROUTE.events[0].model_copy(
        update={"intent": ROUTE.intent.model_copy(update={"description": secret})}
    )
    data_dir = journal_with(tmp_path / "data", [first, *told(ROUTE)[1:]])
    with pytest.raises(UsageError, match="is in run"):
        add.add(ROUTE.run_id, data_dir, tmp_path, is_plain=True)


def test_what_cannot_be_replayed_is_refused_with_the_reason(tmp_path: Path) -> None:
    unfinished = journal_with(tmp_path / "a", told(ROUTE)[:-1])
    with pytest.raises(UsageError, match="not finished"):
        add.add(ROUTE.run_id, unfinished, tmp_path)
    last = ROUTE.events[-1]
    assert isinstance(last, RunFinished)
    cancelled = journal_with(
        tmp_path / "b", [*told(ROUTE)[:-1], last.model_copy(update={"status": "cancelled"})]
    )
    with pytest.raises(UsageError, match="cancelled"):
        add.add(ROUTE.run_id, cancelled, tmp_path)
    old = journal_with(tmp_path / "c", example_run())
    with pytest.raises(UsageError, match="does not tell"):
        add.add(example_run()[0].run_id, old, tmp_path)


def test_a_name_that_is_a_path_and_a_folder_without_runs_are_refused(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no name"):
        add.add(ROUTE.run_id, data_dir, tmp_path, name="../x")
    with pytest.raises(UsageError, match="has no runs"):
        add.add(ROUTE.run_id, tmp_path / "none", tmp_path)
