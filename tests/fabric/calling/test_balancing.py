"""Balancing by learned speed and load, with time and chance made by the test."""

import heapq
import random
from collections import Counter

import pytest

from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.calling.balancing import FORGET_S, Balancer, Load

F = CapabilityName("f")
FAST, SLOW, NEW = NodeId("fast"), NodeId("slow"), NodeId("new")


class World:
    """Nodes that take fixed times, calls that arrive at a fixed rate, and a clock without waiting."""

    def __init__(self, seconds: dict[NodeId, float], *, concurrency: int = 4, seed: int = 1) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.concurrency = concurrency
        self.balancer = Balancer(lambda: self.now, rng=random.Random(seed))
        self.outstanding: Counter[NodeId] = Counter()
        self.given: Counter[NodeId] = Counter()
        self._ends: list[tuple[float, float, NodeId]] = []

    def call(self, every_s: float) -> NodeId:
        """Send the next call, `every_s` after the last."""
        self.now += every_s
        while self._ends and self._ends[0][0] <= self.now:
            _, _, node = heapq.heappop(self._ends)
            self.outstanding[node] -= 1
            self.balancer.observe(node, F, self.seconds[node])
        loads = [Load(node, self.concurrency, self.outstanding[node]) for node in self.seconds]
        node = self.balancer.choose(F, loads)
        self.outstanding[node] += 1
        self.given[node] += 1
        heapq.heappush(self._ends, (self.now + self.seconds[node], self.now, node))
        return node


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("every_s", [0.1, 0.005, 0.002])
def test_a_node_five_times_slower_gets_less_than_a_third_of_the_calls(seed: int, every_s: float) -> None:
    world = World({FAST: 0.01, SLOW: 0.05}, seed=seed)
    for _ in range(1000):
        world.call(every_s)
    assert world.given[SLOW] < 300
    assert world.given[FAST] > 700


def test_equal_nodes_share_the_calls() -> None:
    names = [NodeId(f"n{i}") for i in range(5)]
    world = World(dict.fromkeys(names, 0.01), concurrency=1)
    for _ in range(5000):
        world.call(0.0025)
    assert all(600 < world.given[name] < 1400 for name in names)


def test_a_node_that_is_unknown_is_tried() -> None:
    world = World({FAST: 0.01, NEW: 0.005})
    world.balancer.observe(FAST, F, 0.01)
    assert world.call(0.001) == NEW


def test_a_new_node_is_judged_by_what_it_reports_itself() -> None:
    balancer = Balancer(lambda: 0.0)
    balancer.observe(FAST, F, 0.01)
    assert balancer.choose(F, [Load(FAST, 1, 0), Load(NEW, 1, 0, reported_s=1.0)]) == FAST
    assert balancer.choose(F, [Load(FAST, 1, 0), Load(NEW, 1, 0, reported_s=0.001)]) == NEW


def test_a_slow_node_is_tried_again_after_a_while_and_believed_when_it_is_fast() -> None:
    world = World({FAST: 0.01, SLOW: 1.0})
    for _ in range(200):
        world.call(0.05)
    before = world.given[SLOW]
    world.seconds[SLOW] = 0.001
    for _ in range(int(10 * FORGET_S / 0.05)):
        world.call(0.05)
    assert world.given[SLOW] > before + 500


def test_what_a_busy_node_does_counts_by_the_room_it_has() -> None:
    balancer = Balancer(lambda: 0.0)
    small, large = Load(SLOW, 1, 1), Load(FAST, 8, 4)
    assert {balancer.choose(F, [small, large]) for _ in range(20)} == {FAST}


def test_a_slow_answer_counts_at_once_and_fades() -> None:
    now = [0.0]
    balancer = Balancer(lambda: now[0])
    both = [Load(FAST, 1, 0), Load(SLOW, 1, 0)]
    for _ in range(50):
        balancer.observe(FAST, F, 0.01)
        balancer.observe(SLOW, F, 0.02)
    assert balancer.choose(F, both) == FAST
    balancer.observe(FAST, F, 5.0)
    assert balancer.choose(F, both) == SLOW
    for _ in range(100):
        balancer.observe(FAST, F, 0.01)
    assert balancer.choose(F, both) == FAST
