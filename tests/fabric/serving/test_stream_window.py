"""How far a stream may run ahead."""

import asyncio

from easynet.fabric.serving.stream_window import MAX_BYTES, MAX_ITEMS, StreamWindow


async def has_room(window: StreamWindow, size: int) -> bool:
    try:
        async with asyncio.timeout(0.01):
            return await window.room(size)
    except TimeoutError:
        return False


async def test_a_window_is_full_by_number_or_by_size_but_always_takes_one() -> None:
    window = StreamWindow()
    assert await has_room(window, MAX_BYTES * 2)
    window.add(b"x" * MAX_BYTES)
    assert not await has_room(window, 1)
    window.acknowledge(1)
    for _ in range(MAX_ITEMS):
        assert await has_room(window, 1)
        window.add(b"x")
    assert not await has_room(window, 1)


async def test_whoever_waits_goes_on_when_items_are_taken_and_stops_when_the_reader_goes() -> None:
    window = StreamWindow()
    window.add(b"x" * MAX_BYTES)
    waiting = asyncio.create_task(window.room(1))
    await asyncio.sleep(0)
    window.acknowledge(1)
    assert await waiting
    window.add(b"x" * MAX_BYTES)
    waiting = asyncio.create_task(window.room(1))
    await asyncio.sleep(0)
    window.close()
    assert not await waiting


async def test_what_was_not_acknowledged_can_be_sent_again_from_any_item_on() -> None:
    window = StreamWindow()
    for i in range(5):
        window.add(b"%d" % i)
    window.acknowledge(2)
    assert window.held == (b"2", b"3", b"4")
    assert list(window.since(0)) == [b"2", b"3", b"4"]
    assert list(window.since(3)) == [b"3", b"4"]
    assert list(window.since(9)) == []
    window.acknowledge(1)
    window.acknowledge(99)
    assert not window.held
    assert window.given == 5
