"""Places for jobs, and who gets them."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from easynet.fabric.jobs.job_slots import JobSlots
from tests.patience import PATIENCE_S


def taken(slots: JobSlots, owner: str) -> int:
    """How many places an owner gets that takes all it can."""
    count = 0
    while slots.take(owner):
        count += 1
    return count


def test_one_alone_gets_half_and_leaves_half_of_the_rest_to_the_next() -> None:
    slots = JobSlots(16)
    assert [taken(slots, owner) for owner in ("ana", "bob", "cleo")] == [8, 4, 2]


def test_single_place_is_given_to_whoever_comes() -> None:
    slots = JobSlots(1)
    assert taken(slots, "ana") == 1
    assert not slots.take("bob")
    slots.give_back("ana")
    assert slots.take("bob")


async def test_who_waits_is_told_when_a_place_becomes_free() -> None:
    slots = JobSlots(2)
    assert slots.take("ana")
    waiting = asyncio.create_task(slots.wait("ana"))
    await asyncio.sleep(0)
    assert not waiting.done()
    slots.give_back("ana")
    async with asyncio.timeout(PATIENCE_S):
        await waiting


async def test_who_need_not_wait_does_not() -> None:
    async with asyncio.timeout(PATIENCE_S):
        await JobSlots(1).wait("ana")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())), st.integers(1, 20))
def test_no_more_places_are_given_than_there_are_and_none_is_lost(
    steps: list[tuple[str, bool]], count: int
) -> None:
    slots, held = JobSlots(count), dict.fromkeys("abc", 0)
    for owner, takes in steps:
        if takes:
            held[owner] += slots.take(owner)
        elif held[owner]:
            slots.give_back(owner)
            held[owner] -= 1
        assert sum(held.values()) <= count
    for owner, places in held.items():
        for _ in range(places):
            slots.give_back(owner)
    assert taken(slots, "d") == -(-count // 2)
