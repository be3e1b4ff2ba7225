"""Runs whose process ends at each moment at which it could: at any append to the journal."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easynet.core.errors import NodeUnreachable
from easynet.core.events import AttemptStarted, MoneySettled, RunEvent, SubtaskFinished
from easynet.core.ids import SubtaskId
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.outcome import Outcome
from easynet.testing.graphs import offer, task_graphs
from easynet.testing.journal import MemoryJournal
from easynet.testing.simulated_time import simulated
from easynet.testing.stage import RUN, Stage, plain

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """The process is no more."""


class MortalJournal(MemoryJournal):
    """A journal whose process is killed at one append: before it, or when it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.dies_at = -1
        self.is_kept = False
        self.is_dead = False

    def append(self, events: Sequence[RunEvent], results: Mapping[SubtaskId, bytes] | None = None) -> None:
        if self.commits == self.dies_at and not self.is_dead:
            self.is_dead = True
            if self.is_kept:
                super().append(events, results)
        if self.is_dead:
            raise Killed  # nothing is written after the end
        super().append(events, results)


def stage_of(journal: MortalJournal, once: bool, failures: Sequence[int]) -> Stage:
    stage = Stage(journal=journal)
    names = ("work", "effect")
    stage.offers = {n: [offer(f"n{i}", n, concurrency=2, price=i + 1) for i in range(3)] for n in names}
    stage.invoker.functions = dict.fromkeys(names, lambda name, values: [*values, name])
    stage.capabilities = {"effect": plain("effect", idempotent=not once)}
    for node in failures:
        stage.invoker.fail(f"n{node}", NodeUnreachable("gone"))
    return stage


async def killed_and_resumed(
    graph: TaskGraph, at: int, is_kept: bool, once: bool, failures: Sequence[int], limit: int
) -> bool:
    """Kill a run at its `at`-th append and resume it; False where it had ended by then."""
    journal = MortalJournal()
    journal.dies_at, journal.is_kept = at, is_kept
    first = stage_of(journal, once, failures)
    try:
        await first.run(graph, budget=Budget(limit))
    except Killed:
        pass
    else:
        return False
    journal.is_dead, journal.dies_at = False, -1
    events = journal.events(RUN)
    done, history = journal.results(RUN), History.of(events)
    assert done.keys() == {e.subtask for e in events if isinstance(e, SubtaskFinished)}
    paid = sum(e.paid for e in events if isinstance(e, MoneySettled))
    second = stage_of(journal, once, ())
    budget = Budget(limit, spent=paid)
    outcome = await second.run(graph, done=done, history=history, budget=budget)
    check(graph, first, second, outcome, {*done}, budget, once)
    return True


def check(
    graph: TaskGraph,
    first: Stage,
    second: Stage,
    outcome: Outcome,
    done: set[SubtaskId],
    budget: Budget,
    once: bool,
) -> None:
    ran = {c.arguments["name"] for c in second.invoker.calls}
    assert not ran & done, "what was finished ran again"
    events = second.events
    sent = Counter(c.arguments["name"] for stage in (first, second) for c in stage.invoker.calls)
    effects = {s.id for s in graph.subtasks if s.capability == "effect" and once}
    if outcome.status == "succeeded":
        assert ran == graph.by_id.keys() - done
        assert outcome.values.keys() == graph.by_id.keys()
        stored = {s: json.loads(body) for s, body in second.journal.results(RUN).items()}
        assert stored == outcome.values
    elif outcome.status == "failed":
        assert outcome.problem is not None
        assert "must not run twice" in outcome.problem.message
        assert outcome.failed in effects
    assert all(sent[s] <= 1 for s in effects)
    finished = Counter(e.subtask for e in events if isinstance(e, SubtaskFinished))
    assert set(finished.values()) <= {1}
    attempts = Counter((e.subtask, e.attempt) for e in events if isinstance(e, AttemptStarted))
    assert set(attempts.values()) <= {1}, "two attempts have one number"
    assert History.of(events).reserved == {}
    assert budget.reserved == 0
    assert budget.spent == sum(e.paid for e in events if isinstance(e, MoneySettled)) <= (budget.limit or 0)


@settings(max_examples=60)
@given(
    graph=task_graphs(max_size=6, capabilities=("work", "effect")),
    once=st.booleans(),
    failures=st.lists(st.integers(0, 2), max_size=2),
    limit=st.sampled_from([18, 100]),
)
def test_run_killed_at_any_append_is_resumed_without_loss_and_without_repetition(
    graph: TaskGraph, once: bool, failures: list[int], limit: int
) -> None:
    for is_kept in (False, True):
        at = 1  # the first append is the plan
        while simulated(killed_and_resumed(graph, at, is_kept, once, failures, limit)):
            at += 1
        assert at > 1
