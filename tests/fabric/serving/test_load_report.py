"""When a node says between heartbeats how busy it is."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from easynet.fabric.serving.load_report import EVERY_S, Load, LoadReport


class Timers:
    """What a loop is asked to do later, done when the test says so."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_later(self, delay_s: float, callback: Callable[[], None], *_: Any) -> asyncio.Handle:
        assert delay_s == EVERY_S
        self.due.append(callback)
        return asyncio.Handle(callback, (), cast(asyncio.AbstractEventLoop, self))

    def get_debug(self) -> bool:
        return False


class Desk:
    """A node that is as busy as it is said to be."""

    def __init__(self) -> None:
        self.load = Load.IDLE
        self.told: list[Load] = []
        self.timers = Timers()
        loop = cast(asyncio.AbstractEventLoop, self.timers)
        self.report = LoadReport(loop, lambda: self.load, lambda: self.told.append(self.load))

    def pass_time(self) -> None:
        due, self.timers.due = self.timers.due, []
        for callback in due:
            callback()

    def take(self, load: Load) -> None:
        self.load = load
        self.report.note_work()


def test_long_call_is_told_and_its_end_too() -> None:
    desk = Desk()
    desk.take(Load.BUSY)
    for _ in range(4):
        desk.pass_time()
    desk.load = Load.IDLE
    for _ in range(4):
        desk.pass_time()
    assert desk.told == [Load.BUSY, Load.IDLE]
    assert not desk.timers.due


def test_full_node_is_told_and_that_it_has_room_again() -> None:
    desk = Desk()
    desk.take(Load.FULL)
    desk.pass_time()
    desk.load = Load.BUSY
    desk.pass_time()
    assert desk.told == [Load.FULL, Load.BUSY]


def test_short_call_is_not_worth_telling() -> None:
    desk = Desk()
    desk.take(Load.IDLE)
    for _ in range(3):
        desk.pass_time()
    assert desk.told == []
    assert not desk.timers.due


def test_short_calls_in_a_row_are_told_once() -> None:
    desk = Desk()
    for number in range(20):
        desk.take(Load.BUSY if number % 2 else Load.IDLE)
        desk.pass_time()
    assert desk.told == [Load.BUSY]


def test_no_more_than_one_timer_runs() -> None:
    desk = Desk()
    for _ in range(5):
        desk.take(Load.BUSY)
        desk.report.note_told()
    assert len(desk.timers.due) == 1


def test_what_a_heartbeat_told_is_not_told_again_but_its_end_is() -> None:
    desk = Desk()
    desk.load = Load.BUSY
    desk.report.note_told()
    desk.pass_time()
    assert desk.told == []
    desk.load = Load.IDLE
    desk.pass_time()
    assert desk.told == [Load.IDLE]
