import pytest

from easynet.core.events import MoneySettled, Replanned, RunEvent
from easynet.core.ids import RunId, SubtaskId
from easynet.execution.run_log import RunLog
from easynet.testing.clock import ManualClock
from easynet.testing.journal import MemoryJournal

RUN = RunId("r")
A = SubtaskId("a")


class Fixture:
    def __init__(self, next_seq: int = 0) -> None:
        self.journal = MemoryJournal()
        self.clock = ManualClock(100.0)
        self.published: list[RunEvent] = []
        self.kept_when_published: list[int] = []
        self.log = RunLog(RUN, self.journal, self.clock, next_seq, publish=self.publish)

    def publish(self, event: RunEvent) -> None:
        self.kept_when_published.append(len(self.journal.events(RUN)))
        self.published.append(event)


def test_events_get_the_next_number_and_the_time_and_are_kept_before_they_are_published() -> None:
    f = Fixture()
    first = f.log.emit(Replanned, reason="x", keeps=())
    f.clock.advance(2.5)
    f.log.emit(Replanned, {A: b"1"}, reason="y", keeps=())
    assert [(e.seq, e.at, e.run_id) for e in f.published] == [(0, 100.0, RUN), (1, 102.5, RUN)]
    assert f.published == f.journal.events(RUN)
    assert f.published[0] is first
    assert f.kept_when_published == [1, 2]
    assert f.journal.results(RUN) == {"a": b"1"}


def test_a_batch_is_one_transaction_and_published_after_it() -> None:
    f = Fixture()
    with f.log.batch():
        f.log.emit(Replanned, {A: b"1"}, reason="x", keeps=())
        f.log.emit(MoneySettled, subtask=A, attempt=1, paid=1, returned=0)
        assert f.published == []
        assert f.journal.events(RUN) == []
    assert f.kept_when_published == [2, 2]
    assert f.journal.commits == 1


def test_an_empty_batch_writes_nothing() -> None:
    f = Fixture()
    with f.log.batch():
        pass
    assert f.journal.commits == 0


def test_a_batch_that_breaks_never_happened() -> None:
    f = Fixture()
    with pytest.raises(ValueError, match="keeps"), f.log.batch():  # noqa: PT012  # what broke is inside
        f.log.emit(Replanned, {A: b"1"}, reason="x", keeps=())
        f.log.emit(Replanned, reason="no keeps")
    f.log.emit(Replanned, reason="y", keeps=())
    assert [e.seq for e in f.journal.events(RUN)] == [0]
    assert f.journal.results(RUN) == {}


def test_what_cannot_be_kept_is_not_published() -> None:
    f = Fixture(next_seq=7)  # the journal expects 0
    with pytest.raises(ValueError, match="was due"):
        f.log.emit(Replanned, reason="x", keeps=())
    assert f.published == []


def test_batches_do_not_nest() -> None:
    f = Fixture()
    with pytest.raises(RuntimeError, match="batch"), f.log.batch(), f.log.batch():
        pass


def test_a_senseless_event_is_refused_and_leaves_no_gap() -> None:
    f = Fixture()
    with pytest.raises(ValueError, match="keeps"):
        f.log.emit(Replanned, reason="x")
    f.log.emit(Replanned, reason="x", keeps=())
    assert [e.seq for e in f.published] == [0]
