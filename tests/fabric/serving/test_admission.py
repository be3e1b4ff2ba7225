"""Who runs, who waits, and who is sent away."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import Overloaded
from easynet.fabric.serving.admission import MAX_RETRY_S, MIN_RETRY_S, Admission


@dataclass(eq=False)
class Entrant:
    client: str
    log: list["Entrant"] = field(repr=False)
    refused: Overloaded | None = None

    def start(self) -> None:
        self.log.append(self)

    def turn_away(self, error: Overloaded) -> None:
        self.refused = error


class Door:
    """An admission with a record of who came in."""

    def __init__(self, limit: int, queue: int) -> None:
        self.admission = Admission(limit, queue)
        self.log: list[Entrant] = []

    def come(self, client: str) -> Entrant:
        entrant = Entrant(client, self.log)
        self.admission.enter(entrant)
        return entrant

    @property
    def order(self) -> list[str]:
        return [entrant.client for entrant in self.log]


def test_calls_run_up_to_the_limit_then_wait_then_are_refused() -> None:
    door = Door(2, 3)
    entrants = [door.come("a") for _ in range(5)]
    assert door.log == entrants[:2]
    assert (door.admission.running, door.admission.waiting) == (2, 3)
    with pytest.raises(Overloaded):
        door.come("a")
    door.admission.leave(0.1)
    assert door.log == entrants[:3]
    assert (door.admission.running, door.admission.waiting) == (2, 2)


def test_the_wait_that_is_named_grows_with_the_queue_and_the_time_that_calls_take() -> None:
    def retry_s(queue: int, seconds: float) -> float:
        door = Door(1, queue)
        door.come("a")
        door.admission.leave(seconds)
        for _ in range(queue + 1):
            door.come("a")
        with pytest.raises(Overloaded) as caught:
            door.come("a")
        return caught.value.retry_after_s

    assert retry_s(4, 1.0) == pytest.approx(5.0)
    assert retry_s(9, 1.0) == pytest.approx(10.0)
    assert retry_s(1, 0.0) == MIN_RETRY_S
    assert retry_s(9, 1e6) == MAX_RETRY_S


def test_who_is_sent_away_before_any_call_has_ended_comes_back_in_seconds() -> None:
    door = Door(1, 1)
    for _ in range(2):
        door.come("a")
    with pytest.raises(Overloaded, match="1 call running, 1 waiting") as caught:
        door.come("a")
    assert caught.value.retry_after_s == pytest.approx(2.0)


def test_clients_take_turns() -> None:
    door = Door(1, 10)
    door.come("a")
    for client in "aaaabbc":
        door.come(client)
    for _ in range(7):
        door.admission.leave(0.0)
    assert door.order == ["a", "a", "b", "c", "a", "b", "a", "a"]


def test_one_client_may_use_the_whole_queue_while_nobody_else_waits_and_gives_way_to_others() -> None:
    door = Door(1, 4)
    waiting = [door.come("greedy") for _ in range(5)][1:]
    modest = [door.come("modest"), door.come("modest")]
    assert [w.refused is not None for w in waiting] == [False, False, True, True]
    with pytest.raises(Overloaded):
        door.come("modest")
    with pytest.raises(Overloaded):
        door.come("greedy")
    assert all(m.refused is None for m in modest)
    assert door.admission.waiting == 4


def test_a_call_that_was_withdrawn_never_runs() -> None:
    door = Door(1, 4)
    door.come("a")
    second, third = door.come("a"), door.come("a")
    assert door.admission.withdraw(second)
    assert not door.admission.withdraw(second)
    door.admission.leave(0.0)
    assert door.log[-1] is third
    door.admission.leave(0.0)
    assert (door.admission.running, door.admission.waiting) == (0, 0)


@given(st.integers(1, 3), st.integers(0, 5), st.lists(st.sampled_from("abc-")))
def test_the_counts_hold_whatever_happens(limit: int, queue: int, events: list[str]) -> None:
    door = Door(limit, queue)
    accepted, left, turned_away = list[Entrant](), 0, 0
    for event in events:
        if event == "-":
            if door.admission.running:
                door.admission.leave(0.1)
                left += 1
        else:
            try:
                accepted.append(door.come(event))
            except Overloaded:
                turned_away += 1
        refused = sum(entrant.refused is not None for entrant in accepted)
        assert door.admission.running <= limit
        assert door.admission.waiting <= queue
        assert len(door.log) == door.admission.running + left
        assert len(accepted) == len(door.log) + door.admission.waiting + refused
        assert door.admission.running == limit or door.admission.waiting == 0
