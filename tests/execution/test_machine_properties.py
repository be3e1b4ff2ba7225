"""The machine under whatever may happen to an execution, in any order."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from easynet.core.events import Problem
from easynet.core.ids import NodeId, SubtaskId
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.commands import Accept, Cancel, Command, Finish, Reject, Start
from easynet.execution.ladder import NEVER_RAN
from easynet.execution.machine import step
from easynet.execution.state import Rules, State, state_of
from easynet.execution.stimuli import (
    Abandoned,
    Begun,
    Failed,
    Grown,
    Overdue,
    Placed,
    Stimulus,
    Stopped,
    Succeeded,
    Unplaced,
)
from easynet.testing.graphs import task_graphs

pytestmark = pytest.mark.slow


MAX_ATTEMPTS = 4
NODES = [NodeId(f"n{n}") for n in range(5)]
_EARLY = 8
"""What ends an execution for sure comes after so many stimuli, so that there is something to end."""
CODES = ["node_unreachable", "not_started", "remote_failure", "wrong_result", "bad_data"]

Key = tuple[SubtaskId, int]


def problem(code: str = "no_node_found") -> Problem:
    return Problem(code=code, message="it broke")


def able(start: Start) -> list[NodeId]:
    """The nodes that a start may be placed on."""
    return [n for n in NODES if n not in start.not_on]


class Executions(RuleBasedStateMachine):
    """What a runner may tell the machine, and what must hold of all that it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.before = self.state = State()
        self.told: list[tuple[Stimulus, list[Command]]] = []
        self.needs: dict[SubtaskId, frozenset[SubtaskId]] = {}
        self.once: frozenset[SubtaskId] = frozenset()
        self.later: tuple[Subtask, ...] = ()
        self.waiting: dict[SubtaskId, Start] = {}
        """Starts that nobody was found for yet."""
        self.live: dict[Key, NodeId] = {}
        self.answers: dict[Key, NodeId] = {}
        """Results that are neither accepted nor rejected."""
        self.accepted: set[SubtaskId] = set()
        self.sent: dict[SubtaskId, int] = {}
        """The last attempt of each."""
        self.may_have_run: set[SubtaskId] = set()
        self.cancelled: set[Key] = set()
        self.finish: Finish | None = None

    @initialize(graph=task_graphs(max_size=7), data=st.data())
    def begin(self, graph: TaskGraph, data: st.DataObject) -> None:
        names = [s.id for s in graph.in_order]
        cut = data.draw(st.integers(0, len(names)))
        first = {*names[:cut]} if data.draw(st.booleans()) else {*names}
        early = tuple(s for s in graph.subtasks if s.id in first)
        self.later = tuple(s for s in graph.subtasks if s.id not in first)
        self.needs = {s.id: s.needs for s in graph.subtasks}
        self.once = frozenset(data.draw(st.sets(st.sampled_from(names), max_size=3)))
        self.accepted = {*data.draw(st.sampled_from([(), (*names[: cut // 2],)]))} & first
        self.sent = dict.fromkeys(data.draw(st.sets(st.sampled_from(names), max_size=2)), 1)
        self.may_have_run = {*data.draw(st.sampled_from([(), (*self.sent,)]))}
        self.before = self.state = state_of(
            TaskGraph(subtasks=early),
            Rules(attempts=MAX_ATTEMPTS),
            done=self.accepted,
            once=self.once & first,
            uncertain=self.may_have_run & first,
            numbers=self.sent,
            is_complete=not self.later,
        )
        self.tell(Begun())

    # ── what may happen ─────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.waiting and not self.state.is_ending)
    @rule(data=st.data())
    def is_placed(self, data: st.DataObject) -> None:
        start = self.waiting.pop(data.draw(st.sampled_from(sorted(self.waiting))))
        self.place(start, data.draw(st.sampled_from(able(start))))

    @precondition(lambda self: self.waiting and not self.state.is_ending)
    @rule(data=st.data(), count=st.integers(1, 4))
    def all_goes_well(self, data: st.DataObject, count: int) -> None:
        """So that executions get far before something happens to them."""
        for _ in range(count):
            if self.waiting and not self.state.is_ending:
                subtask = data.draw(st.sampled_from(sorted(self.waiting)))
                start = self.waiting.pop(subtask)
                self.place(start, able(start)[0])
                self.answers[subtask, start.attempt] = self.live.pop((subtask, start.attempt))
                self.tell(Succeeded(subtask, start.attempt))

    @precondition(lambda self: self.waiting and not self.state.is_ending and len(self.told) > _EARLY)
    @rule(data=st.data(), status=st.sampled_from(["failed", "over_budget"]))
    def finds_nobody(self, data: st.DataObject, status: Any) -> None:
        subtask = data.draw(st.sampled_from(sorted(self.waiting)))
        del self.waiting[subtask]
        self.tell(Unplaced(subtask, status, problem()))

    @precondition(lambda self: self.live)
    @rule(data=st.data(), is_free=st.booleans())
    def is_overdue(self, data: st.DataObject, is_free: bool) -> None:
        subtask, attempt = self.one_of_live(data)
        for command in self.tell(Overdue(subtask, attempt)):
            assert isinstance(command, Start)
            assert command.reason == "hedge"
            hedge = self.waiting.pop(subtask)
            if is_free:  # a hedge waits for nobody: it is placed at once, or not at all
                self.place(hedge, able(hedge)[0])
            else:
                self.sent[subtask] -= 1
                self.tell(Unplaced(subtask, "failed", problem()))

    @precondition(lambda self: self.live)
    @rule(data=st.data(), suffices=st.booleans())
    def succeeds(self, data: st.DataObject, suffices: bool) -> None:
        subtask, attempt = self.one_of_live(data)
        others = [n for s, n in self.answers if s == subtask]
        agrees = tuple(data.draw(st.lists(st.sampled_from(others), unique=True)) if others else ())
        self.answers[subtask, attempt] = self.live.pop((subtask, attempt))
        self.tell(Succeeded(subtask, attempt, suffices or subtask in self.once, agrees))

    @precondition(lambda self: self.live)
    @rule(data=st.data(), code=st.sampled_from(CODES))
    def fails(self, data: st.DataObject, code: str) -> None:
        subtask, attempt = self.one_of_live(data)
        node = self.live.pop((subtask, attempt))
        is_retryable = code != "bad_data" or len(self.told) <= _EARLY
        if code not in NEVER_RAN:
            self.may_have_run.add(subtask)
        self.tell(Failed(subtask, attempt, node, problem(code), is_retryable))

    @precondition(lambda self: self.live and len(self.told) > _EARLY)
    @rule(data=st.data())
    def is_abandoned(self, data: st.DataObject) -> None:
        key = self.one_of_live(data)
        del self.live[key]
        self.may_have_run.add(key[0])
        self.tell(Abandoned(*key))

    @precondition(lambda self: self.later and self.finish is None)
    @rule(data=st.data())
    def grows(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(0, len(self.later)))
        known = {*self.needs} - {s.id for s in self.later}
        new = [s for s in self.later if self.needs[s.id] <= known][:count]
        self.later = tuple(s for s in self.later if s not in new)
        names = {s.id for s in new}
        self.tell(
            Grown(
                tuple(new),
                once=self.once & names,
                uncertain=frozenset(self.may_have_run & names),
                is_complete=not self.later,
            )
        )

    @precondition(lambda self: self.finish is None and len(self.told) > _EARLY)
    @rule()
    def time_is_over(self) -> None:
        cancelled = {(c.subtask, c.attempt) for c in self.tell(Stopped(problem())) if isinstance(c, Cancel)}
        assert cancelled == self.live.keys()

    @precondition(lambda self: self.finish is not None)
    @rule(late=st.sampled_from([Begun(), Stopped(problem())]))
    def is_over(self, late: Stimulus) -> None:
        with pytest.raises(ValueError, match="after the end"):
            step(self.state, late)

    def teardown(self) -> None:
        """Whatever has happened: once nothing runs, and nobody is found for what waits, it ends."""
        while self.finish is None and self.told:
            if self.live:
                key = min(self.live)
                del self.live[key]
                self.tell(Abandoned(*key))
            elif self.waiting and not self.state.is_ending:
                subtask = min(self.waiting)
                del self.waiting[subtask]
                self.tell(Unplaced(subtask, "failed", problem()))
            else:
                assert self.later, "an execution of which nothing is left has ended"
                self.tell(Stopped(problem()))
        self.replayed()

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def tell(self, stimulus: Stimulus) -> list[Command]:
        assert self.finish is None, "nothing happens after the end"
        self.state, commands = step(self.state, stimulus)
        self.told.append((stimulus, commands))
        for command in commands:
            self.check(command)
        assert [c for c in commands if isinstance(c, Finish)] in ([], commands[-1:])
        return commands

    def place(self, start: Start, node: NodeId) -> None:
        self.live[start.subtask, start.attempt] = node
        assert self.tell(Placed(start.subtask, start.attempt, node)) == []

    def check(self, command: Command) -> None:
        match command:
            case Start(subtask, attempt, reason):
                assert self.needs[subtask] <= self.accepted, "it runs before its inputs are there"
                assert subtask not in self.accepted, "it runs after its end"
                assert subtask not in self.waiting, "it is asked for twice"
                assert attempt == self.sent.get(subtask, 0) + 1
                running = [key for key in self.live if key[0] == subtask]
                assert bool(running) == (reason == "hedge"), "two run at once that are no hedge"
                assert len(running) < 3, "four run at once"
                assert not (subtask in self.once and subtask in self.may_have_run), "it would run twice"
                assert not (subtask in self.once and reason in ("hedge", "opinion")), (
                    "it would run twice at once"
                )
                busy = {n for (s, _), n in (*self.live.items(), *self.answers.items()) if s == subtask}
                assert busy <= {*command.not_on}, "one node is asked twice at once"
                self.sent[subtask] = attempt
                self.waiting[subtask] = command
            case Accept(subtask, attempt):
                assert subtask not in self.accepted, "it ends twice"
                del self.answers[subtask, attempt]
                self.accepted.add(subtask)
                others = [k for k, n in self.answers.items() if n in command.confirmed_by]
                for key in [k for k in others if k[0] == subtask]:
                    del self.answers[key]
            case Reject(subtask, attempt):
                del self.answers[subtask, attempt]
            case Cancel(subtask, attempt):
                assert (subtask, attempt) in self.live, "what does not run cannot be stopped"
                self.cancelled.add((subtask, attempt))
            case Finish(status):
                assert not self.live, "it ends while something runs"
                is_all_done = not self.later and self.accepted >= self.needs.keys()
                assert (status == "succeeded") == is_all_done
                self.finish = command

    def one_of_live(self, data: st.DataObject) -> Key:
        return data.draw(st.sampled_from(sorted(self.live)))

    @invariant()
    def knows_what_runs(self) -> None:
        running = {(s, a.number): a.node for s, attempts in self.state.running.items() for a in attempts}
        assert running == self.live
        assert {key for key in self.live if key[0] in self.accepted} <= self.cancelled

    def replayed(self) -> None:
        """The same stimuli give the same commands, and the state is a value: nothing was changed in it."""
        state = self.before
        for stimulus, commands in self.told:
            state, again = step(state, stimulus)
            assert again == commands
        assert state == self.state


Executions.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestExecutions = Executions.TestCase
