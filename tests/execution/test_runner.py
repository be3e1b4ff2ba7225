import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easynet.core.call import CallUpdate, progress
from easynet.core.errors import (
    BadData,
    DataDirectoryUnusable,
    InputNeeded,
    NodeRefused,
    NodeUnreachable,
    NotStarted,
    OverBudget,
    PlanRejected,
    Unencodable,
)
from easynet.core.events import (
    AttemptFailed,
    AttemptProgressed,
    AttemptStarted,
    MoneyReserved,
    MoneySettled,
    PlanMade,
    RunEvent,
    SubtaskFinished,
)
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Trust
from easynet.core.task_graph import FromInput, FromSubtask, Given, Subtask, TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.journal import SqliteJournal
from easynet.execution.outcome import Outcome
from easynet.settings import inherited_environment
from easynet.testing.graphs import graph_of, offer, task_graphs
from easynet.testing.invoker import Call, FakeInvoker
from easynet.testing.journal import MemoryJournal
from easynet.testing.stage import RUN, Stage, plain, work
from tests.patience import PATIENCE_S, undisturbed

A, B, C = SubtaskId("a"), SubtaskId("b"), SubtaskId("c")
ONE = graph_of({"a": []})
WORK = CapabilityName("work")
DIAMOND = graph_of({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def soon(awaitable: Awaitable[Outcome]) -> Outcome:
    return await asyncio.wait_for(awaitable, timeout=PATIENCE_S)


class Gate:
    """A function that waits until it is let through, and says when it has been reached."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, name: str, values: list[Any]) -> Any:
        self.reached.set()
        await self.open.wait()
        return work(name, values)


def raising(error: Exception) -> Callable[..., Any]:
    def function(name: str, values: list[Any]) -> Any:
        raise error

    return function


def by_name(**functions: Callable[..., Any]) -> Callable[..., Any]:
    """A function that does something else for some subtasks."""

    def function(name: str, values: list[Any]) -> Any:
        chosen: Callable[..., Any] = functions.get(name, work)
        return chosen(name=name, values=values)

    return function


# ── what goes well ──────────────────────────────────────────────────────────────────────────────


async def test_results_flow_along_the_graph(stage: Stage) -> None:
    outcome = await soon(stage.run(DIAMOND))
    assert outcome.status == "succeeded"
    assert outcome.problem is None
    assert outcome.values == {
        "a": ["a"],
        "b": [["a"], "b"],
        "c": [["a"], "c"],
        "d": [[["a"], "b"], [["a"], "c"], "d"],
    }
    stored = {s: json.loads(body) for s, body in stage.journal.results(RUN).items()}
    assert stored == outcome.values


async def test_an_empty_plan_succeeds(stage: Stage) -> None:
    assert await soon(stage.run(TaskGraph(subtasks=()))) == Outcome("succeeded")
    assert stage.story == []


async def test_the_story_of_one_subtask_is_told_in_order(stage: Stage) -> None:
    stage.offers = {"work": [offer("n1", price=3)]}
    await soon(stage.run(ONE))
    assert [e.kind for e in stage.events] == [
        "plan_made",
        "money_reserved",
        "attempt_started",
        "subtask_finished",
        "money_settled",
    ]
    _, reserved, started, finished, settled = stage.events
    assert isinstance(reserved, MoneyReserved)
    assert isinstance(started, AttemptStarted)
    assert isinstance(finished, SubtaskFinished)
    assert isinstance(settled, MoneySettled)
    assert (reserved.amount, reserved.attempt) == (3, 1)
    assert (started.node, started.attempt) == ("n1", 1)
    assert (finished.node, finished.attempt) == ("n1", 1)
    assert (settled.paid, settled.returned) == (3, 0)
    assert stage.published == stage.events


async def test_a_result_is_in_the_journal_before_anything_builds_on_it(stage: Stage) -> None:
    def look(name: str, values: list[Any]) -> str:
        if name == "b":
            assert json.loads(stage.journal.results(RUN)[A]) == "a"
            assert "subtask_finished a" in stage.story
        return name

    stage.invoker.functions = {"work": look}
    outcome = await soon(stage.run(graph_of({"a": [], "b": ["a"]})))
    assert outcome.status == "succeeded"


async def test_completions_that_wait_together_share_transactions(stage: Stage) -> None:
    stage.offers = {"work": [offer("n1", concurrency=100)]}
    outcome = await soon(stage.run(graph_of({f"s{n}": [] for n in range(100)})))
    assert outcome.status == "succeeded"
    assert isinstance(stage.journal, MemoryJournal)
    assert stage.journal.commits <= 5


async def test_inputs_and_parts_of_outputs_reach_the_function(stage: Stage) -> None:
    received: list[tuple[Any, ...]] = []
    stage.invoker.functions = {
        "split": lambda data: {"train": {"rows": [data, 2]}},
        "fit": lambda rows, target="default": received.append((rows, target)),
    }
    stage.offers = {"split": [offer("n", "split")], "fit": [offer("n", "fit")]}
    split = Subtask(id=A, capability=CapabilityName("split"), arguments={"data": FromInput(name="file")})
    fit = Subtask(
        id=B,
        capability=CapabilityName("fit"),
        arguments={
            "rows": FromSubtask(subtask=A, path=("train", "rows")),
            "target": FromInput(name="target", optional=True),
        },
    )
    await soon(stage.run(TaskGraph(subtasks=(split, fit)), inputs={"file": "x.csv"}))
    assert received == [(["x.csv", 2], "default")]


async def test_the_items_of_a_streaming_function_become_a_list(stage: Stage) -> None:
    def count(name: str, values: list[Any]) -> Generator[int]:
        yield from range(3)

    stage.invoker.functions = {"work": count}
    stage.capabilities = {"work": plain("work", streaming=True)}
    outcome = await soon(stage.run(ONE))
    assert outcome.values == {"a": [0, 1, 2]}


async def test_progress_is_told_the_first_at_once_and_then_the_latest_now_and_then(stage: Stage) -> None:
    told = asyncio.Event()

    async def train(name: str, values: list[Any]) -> None:
        for n in range(101):
            progress(n / 100, f"step {n}")
        await told.wait()

    stage.invoker.functions = {"work": train}
    stage.on_event = lambda e: told.set() if isinstance(e, AttemptProgressed) and e.fraction == 1.0 else None
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "succeeded"
    said = [e for e in stage.events if isinstance(e, AttemptProgressed)]
    assert [(e.fraction, e.message, e.attempt) for e in said] == [(0.0, "step 0", 1), (1.0, "step 100", 1)]


# ── where subtasks go ───────────────────────────────────────────────────────────────────────────


async def test_no_node_runs_more_at_once_than_it_says(stage: Stage) -> None:
    stage.offers = {"work": [offer("n1", concurrency=2), offer("n2", concurrency=3)]}
    await soon(stage.run(graph_of({f"s{n}": [] for n in range(20)})))
    assert stage.invoker.peak == {"n1": 2, "n2": 3}


async def test_a_subtask_that_fails_on_its_node_succeeds_on_another(stage: Stage) -> None:
    stage.offers = {"work": [offer("n1", price=5, expected_s=0.1), offer("n2", price=2)]}
    stage.invoker.down = {"n1"}
    budget = Budget(10)
    outcome = await soon(stage.run(ONE, budget=budget))
    assert outcome.status == "succeeded"
    assert [c.node for c in stage.invoker.calls] == ["n1", "n2"]
    assert stage.story == [
        "attempt_started a",
        "attempt_failed a",
        "attempt_started a",
        "subtask_finished a",
    ]
    (failure,) = [e for e in stage.events if isinstance(e, AttemptFailed)]
    assert (failure.node, failure.attempt, failure.will_retry) == ("n1", 1, True)
    assert failure.problem.code == "node_unreachable"
    settled = [(e.paid, e.returned) for e in stage.events if isinstance(e, MoneySettled)]
    assert settled == [(0, 5), (2, 0)]
    assert (budget.spent, budget.reserved) == (2, 0)


async def test_a_node_that_joined_meanwhile_takes_over(stage: Stage) -> None:
    stage.invoker.down = {"n1"}
    stage.found = {"work": [offer("new")]}
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "succeeded"
    assert [c.node for c in stage.invoker.calls] == ["n1", "new"]
    assert stage.searches == ["work"]


async def test_the_only_node_is_tried_once_more(stage: Stage) -> None:
    stage.invoker.fail("n1", NodeUnreachable("gone"))
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "succeeded"
    assert [c.node for c in stage.invoker.calls] == ["n1", "n1"]


async def test_a_node_less_trusted_than_planned_is_not_used_even_after_a_failure(stage: Stage) -> None:
    own = offer("mine").model_copy(update={"trust": Trust.OWN})
    stage.offers = {"work": [own]}
    stage.found = {"work": [own, offer("stranger")]}
    stage.invoker.down = {"mine"}
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "failed"
    assert {c.node for c in stage.invoker.calls} == {"mine"}


async def test_attempts_that_may_be_one_effect_share_a_key_and_others_do_not(stage: Stage) -> None:
    stage.offers = {"work": [offer(f"n{n}") for n in range(4)]}
    stage.invoker.fail("n0", NodeUnreachable("gone"))
    await soon(stage.run(graph_of({"a": [], "b": []})))
    keys = {c.arguments["name"]: set[str]() for c in stage.invoker.calls}
    for call in stage.invoker.calls:
        keys[call.arguments["name"]].add(call.key)
    assert len(stage.invoker.calls) == 3
    assert [len(found) for found in keys.values()] == [1, 1]
    assert keys["a"].isdisjoint(keys["b"])
    assert all(key.startswith("run-1/") for found in keys.values() for key in found)


async def test_a_function_that_raised_is_called_anew_with_another_key(stage: Stage) -> None:
    stage.offers = {"work": [offer("n1"), offer("n2")]}
    stage.invoker.functions = {"work": raising(ZeroDivisionError("by zero"))}
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "failed"
    assert len(stage.invoker.calls) == 2
    assert len({c.key for c in stage.invoker.calls}) == 2


# ── what goes wrong ─────────────────────────────────────────────────────────────────────────────


async def test_a_function_that_raises_everywhere_fails_the_run_with_its_words(stage: Stage) -> None:
    stage.offers = {"work": [offer("n1", concurrency=9), offer("n2", concurrency=9)]}
    stage.invoker.functions = {"work": by_name(b=raising(ZeroDivisionError("by zero")))}
    outcome = await soon(stage.run(graph_of({"a": [], "b": ["a"], "c": ["b"]})))
    assert outcome.status == "failed"
    assert outcome.failed == B
    assert outcome.problem is not None
    assert outcome.problem.code == "subtask_failed"
    assert "ZeroDivisionError: by zero" in outcome.problem.message
    assert outcome.values == {"a": ["a"]}
    failures = [e for e in stage.events if isinstance(e, AttemptFailed)]
    assert [(e.node, e.will_retry) for e in failures] == [("n1", True), ("n2", False)]
    assert "attempt_started c" not in stage.story


@pytest.mark.parametrize("error", [BadData("no rows", hint="Give rows."), Unencodable("a socket")])
async def test_an_error_that_cannot_get_better_is_not_tried_again(stage: Stage, error: Exception) -> None:
    stage.invoker.functions = {"work": raising(error)}
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "failed"
    assert outcome.problem is not None
    assert outcome.problem.code in ("bad_data", "unencodable")
    assert len(stage.invoker.calls) == 1


async def test_a_result_that_cannot_be_encoded_fails_the_subtask_and_is_not_paid(stage: Stage) -> None:
    def encode(value: Any) -> bytes:
        raise Unencodable("a socket cannot travel")

    budget = Budget(5)
    outcome = await soon(stage.run(ONE, encode=encode, budget=budget))
    assert outcome.problem is not None
    assert outcome.problem.code == "unencodable"
    assert (budget.spent, budget.reserved) == (0, 0)


async def test_a_question_of_a_function_becomes_the_outcome(stage: Stage) -> None:
    stage.invoker.functions = {"work": raising(InputNeeded("target", "Which column?", ["x", "y"]))}
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "needs_input"
    assert outcome.question is not None
    assert (outcome.question.name, outcome.question.text) == ("target", "Which column?")
    assert outcome.question.choices == ("x", "y")
    assert len(stage.invoker.calls) == 1


async def test_an_input_that_the_intent_lacks_is_asked_for_before_anything_is_sent(stage: Stage) -> None:
    subtask = Subtask(id=A, capability=CapabilityName("work"), arguments={"name": FromInput(name="who")})
    outcome = await soon(stage.run(TaskGraph(subtasks=(subtask, subtask.model_copy(update={"id": B})))))
    assert outcome.status == "needs_input"
    assert outcome.question is not None
    assert outcome.question.name == "who"
    assert stage.invoker.calls == []


async def test_siblings_of_a_failure_run_to_their_end_and_are_kept(stage: Stage) -> None:
    gate = Gate()
    stage.invoker.functions = {"work": by_name(a=gate, b=raising(BadData("empty")))}
    graph = graph_of({"a": [], "b": [], "c": ["a"]})
    stage.on_event = lambda e: gate.open.set() if isinstance(e, AttemptFailed) else None
    outcome = await soon(stage.run(graph))
    assert outcome.status == "failed"
    assert outcome.failed == B
    assert outcome.values == {"a": ["a"]}
    assert stage.story[-2:] == ["attempt_failed b", "subtask_finished a"]


async def test_nobody_offering_is_asked_again_with_patience_and_then_said(stage: Stage) -> None:
    stage.offers = {"work": []}
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "failed"
    assert outcome.problem is not None
    assert outcome.problem.code == "no_node_found"
    assert len(stage.searches) == 3


async def test_a_registry_that_cannot_be_asked_leaves_the_offers_as_they_were(stage: Stage) -> None:
    stage.invoker.fail("n1", NodeRefused("busy"))
    stage.registry_error = NodeUnreachable("no gateway")
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "succeeded"


async def test_money_that_does_not_suffice_stops_before_it_is_spent(stage: Stage) -> None:
    stage.offers = {"work": [offer("n1", price=4)]}
    budget = Budget(11)
    outcome = await soon(stage.run(graph_of({"a": [], "b": ["a"], "c": ["b"]}), budget=budget))
    assert outcome.status == "over_budget"
    assert outcome.problem is not None
    assert outcome.problem.code == OverBudget.code
    assert "12 credits" in outcome.problem.hint
    assert stage.invoker.calls == []
    assert (budget.spent, budget.reserved) == (0, 0)


async def test_an_effect_that_may_have_happened_is_not_repeated(stage: Stage) -> None:
    stage.offers = {"work": [offer("n1"), offer("n2")]}
    stage.capabilities = {"work": plain("work", idempotent=False)}
    stage.invoker.fail("n1", NodeUnreachable("went away in the middle"))
    outcome = await soon(stage.run(ONE))
    assert outcome.status == "failed"
    assert len(stage.invoker.calls) == 1
    stage = Stage(offers=stage.offers, capabilities=stage.capabilities)
    stage.invoker.fail("n1", NotStarted("nobody there"))
    assert (await soon(stage.run(ONE))).status == "succeeded"
    assert [c.node for c in stage.invoker.calls] == ["n1", "n2"]


@pytest.mark.parametrize(
    ("later", "is_sent"),
    [
        (Subtask(id=A, capability=WORK, arguments={"to": Given(value="Ann")}), False),
        (Subtask(id=A, capability=WORK, arguments={"to": Given(value="Bob")}), False),
        (Subtask(id=SubtaskId("b"), capability=WORK, arguments={"to": Given(value="Ann")}), False),
        (Subtask(id=SubtaskId("b"), capability=WORK, arguments={"to": Given(value="Bob")}), True),
        (Subtask(id=A, capability=CapabilityName("other"), arguments={"to": Given(value="Ann")}), True),
    ],
)
async def test_an_effect_that_may_have_happened_is_not_repeated_by_a_later_plan(
    stage: Stage, later: Subtask, is_sent: bool
) -> None:
    stage.offers = {name: [offer("n1", name)] for name in ("work", "other")}
    stage.capabilities = {name: plain(name, idempotent=False) for name in stage.offers}
    stage.invoker.functions = dict.fromkeys(stage.offers, lambda to: to)
    stage.invoker.fail("n1", NodeUnreachable("went away in the middle"))
    first = Subtask(id=A, capability=WORK, arguments={"to": Given(value="Ann")})
    assert (await soon(stage.run(TaskGraph(subtasks=(first,))))).status == "failed"
    resumed = await soon(stage.run(TaskGraph(subtasks=(later,)), history=History.of(stage.events)))
    assert (resumed.status == "succeeded", len(stage.invoker.calls)) == (is_sent, 1 + is_sent)


async def test_a_plan_that_cannot_finish_is_refused(stage: Stage) -> None:
    with pytest.raises(PlanRejected, match="wait for each other"):
        await soon(stage.run(graph_of({"a": ["b"], "b": ["a"]})))


# ── time, cancellation, broken disks ────────────────────────────────────────────────────────────


async def test_the_deadline_stops_what_is_running() -> None:
    async def run_into_it() -> None:
        stage, budget = Stage(), Budget(5)
        stage.invoker.functions = {"work": by_name(b=Gate())}
        graph = graph_of({"a": [], "b": ["a"]})
        outcome = await soon(stage.run(graph, deadline_at=stage.clock.now() + 0.05, budget=budget))
        assert outcome.status == "failed"
        assert outcome.problem is not None
        assert outcome.problem.code == "deadline_passed"
        assert outcome.values == {"a": ["a"]}
        assert [c.arguments["name"] for c in stage.invoker.cancelled] == ["b"]
        assert (budget.spent, budget.reserved) == (1, 0)
        assert all(c.timeout_s <= 0.05 for c in stage.invoker.calls)

    await undisturbed(run_into_it, gap_s=0.03)


async def test_a_deadline_in_the_past_sends_nothing(stage: Stage) -> None:
    outcome = await soon(stage.run(ONE, deadline_at=stage.clock.now() - 1))
    assert outcome.problem is not None
    assert outcome.problem.code == "deadline_passed"
    assert stage.invoker.calls == []


async def test_chinese_run_is_told_of_its_end_in_chinese(stage: Stage) -> None:
    inputs = {"language": "zh"}
    late = (await soon(stage.run(ONE, deadline_at=stage.clock.now() - 1, inputs=inputs))).problem
    assert late is not None
    assert late.message == "期限已过，1 个子任务中有 1 个未完成"
    assert late.hint == "请恢复该运行，或给它更多时间。"
    reads = Subtask(id=A, capability=CapabilityName("work"), arguments={"name": FromInput(name="word")})
    asked = (await soon(stage.run(TaskGraph(subtasks=(reads,)), inputs=inputs))).question
    assert asked is not None
    assert asked.text == "work 需要 'word'，应取什么值？"


async def test_cancelling_stops_the_calls_settles_the_money_and_can_be_resumed(stage: Stage) -> None:
    gate = Gate()
    stage.invoker.functions = {"work": by_name(b=gate, c=gate)}
    budget = Budget(10)
    run = asyncio.ensure_future(stage.run(DIAMOND, budget=budget))
    await asyncio.wait_for(gate.reached.wait(), PATIENCE_S)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert sorted(c.arguments["name"] for c in stage.invoker.cancelled) == ["b", "c"]
    assert (budget.spent, budget.reserved) == (1, 0)
    history = History.of(stage.events)
    assert history.reserved == {}
    assert [s.id for s in history.uncertain] == ["b", "c"]

    gate.open.set()
    done = stage.journal.results(RUN)
    assert done.keys() == {"a"}
    outcome = await soon(stage.run(DIAMOND, done=done, history=history))
    assert outcome.status == "succeeded"
    assert outcome.values.keys() == {"a", "b", "c", "d"}
    calls = [(c.arguments["name"], c.key) for c in stage.invoker.calls]
    assert [name for name, _ in calls].count("a") == 1
    assert len({key for name, key in calls if name == "b"}) == 1, "the same call, sent again"
    assert [e.attempt for e in stage.events if isinstance(e, AttemptStarted) and e.subtask == "b"] == [1, 2]


async def test_a_run_cancelled_at_once_sends_nothing(stage: Stage) -> None:
    run = asyncio.ensure_future(stage.run(ONE))
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert stage.story == []


async def test_what_finished_while_the_run_was_cancelled_is_kept(stage: Stage) -> None:
    gate = Gate()
    stage.invoker.functions = {"work": gate}
    run = asyncio.ensure_future(stage.run(ONE))
    await asyncio.wait_for(gate.reached.wait(), PATIENCE_S)
    call = next(t for t in asyncio.all_tasks() if t.get_name() == "call a")
    call.add_done_callback(lambda _: run.cancel())
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert stage.story == ["attempt_started a", "subtask_finished a"]
    assert stage.journal.results(RUN).keys() == {"a"}


async def test_a_resumed_run_ends_what_a_killed_process_left_open(stage: Stage) -> None:
    log = stage.log()
    log.emit(PlanMade, graph=ONE, planner="stage", titles={})
    log.emit(MoneyReserved, subtask=A, attempt=1, amount=7)
    log.emit(AttemptStarted, subtask=A, attempt=1, node="n1")
    outcome = await soon(stage.run(ONE, history=History.of(stage.events)))
    assert outcome.status == "succeeded"
    settled = [(e.attempt, e.paid, e.returned) for e in stage.events if isinstance(e, MoneySettled)]
    assert settled == [(1, 0, 7), (2, 1, 0)]


async def test_a_bug_in_the_invoker_ends_the_run_loudly_and_leaves_no_call(stage: Stage) -> None:
    gate = Gate()
    stage.invoker = Buggy({"work": gate})
    with pytest.raises(TypeError, match="a bug"):
        await soon(stage.run(graph_of({"a": [], "buggy": []})))
    assert [c.arguments["name"] for c in stage.invoker.cancelled] == ["a"]
    assert History.of(stage.events).reserved == {}


class Buggy(FakeInvoker):
    async def _updates(self, call: Call) -> AsyncGenerator[CallUpdate]:
        if call.arguments["name"] == "buggy":
            raise TypeError("a bug")
        async for update in super()._updates(call):
            yield update


class FullDisk(MemoryJournal):
    """Takes no results."""

    def append(self, events: Sequence[RunEvent], results: Mapping[SubtaskId, bytes] | None = None) -> None:
        if results:
            raise DataDirectoryUnusable("the disk is full")
        super().append(events, results)


async def test_a_full_disk_ends_the_run_and_its_calls(stage: Stage) -> None:
    stage.invoker.functions = {"work": by_name(a=Gate())}
    stage.journal = FullDisk()
    with pytest.raises(DataDirectoryUnusable):
        await soon(stage.run(graph_of({"a": [], "b": []})))
    assert [c.arguments["name"] for c in stage.invoker.cancelled] == ["a"]


# ── any graph ───────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(graph=task_graphs(), errors=st.lists(st.integers(0, 2), max_size=6), concurrency=st.integers(1, 3))
async def test_any_graph_runs_in_order_and_its_events_are_consistent(
    graph: TaskGraph, errors: list[int], concurrency: int
) -> None:
    stage = Stage()
    stage.offers = {"work": [offer(f"n{n}", concurrency=concurrency, price=n) for n in range(3)]}
    for n in errors:
        stage.invoker.fail(f"n{n}", NodeUnreachable("gone"))
    budget = Budget(100)
    outcome = await soon(stage.run(graph, budget=budget))
    finished: set[str] = set()
    reserved: dict[tuple[str, int], int] = {}
    for event in stage.events:
        match event:
            case MoneyReserved():
                reserved[event.subtask, event.attempt] = event.amount
            case AttemptStarted():
                assert graph.by_id[event.subtask].needs <= finished
                assert (event.subtask, event.attempt) in reserved
            case SubtaskFinished():
                assert event.subtask not in finished
                finished.add(event.subtask)
            case MoneySettled():
                assert reserved.pop((event.subtask, event.attempt)) == event.paid + event.returned
            case _:
                pass
    assert reserved == {}
    assert budget.reserved == 0
    assert budget.spent == sum(e.paid for e in stage.events if isinstance(e, MoneySettled))
    assert set(outcome.values) == finished
    assert (outcome.status == "succeeded") == (len(finished) == len(graph.subtasks))


async def test_the_journal_on_disk_serves_as_well(stage: Stage, tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path / "journal.sqlite")) as journal:
        stage.journal = journal
        outcome = await soon(stage.run(DIAMOND))
        assert outcome.status == "succeeded"
        assert journal.results(RUN).keys() == outcome.values.keys()


KILLED = """
import asyncio, sys, time
from pathlib import Path
from easynet.execution.journal import SqliteJournal
from easynet.testing.graphs import graph_of
from easynet.testing.stage import Stage

def work(name, values):
    with open(sys.argv[2], "a") as done:
        done.write(name)
    if name == "c":
        print("reached", flush=True)
        time.sleep(60)
    return name

stage = Stage(journal=SqliteJournal(Path(sys.argv[1])))
stage.invoker.functions = {"work": work}
asyncio.run(stage.run(graph_of({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]})))
"""


@pytest.mark.slow
async def test_a_run_whose_process_was_killed_goes_on_without_repeating_what_is_finished(
    stage: Stage, tmp_path: Path
) -> None:
    path, ran = tmp_path / "journal.sqlite", tmp_path / "ran"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(path), str(ran), stdout=PIPE, env=inherited_environment()
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) == b"reached\n"
    process.kill()
    await process.wait()
    assert ran.read_text() == "abc"

    with closing(SqliteJournal(path)) as journal:
        stage.journal = journal
        done = journal.results(RUN)
        assert done.keys() == {"a", "b"}
        graph = graph_of({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]})
        outcome = await soon(stage.run(graph, done=done, history=History.of(journal.events(RUN))))
        assert outcome.status == "succeeded"
        assert [c.arguments["name"] for c in stage.invoker.calls] == ["c", "d"]
        attempts = [(e.subtask, e.attempt) for e in stage.events if isinstance(e, AttemptStarted)]
        assert attempts == [("a", 1), ("b", 1), ("c", 1), ("c", 2), ("d", 1)]
        assert History.of(stage.events).reserved == {}


async def test_an_offer_that_failed_in_the_run_is_not_turned_to_again(stage: Stage) -> None:
    stage.offers = {"work": [offer("n1")]}
    stage.found = {"work": [offer("n1"), offer("n2")]}
    stage.invoker.down = {"n1"}
    outcome = await soon(stage.run(ONE, avoid={(NodeId("n2"), CapabilityName("work"))}))
    assert outcome.status == "failed"
    assert {c.node for c in stage.invoker.calls} == {"n1"}
