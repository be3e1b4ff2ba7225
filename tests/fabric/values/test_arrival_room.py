"""Room in memory for values that arrive."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from easynet.fabric.values.arrival_room import ArrivalRoom, RoomTaken


def test_a_sender_gets_no_more_than_it_leaves_free() -> None:
    room = ArrivalRoom(100)
    assert room.take("ana", 50)
    assert not room.take("ana", 1)
    assert room.take("bob", 25)
    assert not room.take("bob", 1)
    room.give_back("ana", 50)
    assert room.take("bob", 10)


def test_what_is_larger_than_the_room_gets_none() -> None:
    assert not ArrivalRoom(100).take("ana", 101)


def test_room_of_a_call_is_given_back_with_it() -> None:
    room = ArrivalRoom(100)
    taken = RoomTaken(room, "ana")
    assert taken.take(30)
    assert taken.take(20)
    assert not taken.take(20)
    taken.give_back(20)
    del taken
    gc.collect()
    assert RoomTaken(room, "ana").take(50)


def test_room_is_given_back_once() -> None:
    room = ArrivalRoom(100)
    taken = RoomTaken(room, "ana")
    assert taken.take(50)
    taken.give_back(50)
    taken.give_back(50)
    taken.give_back()
    assert not room.take("bob", 51)
    assert room.take("bob", 50)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60))))
def test_all_together_never_take_more_than_there_is(asked: list[tuple[str, int]]) -> None:
    room, held = ArrivalRoom(100), dict.fromkeys("abc", 0)
    for sender, count in asked:
        if room.take(sender, count):
            held[sender] += count
    assert sum(held.values()) <= 100
    for sender, count in held.items():
        room.give_back(sender, count)
    assert room.take("d", 50)
