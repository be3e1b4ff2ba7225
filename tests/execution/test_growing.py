"""Executions of graphs that are not complete yet."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadData
from easynet.core.events import MoneyReserved, MoneySettled, RunEvent
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.order import Order
from easynet.execution.outcome import Outcome
from easynet.execution.runner import Runner
from easynet.testing.graphs import graph_of, offer, task_graphs
from easynet.testing.stage import RUN, Stage, plain, work
from tests.patience import PATIENCE_S

WORK = CapabilityName("work")
PLAN = Schedule(assignments=())
CHAIN = graph_of({"a": [], "b": ["a"], "c": ["b"]})


class Growing:
    """A stage on which one runner is given a graph piece by piece."""

    def __init__(self, budget: int | None = None, functions: Mapping[str, Any] | None = None) -> None:
        self.stage = Stage()
        self.stage.invoker.functions = functions or {"work": work}
        self.budget = Budget(budget)
        self.offers: dict[CapabilityName, Sequence[Offer]] = {WORK: [offer("n", concurrency=3)]}

        async def find(capability: CapabilityName) -> Sequence[Offer]:
            return self.offers[capability]

        def encode(value: Any) -> bytes:
            return json.dumps(value).encode()

        stage = self.stage
        log = stage.log()
        self.runner = Runner(stage.invoker, log, stage.clock, find, encode, json.loads, pauses_s=(0.0,))

    def begin(self, graph: TaskGraph, done: Mapping[SubtaskId, bytes] | None = None) -> None:
        capabilities = {WORK: plain("work")}
        order = Order(graph, capabilities, {}, self.offers, PLAN, self.budget, None, History())
        self.runner.begin(order, done or {})

    async def run(self, graph: TaskGraph, budget: Budget | None = None) -> Outcome:
        budget = budget or Budget(None)
        running = self.runner.run(graph, {WORK: plain("work")}, {}, self.offers, PLAN, budget)
        return await asyncio.wait_for(running, PATIENCE_S)

    async def until(self, *story: str) -> None:
        """All of this has happened."""
        happened = asyncio.Event()

        def look(_: RunEvent) -> None:
            if {*story} <= {*self.stage.story}:
                happened.set()

        self.stage.on_event = look
        await asyncio.wait_for(happened.wait(), PATIENCE_S)


def part(graph: TaskGraph, *names: str) -> TaskGraph:
    return TaskGraph(subtasks=tuple(s for s in graph.subtasks if s.id in names))


async def test_what_was_begun_goes_on_as_a_part_of_the_whole() -> None:
    growing = Growing()
    growing.begin(part(CHAIN, "a"))
    await growing.until("subtask_finished a")
    growing.begin(part(CHAIN, "a", "b"))
    await growing.until("subtask_finished b")
    outcome = await growing.run(CHAIN)
    assert outcome.values == {"a": ["a"], "b": [["a"], "b"], "c": [[["a"], "b"], "c"]}
    assert len(growing.stage.invoker.calls) == 3


async def test_what_comes_with_a_result_is_not_run() -> None:
    growing = Growing()
    growing.begin(part(CHAIN, "a"), {SubtaskId("a"): b'"old"'})
    await asyncio.sleep(0)
    outcome = await growing.run(CHAIN)
    assert outcome.values[SubtaskId("b")] == ["old", "b"]
    assert len(growing.stage.invoker.calls) == 2


async def test_a_failure_of_what_was_begun_is_the_outcome_of_the_whole() -> None:
    def broken(name: str, values: list[Any]) -> Any:
        raise BadData("no good")

    growing = Growing(functions={"work": broken})
    growing.begin(part(CHAIN, "a"))
    await growing.until("attempt_failed a")
    outcome = await growing.run(CHAIN)
    assert (outcome.status, outcome.failed) == ("failed", "a")
    assert len(growing.stage.invoker.calls) == 1


async def test_the_budget_holds_for_what_was_begun_and_the_rest_together() -> None:
    growing = Growing(budget=2)
    growing.begin(part(CHAIN, "a"))
    await growing.until("subtask_finished a")
    outcome = await growing.run(CHAIN)
    assert outcome.status == "over_budget"
    assert growing.budget.spent == 1


async def test_what_was_spent_elsewhere_in_the_meantime_counts() -> None:
    growing = Growing(budget=5)
    growing.begin(part(CHAIN, "a"))
    await growing.until("subtask_finished a")
    outcome = await growing.run(CHAIN, Budget(5, spent=1 + 3))
    assert outcome.status == "over_budget"
    assert growing.budget.spent == 4


async def test_what_is_abandoned_is_cancelled_and_what_has_finished_kept() -> None:
    reached = asyncio.Event()

    async def stuck(name: str, values: list[Any]) -> Any:
        if name == "b":
            reached.set()
            await asyncio.Event().wait()
        return work(name, values)

    growing = Growing(functions={"work": stuck})
    growing.begin(part(CHAIN, "a", "b"))
    await asyncio.wait_for(reached.wait(), PATIENCE_S)
    await growing.runner.abandon()
    assert [*growing.stage.journal.results(RUN)] == ["a"]
    assert len(growing.stage.invoker.cancelled) == 1
    events = growing.stage.events
    assert sum(isinstance(e, MoneyReserved) for e in events) == sum(
        isinstance(e, MoneySettled) for e in events
    )
    await growing.runner.abandon()


async def test_a_runner_that_abandoned_a_part_runs_the_whole_afresh() -> None:
    growing = Growing()
    growing.begin(part(CHAIN, "a"))
    await growing.runner.abandon()
    assert (await growing.run(CHAIN)).status == "succeeded"


async def test_cancelling_the_whole_cancels_what_was_begun() -> None:
    reached = asyncio.Event()

    async def stuck(name: str, values: list[Any]) -> Any:
        reached.set()
        await asyncio.Event().wait()

    growing = Growing(functions={"work": stuck})
    growing.begin(part(CHAIN, "a"))
    running = asyncio.create_task(growing.run(CHAIN))
    await asyncio.wait_for(reached.wait(), PATIENCE_S)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(growing.stage.invoker.cancelled) == 1


@given(graph=task_graphs(), data=st.data())
async def test_however_a_graph_comes_each_subtask_runs_once(graph: TaskGraph, data: st.DataObject) -> None:
    ordered: list[SubtaskId] = []
    while len(ordered) < len(graph.subtasks):
        ordered += [s.id for s in graph.subtasks if s.id not in ordered and s.needs <= {*ordered}]
    growing = Growing()
    for end in sorted(data.draw(st.lists(st.integers(1, len(ordered)), max_size=4))):
        growing.begin(part(graph, *ordered[:end]))
        for _ in range(data.draw(st.integers(0, 30))):
            await asyncio.sleep(0)
    outcome = await growing.run(graph)
    assert outcome.status == "succeeded"
    assert outcome.values.keys() == graph.by_id.keys()
    assert len(growing.stage.invoker.calls) == len(graph.subtasks)
