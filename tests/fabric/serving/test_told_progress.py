"""What a call has said of how far it is."""

import pytest

from easynet.fabric.serving import told_progress
from easynet.fabric.serving.told_progress import ToldProgress
from easynet.fabric.wire.updates import Progress, decode_update


class Time:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(told_progress, "time", time)
    return time


def told_again(told: ToldProgress) -> list[Progress]:
    updates = [decode_update(message) for message in told]
    return [update for update in updates if isinstance(update, Progress)]


def test_words_are_told_again_with_their_numbers_and_ages(time: Time) -> None:
    told = ToldProgress()
    told.add(Progress(0.1, "one", 1))
    time.now += 2
    told.add(Progress(0.2, "two", 2))
    time.now += 1
    assert told_again(told) == [Progress(0.1, "one", 1, 3.0), Progress(0.2, "two", 2, 1.0)]


def test_hasty_words_are_thinned_out_and_the_latest_is_there(time: Time) -> None:
    told = ToldProgress()
    for i in range(100):
        told.add(Progress(None, str(i), i + 1))
        time.now += 0.1
    numbers = [progress.number for progress in told_again(told)]
    assert (numbers[0], numbers[-1]) == (1, 100)
    assert 15 <= len(numbers) <= 45
    assert numbers == sorted(numbers)


def test_the_latest_words_are_kept(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told_progress, "_MAX_KEPT", 3)
    told = ToldProgress()
    for i in range(10):
        told.add(Progress(None, str(i), i + 1))
        time.now += 1
    assert [progress.number for progress in told_again(told)] == [8, 9, 10]
