"""Several parts on the way at once."""

import asyncio

import pytest

from easynet.fabric.values import parts
from easynet.fabric.values.parts import MAX_ON_THE_WAY, PartsOnTheWay


class Line:
    """Takes parts, and keeps each until the test lets it go."""

    def __init__(self) -> None:
        self.moved: list[int] = []
        self.waiting: dict[int, asyncio.Future[None]] = {}

    async def move(self, offset: int) -> None:
        self.waiting[offset] = asyncio.get_running_loop().create_future()
        await self.waiting[offset]
        del self.waiting[offset]
        self.moved.append(offset)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_every_part_is_moved_once() -> None:
    moved: list[int] = []

    async def move(offset: int) -> None:
        await asyncio.sleep(0)
        moved.append(offset)

    await PartsOnTheWay(move, range(1000)).run()
    assert sorted(moved) == list(range(1000))
    await PartsOnTheWay(move, []).run()


async def test_on_a_fast_line_more_and_more_are_on_their_way_up_to_a_limit() -> None:
    line = Line()
    run = asyncio.create_task(PartsOnTheWay(line.move, range(500)).run())
    most = 0
    while not run.done():
        await turns()
        most = max(most, len(line.waiting))
        for future in [f for f in line.waiting.values() if not f.done()][:1]:
            future.set_result(None)
    assert most == MAX_ON_THE_WAY
    assert line.moved == list(range(500))


async def test_on_a_slow_line_fewer_and_fewer_are_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_SLOW_S", -1.0)
    line = Line()
    run = asyncio.create_task(PartsOnTheWay(line.move, range(50)).run())
    while not run.done():
        await turns()
        for future in [f for f in line.waiting.values() if not f.done()][:1]:
            future.set_result(None)
        await turns()
        if len(line.moved) > 20:
            assert len(line.waiting) <= 1
    assert line.moved == list(range(50))


async def test_the_first_failure_ends_it_and_comes_out_as_it_is() -> None:
    async def move(offset: int) -> None:
        await asyncio.sleep(0)
        if offset == 7:
            raise KeyError("seven")

    with pytest.raises(KeyError, match="seven"):
        await PartsOnTheWay(move, range(100)).run()
