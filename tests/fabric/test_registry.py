"""The index of who is on the network."""

from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from easynet.core.capability import Capability
from easynet.core.errors import NameTaken
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node, Trust
from easynet.fabric.registry import DEAD_AFTER_S, Registry

ADD = CapabilityName("add")
NODE = NodeId("n")


def node(name: str = "n", instance: str = "1", capabilities: Sequence[str] = ("add",)) -> Node:
    offered = tuple(Capability(name=CapabilityName(c), description={"en": c}) for c in capabilities)
    return Node(name=NodeId(name), instance=instance, capabilities=offered, concurrency=2)


def names(registry: Registry, capability: str = "add") -> list[str]:
    return [offer.node for offer, _ in registry.find(CapabilityName(capability))]


def test_a_node_is_found_by_what_it_offers() -> None:
    registry = Registry()
    registry.join(node("b"), 0)
    registry.join(node("a", capabilities=("add", "mul")), 0)
    assert names(registry) == ["a", "b"]
    assert names(registry, "mul") == ["a"]
    assert names(registry, "div") == []
    assert [n.name for n in registry.nodes()] == ["a", "b"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"mine": (Trust.OWN, True)}, True),
        ({"mine": (Trust.OWN, True), "a-stranger": (Trust.PUBLIC, False)}, True),
        ({"mine": (Trust.OWN, False), "a-stranger": (Trust.PUBLIC, True)}, False),
        ({"a-stranger": (Trust.PUBLIC, True)}, False),
        ({"mine": (Trust.OWN, True), "second": (Trust.OWN, False)}, False),
    ],
)
def test_strangers_do_not_say_that_a_function_aggregates(
    said: dict[str, tuple[Trust, bool]], expected: bool
) -> None:
    registry = Registry()
    for name, (trust, aggregates) in said.items():
        capability = Capability(name=ADD, description={"en": "Add."}, aggregates=aggregates)
        node = Node(name=NodeId(name), instance=name, trust=trust, capabilities=(capability,))
        registry.join(node, 0.0)
    found, _ = registry.functions()[ADD]
    assert found.aggregates is expected


def test_a_second_live_node_of_one_name_is_refused_and_changes_nothing() -> None:
    registry = Registry()
    registry.join(node(instance="1"), 0)
    with pytest.raises(NameTaken, match="'n'"):
        registry.join(node(instance="2", capabilities=("mul",)), DEAD_AFTER_S - 0.1)
    assert names(registry) == ["n"]
    assert names(registry, "mul") == []


def test_a_dead_nodes_name_can_be_taken_over() -> None:
    registry = Registry()
    registry.join(node(instance="1"), 0)
    registry.join(node(instance="2", capabilities=("mul",)), DEAD_AFTER_S)
    assert names(registry) == []
    assert names(registry, "mul") == ["n"]
    assert not registry.heartbeat(NODE, "1", 0, DEAD_AFTER_S)


def test_the_same_instance_may_say_anew_what_it_offers() -> None:
    registry = Registry()
    registry.join(node(capabilities=()), 0)
    registry.join(node(capabilities=("add", "mul")), 0)
    registry.join(node(capabilities=("mul",)), 0)
    assert names(registry) == []
    assert names(registry, "mul") == ["n"]


def test_heartbeats_keep_a_node_and_tell_its_load() -> None:
    registry = Registry()
    registry.join(node(), 0)
    assert registry.heartbeat(NODE, "1", 7, 5)
    assert registry.expire(5 + DEAD_AFTER_S - 0.1) == []
    assert [running for _, running in registry.find(ADD)] == [7]
    assert registry.expire(5 + DEAD_AFTER_S) == ["n"]
    assert names(registry) == []


def test_an_unknown_heartbeat_or_another_instances_leave_is_told_apart() -> None:
    registry = Registry()
    assert not registry.heartbeat(NODE, "1", 0, 0)
    registry.join(node(), 0)
    assert not registry.heartbeat(NODE, "2", 0, 0)
    assert not registry.leave(NODE, "2")
    assert registry.leave(NODE, "1")
    assert not registry.leave(NODE, "1")
    assert registry.nodes() == []


def test_a_claimed_name_is_kept_for_its_node_which_is_not_found_before_it_joins() -> None:
    registry = Registry()
    registry.claim(NODE, "1", 0)
    assert registry.nodes() == []
    with pytest.raises(NameTaken):
        registry.claim(NODE, "2", 1)
    with pytest.raises(NameTaken):
        registry.join(node(instance="2"), 1)
    registry.join(node(instance="1"), 1)
    with pytest.raises(NameTaken):
        registry.claim(NODE, "2", 2)


@pytest.mark.parametrize("how", ["it leaves", "time passes", "time passes and is noticed"])
def test_a_claim_that_is_not_followed_up_lapses(how: str) -> None:
    registry = Registry()
    registry.claim(NODE, "1", 0)
    now = 0.0 if how == "it leaves" else DEAD_AFTER_S
    if how == "it leaves":
        assert not registry.leave(NODE, "1")
    if how == "time passes and is noticed":
        assert registry.expire(now) == []
    registry.claim(NODE, "2", now)
    registry.join(node(instance="2"), now)
    assert names(registry) == ["n"]


class Model(RuleBasedStateMachine):
    """The index agrees with a plain list of nodes, whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self.registry = Registry()
        self.now = 0.0
        self.live: dict[str, tuple[str, frozenset[str], float]] = {}

    some_name = st.sampled_from(["a", "b", "c"])
    some_instance = st.sampled_from(["1", "2"])

    @rule(name=some_name, instance=some_instance, offered=st.frozensets(st.sampled_from(["f", "g", "h"])))
    def join(self, name: str, instance: str, offered: frozenset[str]) -> None:
        known = self.live.get(name)
        taken = known is not None and known[0] != instance and self.now - known[2] < DEAD_AFTER_S
        try:
            self.registry.join(node(name, instance, sorted(offered)), self.now)
        except NameTaken:
            assert taken
        else:
            assert not taken
            self.live[name] = (instance, offered, self.now)

    @rule(name=some_name, instance=some_instance)
    def beat(self, name: str, instance: str) -> None:
        known = self.live.get(name)
        is_known = known is not None and known[0] == instance
        assert self.registry.heartbeat(NodeId(name), instance, 1, self.now) == is_known
        if known is not None and is_known:
            self.live[name] = (instance, known[1], self.now)

    @rule(name=some_name, instance=some_instance)
    def leave(self, name: str, instance: str) -> None:
        is_known = name in self.live and self.live[name][0] == instance
        assert self.registry.leave(NodeId(name), instance) == is_known
        if is_known:
            del self.live[name]

    @rule(seconds=st.floats(0, 8))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def expire(self) -> None:
        dead = {n for n, (_, _, seen) in self.live.items() if self.now - seen >= DEAD_AFTER_S}
        assert set(self.registry.expire(self.now)) == dead
        for name in dead:
            del self.live[name]

    @invariant()
    def agrees(self) -> None:
        assert [n.name for n in self.registry.nodes()] == sorted(self.live)
        for capability in ("f", "g", "h"):
            offering = sorted(n for n, (_, offered, _) in self.live.items() if capability in offered)
            assert names(self.registry, capability) == offering
        offered = {c for _, functions, _ in self.live.values() for c in functions}
        assert set(self.registry.functions()) == offered


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
