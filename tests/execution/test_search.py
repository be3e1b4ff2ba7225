import asyncio

from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Offer
from easynet.execution.search import Search
from easynet.testing.graphs import offer
from tests.patience import PATIENCE_S

WORK = CapabilityName("work")
A, B = offer("a"), offer("b")


class Registry:
    """Answers one list after another, and the last one for good."""

    def __init__(self, *answers: list[Offer]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def find(self, capability: CapabilityName) -> list[Offer]:
        assert capability == WORK
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def found(registry: Registry, *failed_on: str) -> list[Offer]:
    search = Search(registry.find, (0.0, 0.0, 0.0))
    return list(await asyncio.wait_for(search.offers(WORK, [NodeId(n) for n in failed_on]), PATIENCE_S))


async def test_a_node_that_has_not_failed_ends_the_search_at_once() -> None:
    registry = Registry([A, B])
    assert await found(registry, "a") == [A, B]
    assert registry.asked == 1


async def test_the_node_that_failed_is_taken_again_after_one_pause() -> None:
    registry = Registry([A])
    assert await found(registry, "a") == [A]
    assert registry.asked == 2


async def test_a_node_that_joins_during_the_pause_is_found() -> None:
    registry = Registry([A], [A, B])
    assert await found(registry, "a") == [A, B]


async def test_a_node_that_restarts_is_waited_for() -> None:
    registry = Registry([], [], [A])
    assert await found(registry, "a") == [A]
    assert registry.asked == 3


async def test_nobody_is_the_answer_after_all_pauses() -> None:
    registry = Registry([])
    assert await found(registry) == []
    assert registry.asked == 4
