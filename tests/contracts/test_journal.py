"""What every journal promises."""

import random
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import RunBusy, RunNotFound
from easynet.core.events import MoneySettled, Replanned, RunEvent, RunFinished, RunStarted
from easynet.core.ids import RunId, SubtaskId
from easynet.core.intent import Intent
from easynet.core.result import replay
from easynet.execution.journal import Journal, SqliteJournal
from easynet.testing.journal import MemoryJournal

RUN = RunId("20261122-114502-9f3a")


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
    else:
        with closing(SqliteJournal(tmp_path / "journal.sqlite")) as journal:
            yield journal


def started(run_id: RunId = RUN, at: float = 100.0, text: str = "train a detector") -> RunStarted:
    return RunStarted(run_id=run_id, seq=0, at=at, intent=Intent.from_text(text), version="0")


def settled(seq: int, paid: int, run_id: RunId = RUN) -> MoneySettled:
    return MoneySettled(
        run_id=run_id, seq=seq, at=101.0, subtask=SubtaskId("a"), attempt=1, paid=paid, returned=0
    )


def finished(seq: int, run_id: RunId = RUN) -> RunFinished:
    return RunFinished(run_id=run_id, seq=seq, at=102.0, status="succeeded")


def test_events_and_results_come_back_as_they_were_kept(journal: Journal) -> None:
    events: list[RunEvent] = [started(), settled(1, 3), finished(2)]
    journal.append(events[:1])
    journal.append(events[1:], {SubtaskId("a"): b"\x00\xff", SubtaskId("b"): b""})
    assert journal.events(RUN) == events
    assert journal.results(RUN) == {"a": b"\x00\xff", "b": b""}


def test_an_unknown_run_has_no_events_and_no_results(journal: Journal) -> None:
    assert journal.events(RUN) == []
    assert journal.results(RUN) == {}
    assert journal.runs() == []


@pytest.mark.parametrize("seqs", [[1], [0, 2], [0, 1, 1], [0, 1, 3]])
def test_a_seq_that_is_not_the_next_one_is_refused_and_nothing_is_kept(
    journal: Journal, seqs: list[int]
) -> None:
    events: list[RunEvent] = [settled(seq, 1) for seq in seqs]
    with pytest.raises(ValueError, match="was due"):
        journal.append(events, {SubtaskId("a"): b"1"})
    assert journal.events(RUN) == []
    assert journal.results(RUN) == {}
    journal.append([started()])
    assert len(journal.events(RUN)) == 1


def test_events_of_two_runs_are_refused_in_one_call(journal: Journal) -> None:
    with pytest.raises(ValueError, match="two runs"):
        journal.append([started(), settled(1, 1, RunId("other"))])


def test_nothing_follows_run_finished(journal: Journal) -> None:
    journal.append([started(), finished(1)])
    with pytest.raises(ValueError, match="has ended"):
        journal.append([settled(2, 1)])
    other = RunId("other")
    with pytest.raises(ValueError, match="comes last"):
        journal.append([started(other), finished(1, other), settled(2, 1, other)])


def test_results_without_an_event_are_refused(journal: Journal) -> None:
    with pytest.raises(ValueError, match="together"):
        journal.append([], {SubtaskId("a"): b"1"})


def test_a_later_result_of_a_subtask_replaces_the_earlier(journal: Journal) -> None:
    journal.append([started()], {SubtaskId("a"): b"1"})
    journal.append([settled(1, 1)], {SubtaskId("a"): b"2"})
    assert journal.results(RUN) == {"a": b"2"}


def test_a_reopened_run_goes_on_and_ends_once(journal: Journal) -> None:
    journal.append([started(), settled(1, 5), finished(2)])
    assert journal.reopen(RUN) == 2
    assert journal.runs()[0].status == "interrupted"
    journal.append([settled(2, 4), finished(3)])
    events = journal.events(RUN)
    assert [e.kind for e in events].count("run_finished") == 1
    assert replay(events).cost == 9


def test_reopening_an_unfinished_run_changes_nothing(journal: Journal) -> None:
    journal.append([started(), settled(1, 5)])
    assert journal.reopen(RUN) == 2
    assert journal.reopen(RUN) == 2
    assert len(journal.events(RUN)) == 2


def test_reopening_an_unknown_run_says_so(journal: Journal) -> None:
    with pytest.raises(RunNotFound, match="20261122-114502-9f3a"):
        journal.reopen(RUN)


