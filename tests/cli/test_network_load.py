"""How a network's load follows from what its nodes count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.cli.network_load import LoadMeter, NetworkLoad, NodeLoad
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import FunctionStatistics, Node
from easynet.fabric.telemetry.statistics import CallStatistics

ADD, TRAIN = CapabilityName("add"), CapabilityName("train")


class Machine:
    """A node that counts, and speaks when it is told to."""

    def __init__(self, name: str = "gpu", *, seen_at: float = 1.8e9) -> None:
        self._name = name
        self._start = seen_at
        self.seen_at = seen_at
        self.starts = 1
        self.statistics = CallStatistics()

    def calls(
        self, count: int, *, function: CapabilityName = ADD, seconds: float = 0.02, failed: int = 0
    ) -> None:
        for n in range(count):
            self.statistics.record(function, seconds, n < failed)

    def beat(self, after_s: float, **changes: object) -> Node:
        self.seen_at += after_s
        node = Node(
            name=NodeId(self._name),
            instance=str(self.starts),
            concurrency=4,
            statistics=self.statistics.snapshot(),
            last_seen_at=self.seen_at,
        )
        return node.model_copy(update=changes)


def only(load: NetworkLoad) -> NodeLoad:
    [node] = load.nodes
    return node


def test_first_look_knows_no_rate_but_all_since_the_start() -> None:
    machine = Machine()
    machine.calls(50, failed=2)
    load = only(LoadMeter().look([machine.beat(0)], 0)).load
    assert (load.calls_per_s, load.errors, load.new_errors, load.is_recent) == (None, 2, 0, False)
    assert load.p50_s is not None


def test_rate_goes_by_the_time_between_heartbeats_not_between_looks() -> None:
    machine, meter = Machine(), LoadMeter()
    meter.look([machine.beat(0)], 0)
    machine.calls(80)
    load = meter.look([machine.beat(2)], 3.7)
    assert only(load).load.calls_per_s == pytest.approx(40)
    assert load.load.calls_per_s == pytest.approx(40)


def test_look_without_a_new_heartbeat_changes_nothing() -> None:
    machine, meter = Machine(), LoadMeter()
    meter.look([machine.beat(0)], 0)
    machine.calls(80)
    node = machine.beat(2)
    assert meter.look([node], 2).load == meter.look([node], 3).load


def test_rate_forgets_what_is_long_ago() -> None:
    machine, meter = Machine(), LoadMeter()
    meter.look([machine.beat(0)], 0)
    machine.calls(800)
    for n in range(1, 9):
        load = only(meter.look([machine.beat(2)], 2 * n)).load
    assert load.calls_per_s == 0
    assert not load.is_recent
    assert load.p50_s is not None


def test_durations_are_those_of_the_latest_calls() -> None:
    machine, meter = Machine(), LoadMeter()
    machine.calls(10_000, seconds=0.002)
    meter.look([machine.beat(0)], 0)
    machine.calls(10, seconds=30.0)
    load = only(meter.look([machine.beat(2)], 2)).load
    assert load.is_recent
    assert load.p50_s is not None
    assert load.p50_s > 15


def test_new_errors_are_told_from_old_ones() -> None:
    machine, meter = Machine(), LoadMeter()
    machine.calls(10, failed=3)
    meter.look([machine.beat(0)], 0)
    machine.calls(10, failed=1)
    load = only(meter.look([machine.beat(2)], 2)).load
    assert (load.errors, load.new_errors) == (4, 1)


def test_node_that_was_started_again_never_has_a_negative_rate() -> None:
    machine, meter = Machine(), LoadMeter()
    machine.calls(1000)
    meter.look([machine.beat(0)], 0)
    machine.starts, machine.statistics = 2, CallStatistics()
    machine.calls(6)
    assert only(meter.look([machine.beat(2)], 2)).load.calls_per_s is None
    machine.calls(6)
    assert only(meter.look([machine.beat(2)], 4)).load.calls_per_s == pytest.approx(3)


def test_counts_that_fall_within_one_start_count_anew() -> None:
    machine, meter = Machine(), LoadMeter()
    machine.calls(1000)
    meter.look([machine.beat(0)], 0)
    machine.statistics = CallStatistics()
    machine.calls(6)
    assert only(meter.look([machine.beat(2)], 2)).load.calls_per_s == pytest.approx(3)


def test_busiest_nodes_and_functions_come_first() -> None:
    idle, busy, meter = Machine("a-idle"), Machine("z-busy"), LoadMeter()
    meter.look([idle.beat(0), busy.beat(0)], 0)
    busy.calls(10, function=ADD)
    busy.calls(100, function=TRAIN)
    load = meter.look([idle.beat(2), busy.beat(2)], 2)
    assert [n.node.name for n in load.nodes] == ["z-busy", "a-idle"]
    assert [name for name, _ in load.nodes[0].functions] == [TRAIN, ADD]


def test_lines_do_not_change_places_for_a_small_difference() -> None:
    one, other, meter = Machine("one"), Machine("other"), LoadMeter()
    meter.look([one.beat(0), other.beat(0)], 0)
    one.calls(200)
    other.calls(204)
    load = meter.look([one.beat(2), other.beat(2)], 2)
    assert [n.node.name for n in load.nodes] == ["one", "other"]


def test_node_that_says_nothing_is_silent() -> None:
    machine, meter = Machine(), LoadMeter()
    node = machine.beat(0)
    assert only(meter.look([node], 0)).state == "ready"
    assert only(meter.look([node], 4)).state == "ready"
    silent = only(meter.look([node], 6))
    assert (silent.state, silent.silent_s) == ("silent", 6)
    assert only(meter.look([machine.beat(6)], 6)).state == "ready"


def test_node_that_is_long_behind_the_others_is_silent_at_the_first_look() -> None:
    old, fresh = Machine("old"), Machine("fresh", seen_at=1.8e9 + 7)
    load = LoadMeter().look([old.beat(0), fresh.beat(0)], 0)
    assert {n.node.name: n.state for n in load.nodes} == {"old": "silent", "fresh": "ready"}


def test_draining_is_told() -> None:
    assert only(LoadMeter().look([Machine().beat(0, draining=True)], 0)).state == "draining"


def test_totals_are_those_of_all_nodes() -> None:
    one, other = Machine("one"), Machine("other")
    one.calls(3, failed=1)
    other.calls(3, failed=2)
    load = LoadMeter().look([one.beat(0, running=2, waiting=1), other.beat(0, running=1)], 0)
    assert (load.running, load.waiting, load.concurrency, load.load.errors) == (3, 1, 8, 3)


def test_network_without_nodes_has_no_load() -> None:
    load = LoadMeter().look([], 0)
    assert (load.nodes, load.load.calls_per_s) == ((), None)


def test_impossible_counts_are_left_out() -> None:
    lie = FunctionStatistics(calls=-5, buckets=(1, 2))
    load = only(LoadMeter().look([Machine().beat(0, statistics={ADD: lie})], 0))
    assert load.functions == ()


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 5), st.booleans()), min_size=1, max_size=12))
def test_whatever_happens_no_rate_is_negative(story: list[tuple[int, float, bool]]) -> None:
    machine, meter, now = Machine(), LoadMeter(), 0.0
    for calls, pause_s, is_restarted in story:
        if is_restarted:
            machine.statistics = CallStatistics()
        machine.calls(calls, failed=calls // 2)
        now += pause_s
        load = only(meter.look([machine.beat(pause_s)], now)).load
        assert (load.calls_per_s or 0) >= 0
        assert 0 <= load.new_errors <= load.errors
