"""Whatever fails, whoever is slow and whatever is asked twice: private arguments go to no stranger."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import NodeUnreachable, PrivacyBreach, RemoteFailure
from easynet.core.events import AttemptFailed
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import Privacy
from easynet.core.offer import Offer, Trust
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.caller import Caller
from easynet.execution.runner import Runner
from easynet.execution.steering import Steering
from easynet.scheduling.estimates import Estimates
from easynet.scheduling.observations import Observation
from easynet.testing.clock import ManualClock
from easynet.testing.graphs import graph_of, offer, task_graphs
from easynet.testing.invoker import FakeInvoker
from easynet.testing.simulated_time import SimulatedClock, simulated
from easynet.testing.stage import RUN, Stage, plain, work

A, WORK = SubtaskId("a"), CapabilityName("work")
ONE = graph_of({"a": []})


def of(node: str, trust: Trust, **terms: Any) -> Offer:
    return offer(node, **terms).model_copy(update={"trust": trust})


MINE = of("mine", Trust.OWN, price=5, expected_s=9.0)
FRIEND = of("friend", Trust.TRUSTED, price=5, expected_s=9.0)
STRANGER = of("astranger", Trust.PUBLIC, price=0, expected_s=0.1, concurrency=99)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[TaskGraph, dict[SubtaskId, Privacy]]:
    graph = draw(task_graphs(max_size=8))
    return graph, {s.id: draw(st.sampled_from(Privacy)) for s in graph.subtasks}


@given(
    labelled(), st.lists(st.sampled_from([MINE.node, FRIEND.node, STRANGER.node]), max_size=8), st.booleans()
)
async def test_private_subtasks_run_on_trusted_nodes_only(
    plan: tuple[TaskGraph, dict[SubtaskId, Privacy]], failing: list[str], confirm: bool
) -> None:
    graph, labels = plan
    stage = Stage(offers={"work": [STRANGER, MINE, FRIEND]})
    for n, node in enumerate(failing):
        stage.invoker.fail(node, NodeUnreachable("away") if n % 2 else RemoteFailure("E", "bad"))
    await stage.run(graph, labels=labels, confirm=confirm)
    for call in stage.invoker.calls:
        label = labels[SubtaskId(call.arguments["name"])]
        assert label is Privacy.NORMAL or call.node != STRANGER.node
        assert call.privacy is label


async def test_a_public_subtask_takes_the_stranger_that_is_better() -> None:
    stage = Stage(offers={"work": [MINE, STRANGER]})
    await stage.run(ONE, labels={A: Privacy.NORMAL})
    assert [c.node for c in stage.invoker.calls] == ["astranger"]


async def test_a_private_subtask_that_only_strangers_offer_is_not_run() -> None:
    stage = Stage(offers={"work": [STRANGER]})
    outcome = await stage.run(ONE, labels={A: Privacy.HIGH})
    assert outcome.problem is not None
    assert outcome.problem.code == "no_node_found"
    assert stage.invoker.calls == []


async def test_a_node_that_says_that_it_may_not_see_the_data_is_not_asked_again() -> None:
    stage = Stage(offers={"work": [MINE, of("second", Trust.OWN, expected_s=30.0)]})
    stage.invoker.fail("mine", *[PrivacyBreach.at("mine", "work")] * 3)
    outcome = await stage.run(ONE, labels={A: Privacy.HIGH})
    assert outcome.status == "succeeded"
    assert [c.node for c in stage.invoker.calls] == ["mine", "second"]
    (failed,) = (e for e in stage.events if isinstance(e, AttemptFailed))
    assert failed.problem.code == "privacy_breach"


async def test_the_caller_has_the_last_word() -> None:
    """Should whoever chooses ever choose a stranger, nothing is sent."""
    invoker = FakeInvoker({"work": work})
    caller = Caller(invoker, lambda value: b"", ManualClock(), RUN)
    subtask = ONE.subtasks[0]
    with pytest.raises(PrivacyBreach, match="astranger"):
        await caller.call(
            subtask,
            plain("work"),
            STRANGER,
            {},
            round_=0,
            deadline_at=None,
            report=lambda _: None,
            privacy=Privacy.HIGH,
        )
    assert invoker.calls == []


async def nobody_else(capability: CapabilityName) -> list[Offer]:
    return []


class MineFirst:
    """A policy that takes the own node."""

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        return float(offer.node != MINE.node)


@pytest.mark.parametrize(("label", "asked"), [("normal", ["mine", "astranger"]), ("high", ["mine"])])
def test_second_attempt_at_a_private_straggler_goes_to_no_stranger(label: str, asked: list[str]) -> None:
    """In simulated time: calls took as long as their nodes claim, and this one takes a hundred times that."""
    observed = [
        Observation(o.node, o.capability, o.expected_s, n, o.expected_s, "succeeded")
        for n in range(60)
        for o in (MINE, STRANGER)
    ]

    async def run() -> FakeInvoker:
        slow = FakeInvoker({"work": work}, latency_s=lambda call: 900.0 if call.node == "mine" else 0.1)
        steering = Steering(estimates=Estimates(observed), policy=MineFirst())
        log = Stage().log()
        runner = Runner(
            slow, log, SimulatedClock(), nobody_else, lambda v: b"", json.loads, steering=steering
        )
        offers = {WORK: [MINE, STRANGER]}
        schedule = Schedule(assignments=())
        outcome = await runner.run(
            ONE, {WORK: plain("work")}, {}, offers, schedule, Budget(None), labels={A: Privacy(label)}
        )
        assert outcome.status == "succeeded"
        return slow

    assert [c.node for c in simulated(run()).calls] == asked
