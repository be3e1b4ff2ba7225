from collections.abc import AsyncGenerator

import pytest

from easynet.core.call import CallUpdate, Progressed, Returned, Yielded
from easynet.core.errors import NodeUnreachable
from easynet.execution.following import follow


async def updates(*given: CallUpdate) -> AsyncGenerator[CallUpdate]:
    for update in given:
        yield update


def ignore(_: Progressed) -> None:
    """Nobody looks at progress here."""


async def test_a_call_gives_what_it_returns() -> None:
    assert await follow(updates(Progressed(0.5, ""), Returned(None)), False, ignore) is None
    assert await follow(updates(Returned(7)), False, ignore) == 7


async def test_a_streaming_call_gives_its_items_even_where_there_are_none() -> None:
    assert await follow(updates(Yielded(1), Yielded(2), Returned(None)), True, ignore) == [1, 2]
    assert await follow(updates(Returned(None)), True, ignore) == []


@pytest.mark.parametrize("given", [(), (Progressed(0.5, ""),), (Yielded(1),)])
async def test_updates_that_end_early_are_a_node_that_went_away(given: tuple[CallUpdate, ...]) -> None:
    with pytest.raises(NodeUnreachable):
        await follow(updates(*given), True, ignore)


async def test_progress_that_came_last_is_not_told_after_the_end() -> None:
    told: list[Progressed] = []
    await follow(updates(Progressed(0.1, "a"), Progressed(0.9, "b"), Returned(None)), False, told.append)
    assert told == [Progressed(0.1, "a")]