def test_runs_are_listed_newest_first_with_words_status_and_cost(journal: Journal) -> None:
    for n in range(5):
        journal.append([started(RunId(f"run-{n}"), at=100.0 + n, text=f"goal {n}")])
    journal.append([settled(1, 7, RunId("run-2"))])
    journal.append([settled(2, 2, RunId("run-2")), finished(3, RunId("run-2"))])
    runs = journal.runs(limit=3)
    assert [(r.id, r.started_at, r.text, r.status, r.cost) for r in runs] == [
        ("run-4", 104.0, "goal 4", "interrupted", 0),
        ("run-3", 103.0, "goal 3", "interrupted", 0),
        ("run-2", 102.0, "goal 2", "succeeded", 9),
    ]


def test_a_run_that_somebody_works_on_is_listed_as_running(journal: Journal) -> None:
    journal.append([started()])
    with journal.claim(RUN):
        assert journal.runs()[0].status == "running"
    assert journal.runs()[0].status == "interrupted"


def test_a_run_is_claimed_by_one_at_a_time(journal: Journal) -> None:
    with journal.claim(RUN), pytest.raises(RunBusy), journal.claim(RUN):
        pass
    with journal.claim(RUN), journal.claim(RunId("other")):
        pass


def test_a_claim_ends_when_the_work_raises(journal: Journal) -> None:
    with pytest.raises(KeyError), journal.claim(RUN):
        raise KeyError
    with journal.claim(RUN):
        pass


def test_a_claim_shows_that_somebody_asked_to_cancel(journal: Journal) -> None:
    with journal.claim(RUN) as claim, journal.claim(RunId("other")) as other:
        assert not claim.is_cancelled
        assert journal.ask_to_cancel(RUN)
        assert journal.ask_to_cancel(RUN)  # as often as one likes
        assert claim.is_cancelled
        assert not other.is_cancelled


def test_a_request_to_cancel_means_nothing_to_who_claims_the_run_later(journal: Journal) -> None:
    assert not journal.ask_to_cancel(RUN)
    with journal.claim(RUN) as claim:
        assert not claim.is_cancelled
        journal.ask_to_cancel(RUN)
    with journal.claim(RUN) as claim:
        assert not claim.is_cancelled


def test_a_unique_prefix_finds_the_run(journal: Journal) -> None:
    for name in ("20261122-1", "20261122-12", "20261123-1"):
        journal.append([started(RunId(name))])
    assert journal.find("20261123") == "20261123-1"
    assert journal.find("20261122-1") == "20261122-1"


@pytest.mark.parametrize(
    ("prefix", "hint"),
    [("2026112", "Write more of it"), ("20261124-1", "Did you mean"), ("%", "The latest is 20261123-1")],
)
def test_another_prefix_is_answered_with_a_hint(journal: Journal, prefix: str, hint: str) -> None:
    for name in ("20261122-1", "20261122-12", "20261123-1"):
        journal.append([started(RunId(name))])
    with pytest.raises(RunNotFound) as raised:
        journal.find(prefix)
    assert hint in raised.value.hint


def test_an_empty_journal_says_that_there_is_no_run(journal: Journal) -> None:
    with pytest.raises(RunNotFound) as raised:
        journal.find("2026")
    assert raised.value.hint == "There is no run yet."


def _state(journal: Journal) -> object:
    return journal.events(RUN), journal.results(RUN), journal.runs()


@given(cuts=st.lists(st.integers(1, 4), min_size=1, max_size=8), seed=st.integers(0, 999))
def test_both_journals_keep_the_same_whatever_the_batches(cuts: list[int], seed: int) -> None:
    rng = random.Random(seed)
    journals: list[Journal] = [MemoryJournal(), SqliteJournal(Path(":memory:"))]
    seq = 0
    try:
        for cut in cuts:
            batch: list[RunEvent] = [
                Replanned(run_id=RUN, seq=seq + n, at=rng.random(), reason="电网", keeps=())
                for n in range(cut)
            ]
            seq += cut
            results = {SubtaskId(f"s{rng.randrange(5)}"): rng.randbytes(rng.randrange(9))}
            for each in journals:
                each.append(batch, results)
        assert _state(journals[0]) == _state(journals[1])
    finally:
        for each in journals:
            if isinstance(each, SqliteJournal):
                each.close()
