"""`easynet runs cancel`, with a journal and threads in the place of processes."""

import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from easynet.cli.run_cancel import cancel_run
from easynet.core.errors import RunBusy, UsageError
from easynet.core.events import Problem, RunFinished, RunStarted, Status
from easynet.core.ids import RunId
from easynet.core.intent import Intent
from easynet.execution.journal import SqliteJournal
from tests.patience import PATIENCE_S

RUN = RunId("20261122-114502-9f3a")


@pytest.fixture
def journal(tmp_path: Path) -> Generator[SqliteJournal]:
    with closing(SqliteJournal(tmp_path / "journal.db")) as journal:
        yield journal


def begun(journal: SqliteJournal, words: str = "brew tea") -> None:
    journal.append([RunStarted(run_id=RUN, seq=0, at=1.0, intent=Intent.from_text(words), version="0")])


def ended(journal: SqliteJournal, status: Status, problem: Problem | None = None) -> None:
    journal.append([RunFinished(run_id=RUN, seq=1, at=2.0, status=status, problem=problem)])


def worker(path: Path, status: Status | None) -> threading.Thread:
    """Holds the run until it is asked to stop, and then ends it with this status, or leaves it as it is."""
    claimed = threading.Event()

    def work() -> None:
        with closing(SqliteJournal(path)) as journal, journal.claim(RUN) as claim:
            claimed.set()
            while not claim.is_cancelled:
                pass
            if status is not None:
                ended(journal, status)

    thread = threading.Thread(target=work)
    thread.start()
    assert claimed.wait(PATIENCE_S)
    return thread


@pytest.mark.parametrize(
    ("words", "said"),
    [("brew tea", f"{RUN} cancelled\nGo on with: "), ("泡一杯茶", f"{RUN} 已取消\n继续：")],
)
def test_it_waits_for_the_end_and_says_how_to_go_on(
    journal: SqliteJournal, tmp_path: Path, words: str, said: str
) -> None:
    begun(journal, words)
    thread = worker(tmp_path / "journal.db", "cancelled")
    assert cancel_run(journal, RUN) == f"{said}easynet runs resume {RUN}"
    thread.join()


def test_a_run_that_ended_in_another_way_meanwhile_is_not_said_to_be_cancelled(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    begun(journal)
    thread = worker(tmp_path / "journal.db", "succeeded")
    with pytest.raises(UsageError, match="was over already: succeeded"):
        cancel_run(journal, RUN)
    thread.join()


def test_a_run_whose_process_dies_meanwhile_is_interrupted(journal: SqliteJournal, tmp_path: Path) -> None:
    begun(journal)
    thread = worker(tmp_path / "journal.db", None)
    with pytest.raises(UsageError, match="interrupted"):
        cancel_run(journal, RUN)
    thread.join()


def test_a_process_that_does_not_react_is_not_waited_for_for_ever(journal: SqliteJournal) -> None:
    begun(journal)
    with journal.claim(RUN), pytest.raises(RunBusy, match="not reacted") as raised:
        cancel_run(journal, RUN, patience_s=0)
    assert "Ctrl-C" in raised.value.hint


def test_a_run_that_is_cancelled_already_is_as_wanted(journal: SqliteJournal) -> None:
    begun(journal)
    ended(journal, "cancelled")
    assert "had been cancelled already" in cancel_run(journal, RUN)


@pytest.mark.parametrize(
    ("status", "how", "hint"),
    [
        ("succeeded", "succeeded", ""),
        ("needs_input", "waiting for an answer", f"easynet runs resume {RUN}"),
        ("failed", "failed", f"easynet runs resume {RUN}"),
    ],
)
def test_a_run_that_is_over_is_told_with_how_it_ended(
    journal: SqliteJournal, status: Status, how: str, hint: str
) -> None:
    begun(journal)
    ended(journal, status)
    with pytest.raises(UsageError, match=how) as raised:
        cancel_run(journal, RUN)
    assert hint in raised.value.hint
    assert bool(hint) == bool(raised.value.hint)


def test_nothing_works_on_an_interrupted_run(journal: SqliteJournal) -> None:
    begun(journal, "泡一杯茶")
    with pytest.raises(UsageError, match="没有进程") as raised:
        cancel_run(journal, RUN)
    assert f"easynet runs resume {RUN}" in raised.value.hint
