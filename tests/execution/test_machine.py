from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import PlanRejected
from easynet.core.events import Problem, Question, Status
from easynet.core.ids import NodeId, SubtaskId
from easynet.core.language import Language
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.commands import Accept, Cancel, Command, Finish, Reject, Start
from easynet.execution.machine import step
from easynet.execution.state import MAX_ATTEMPTS, Phase, Rules, State, state_of
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
from easynet.testing.graphs import graph_of, task_graphs

A, B, C = SubtaskId("a"), SubtaskId("b"), SubtaskId("c")
N = NodeId("n")
CHAIN = graph_of({"a": [], "b": ["a"], "c": ["b"]})
PAIR = graph_of({"a": [], "b": []})


class Machine:
    """The state, step by step."""

    def __init__(self, graph: TaskGraph, *, language: Language = "en", **known: Any) -> None:
        self.state: State = state_of(graph, Rules(language=language), **known)

    def step(self, stimulus: Stimulus) -> list[Command]:
        before = self.state
        self.state, commands = step(before, stimulus)
        assert step(before, stimulus) == (self.state, commands), "the same comes to something else"
        return commands

    def place(self, subtask: SubtaskId, node: str = "n") -> None:
        """The latest start is carried out."""
        assert self.step(Placed(subtask, self.state.numbers[subtask], NodeId(node))) == []

    @property
    def phases(self) -> dict[SubtaskId, Phase]:
        return dict(self.state.phases)


def failed(
    subtask: SubtaskId,
    code: str = "node_unreachable",
    *,
    attempt: int = 1,
    retryable: bool = True,
    node: NodeId = N,
) -> Failed:
    return Failed(subtask, attempt, node, Problem(code=code, message="broke", hint="do"), retryable)


def begun(graph: TaskGraph, *placed: SubtaskId, once: tuple[SubtaskId, ...] = ()) -> Machine:
    machine = Machine(graph, once=once)
    machine.step(Begun())
    for subtask in placed:
        machine.place(subtask)
    return machine


def test_a_chain_runs_one_after_another_and_succeeds() -> None:
    machine = Machine(CHAIN)
    assert machine.step(Begun()) == [Start(A, 1)]
    for subtask, then in ((A, Start(B, 1)), (B, Start(C, 1)), (C, Finish("succeeded"))):
        machine.place(subtask)
        assert machine.step(Succeeded(subtask, 1)) == [Accept(subtask, 1), then]


def test_an_empty_plan_and_a_plan_that_is_done_succeed_at_once() -> None:
    assert Machine(TaskGraph(subtasks=())).step(Begun()) == [Finish("succeeded")]
    assert Machine(CHAIN, done=[A, B, C]).step(Begun()) == [Finish("succeeded")]


def test_what_is_done_is_not_started_again() -> None:
    assert Machine(CHAIN, done=[A]).step(Begun()) == [Start(B, 1)]


def test_a_result_of_an_earlier_plan_may_be_read() -> None:
    assert Machine(graph_of({"b": ["a"]}), done=[A]).step(Begun()) == [Start(B, 1)]


def test_attempts_are_counted_on_from_earlier_processes() -> None:
    assert Machine(PAIR, numbers={A: 3}).step(Begun()) == [Start(A, 4, "retry"), Start(B, 1)]


def test_a_retryable_failure_is_tried_again_rather_elsewhere() -> None:
    machine = begun(PAIR, A)
    assert machine.step(failed(A)) == [Start(A, 2, "retry", (N,))]


def test_a_subtask_is_given_up_after_its_last_attempt_with_a_diagnosis() -> None:
    machine = begun(graph_of({"a": []}))
    for attempt in range(1, MAX_ATTEMPTS):
        machine.place(A)
        again = Start(A, attempt + 1, "retry", (N,) * attempt)
        assert machine.step(failed(A, attempt=attempt)) == [again]
    machine.place(A)
    (finish,) = machine.step(failed(A, attempt=MAX_ATTEMPTS))
    assert isinstance(finish, Finish)
    assert (finish.status, finish.failed) == ("failed", A)
    assert finish.problem == Problem(
        code="subtask_failed", message="'a' failed 5 times, last on 'n': broke", hint="do"
    )


def test_a_function_that_raises_gets_one_more_chance() -> None:
    machine = begun(graph_of({"a": []}), A)
    assert machine.step(failed(A, "remote_failure")) == [Start(A, 2, "retry", (N,))]
    machine.place(A)
    (finish,) = machine.step(failed(A, "remote_failure", attempt=2))
    assert isinstance(finish, Finish)


def test_an_error_that_is_not_retryable_ends_it_as_it_is() -> None:
    machine = begun(graph_of({"a": []}), A)
    problem = Problem(code="bad_data", message="broke", hint="do")
    assert machine.step(failed(A, "bad_data", retryable=False)) == [Finish("failed", problem, None, A)]


def test_a_question_ends_it_as_one() -> None:
    machine = begun(graph_of({"a": []}), A)
    question = Question(name="target", text="Which column?")
    problem = Problem(code="input_needed", message="Which column?")
    commands = machine.step(Failed(A, 1, N, problem, False, question))
    assert commands == [Finish("needs_input", problem, question, A)]


@pytest.mark.parametrize("code", ["node_unreachable", "call_timeout", "remote_failure", "outcome_unknown"])
def test_what_must_not_run_twice_is_not_sent_again_once_it_may_have_run(code: str) -> None:
    machine = begun(graph_of({"a": []}), A, once=(A,))
    (finish,) = machine.step(failed(A, code))
    assert isinstance(finish, Finish)
    assert finish.problem is not None
    assert "must not run twice" in finish.problem.message


@pytest.mark.parametrize(("language", "words"), [("en", "must not run twice"), ("zh", "不能运行两次")])
def test_what_may_have_run_earlier_is_not_begun_again(language: Language, words: str) -> None:
    machine = Machine(graph_of({"a": []}), once=(A,), uncertain=(A,), language=language)
    (finish,) = machine.step(Begun())
    assert isinstance(finish, Finish)
    assert finish.problem is not None
    assert words in finish.problem.message


@pytest.mark.parametrize("code", ["not_started", "node_refused", "overloaded"])
def test_what_must_not_run_twice_is_sent_again_where_nobody_took_it(code: str) -> None:
    machine = begun(graph_of({"a": []}), A, once=(A,))
    assert machine.step(failed(A, code)) == [Start(A, 2, "retry", (N,))]


def test_what_must_not_run_twice_and_may_have_run_earlier_is_not_started() -> None:
    (finish,) = Machine(graph_of({"a": []}), once=[A], uncertain=[A]).step(Begun())
    assert isinstance(finish, Finish)
    assert (finish.status, finish.failed) == ("failed", A)
    assert Machine(graph_of({"a": []}), uncertain=[A]).step(Begun()) == [Start(A, 1)]
    grown = Grown(graph_of({"a": []}).subtasks, once=frozenset({A}), uncertain=frozenset({A}))
    (finish,) = Machine(TaskGraph(subtasks=()), is_complete=False).step(grown)
    assert isinstance(finish, Finish)
    assert (finish.status, finish.failed) == ("failed", A)


def test_after_a_failure_for_good_nothing_new_starts_and_siblings_end() -> None:
    graph = graph_of({"a": [], "b": [], "c": ["b"]})
    machine = begun(graph, A, B)
    assert machine.step(failed(A, "bad_data", retryable=False)) == []
    assert machine.state.is_ending
    accept, finish = machine.step(Succeeded(B, 1))
    assert accept == Accept(B, 1)
    assert isinstance(finish, Finish)
    assert finish.failed == A
    assert machine.phases == {"a": "failed", "b": "succeeded", "c": "waiting"}


def test_after_a_failure_for_good_a_sibling_is_not_tried_again() -> None:
    machine = begun(PAIR, A, B)
    machine.step(failed(A, "bad_data", retryable=False))
    (finish,) = machine.step(failed(B))
    assert isinstance(finish, Finish)
    assert finish.failed == A


def test_a_subtask_that_nobody_takes_ends_it_with_the_reason() -> None:
    machine = begun(graph_of({"a": []}))
    problem = Problem(code="over_budget", message="no money")
    assert machine.step(Unplaced(A, "over_budget", problem)) == [Finish("over_budget", problem, None, A)]


def test_a_subtask_that_failed_and_finds_no_other_node_is_diagnosed_by_its_failure() -> None:
    machine = begun(graph_of({"a": []}), A)
    machine.step(failed(A))
    (finish,) = machine.step(Unplaced(A, "failed", Problem(code="no_node_found", message="nobody")))
    assert isinstance(finish, Finish)
    assert finish.problem is not None
    assert (finish.problem.code, finish.problem.message) == (
        "subtask_failed",
        "'a' failed once, last on 'n': broke",
    )


def test_a_stop_cancels_what_runs_and_ends_when_it_has_stopped() -> None:
    machine = begun(PAIR, A, B)
    late = Problem(code="deadline_passed", message="late")
    assert machine.step(Stopped(late)) == [Cancel(A, 1, "stopped"), Cancel(B, 1, "stopped")]
    assert machine.step(Succeeded(A, 1)) == [Accept(A, 1)]  # it was faster than the cancellation
    assert machine.step(Abandoned(B, 1)) == [Finish("failed", late)]


@pytest.mark.parametrize(
    "graph",
    [
        graph_of({"a": ["b"], "b": ["a"]}),
        graph_of({"a": ["a"]}),
        graph_of({"a": [], "b": ["missing"]}),
        TaskGraph(subtasks=(*PAIR.subtasks, *PAIR.subtasks)),
    ],
)
def test_a_graph_that_could_never_finish_is_refused(graph: TaskGraph) -> None:
    with pytest.raises(PlanRejected):
        Machine(graph)


def test_a_stimulus_that_cannot_be_is_a_bug() -> None:
    machine = begun(CHAIN)
    with pytest.raises(ValueError, match="'b' is waiting"):
        machine.step(Placed(B, 1, N))
    with pytest.raises(ValueError, match="was not started"):
        machine.step(Placed(A, 2, N))
    with pytest.raises(ValueError, match="is not running"):
        machine.step(Succeeded(A, 1))
    machine.step(Unplaced(A, "failed", Problem(code="x", message="y")))
    with pytest.raises(ValueError, match="after the end"):
        machine.step(Placed(A, 1, N))


# ── two attempts at once ────────────────────────────────────────────────────────────────────────

M, K = NodeId("m"), NodeId("k")
SLOW = graph_of({"a": [], "b": ["a"]})


def hedged() -> Machine:
    """`a` runs on `n`, and a second attempt on `m`."""
    machine = begun(SLOW, A)
    assert machine.step(Overdue(A, 1)) == [Start(A, 2, "hedge", (), (N,))]
    machine.place(A, "m")
    return machine


def test_the_first_of_two_results_counts_and_the_other_attempt_is_cancelled() -> None:
    machine = hedged()
    assert machine.step(Succeeded(A, 2)) == [Accept(A, 2), Cancel(A, 1, "superseded"), Start(B, 1)]
    assert machine.step(Abandoned(A, 1)) == []
    machine = hedged()
    machine.step(Succeeded(A, 1))
    assert machine.step(Succeeded(A, 2)) == []  # it ended before it could be cancelled
    assert machine.phases == {A: "succeeded", B: "ready"}


def test_one_of_two_attempts_may_fail() -> None:
    machine = hedged()
    assert machine.step(failed(A, attempt=1)) == []
    assert machine.step(Succeeded(A, 2)) == [Accept(A, 2), Start(B, 1)]


def test_where_both_attempts_fail_a_third_is_made_elsewhere() -> None:
    machine = hedged()
    assert machine.step(failed(A, "bad_data", attempt=1, retryable=False)) == []
    again = machine.step(failed(A, attempt=2, node=M))
    assert again == [Start(A, 3, "retry", (N, M))]


def test_a_run_ends_when_the_slower_attempt_has_stopped() -> None:
    machine = begun(graph_of({"a": []}), A)
    machine.step(Overdue(A, 1))
    machine.place(A, "m")
    assert machine.step(Succeeded(A, 2)) == [Accept(A, 2), Cancel(A, 1, "superseded")]
    assert machine.step(Abandoned(A, 1)) == [Finish("succeeded")]


def test_a_hedge_that_finds_no_free_node_was_never_asked_for() -> None:
    machine = begun(SLOW, A)
    before = machine.state
    machine.step(Overdue(A, 1))
    assert machine.step(Overdue(A, 1)) == []
    assert machine.step(Unplaced(A, "failed", Problem(code="no_node_found", message="busy"))) == []
    assert machine.state == before


def test_a_third_attempt_is_made_where_the_second_is_late_too_and_no_fourth() -> None:
    machine = hedged()
    assert machine.step(Overdue(A, 1)) == []
    assert machine.step(Overdue(A, 2)) == [Start(A, 3, "hedge", (), (N, M))]
    machine.place(A, "k")
    assert machine.step(Overdue(A, 3)) == []


def test_nothing_is_hedged_that_must_not_run_twice_or_whose_run_is_ending() -> None:
    assert begun(SLOW, A, once=(A,)).step(Overdue(A, 1)) == []
    machine = begun(graph_of({"a": [], "b": []}), A, B)
    machine.step(failed(B, "bad_data", retryable=False))
    assert machine.step(Overdue(A, 1)) == []  # the run is ending


# ── second opinions ─────────────────────────────────────────────────────────────────────────────


def answered() -> Machine:
    """`n` gave a result for `a` that somebody has to confirm, and `m` is asked."""
    machine = begun(SLOW, A)
    assert machine.step(Succeeded(A, 1, suffices=False)) == [Start(A, 2, "opinion", (), (N,))]
    machine.place(A, "m")
    return machine


def test_a_result_that_another_node_confirms_is_taken() -> None:
    machine = answered()
    confirmed = machine.step(Succeeded(A, 2, suffices=False, agrees_with=(1,)))
    assert confirmed == [Accept(A, 1, (M,)), Start(B, 1)]


def test_of_three_results_the_two_that_agree_count() -> None:
    machine = answered()
    assert machine.step(Succeeded(A, 2, suffices=False)) == [Start(A, 3, "opinion", (), (N, M))]
    machine.place(A, "k")
    decided = machine.step(Succeeded(A, 3, suffices=False, agrees_with=(2,)))
    assert decided == [Accept(A, 2, (K,)), Reject(A, 1), Start(B, 1)]


def test_three_different_results_are_none() -> None:
    machine = answered()
    machine.step(Succeeded(A, 2, suffices=False))
    machine.place(A, "k")
    *rejected, finish = machine.step(Succeeded(A, 3, suffices=False))
    assert rejected == [Reject(A, 1), Reject(A, 2), Reject(A, 3)]
    assert isinstance(finish, Finish)
    assert finish.problem is not None
    assert finish.problem.code == "wrong_result"


def test_a_trusted_node_decides_alone() -> None:
    assert answered().step(Succeeded(A, 2)) == [Accept(A, 2), Reject(A, 1), Start(B, 1)]


def test_where_nobody_else_can_be_asked_the_one_result_is_taken() -> None:
    machine = begun(SLOW, A)
    machine.step(Succeeded(A, 1, suffices=False))
    nobody = Unplaced(A, "failed", Problem(code="no_node_found", message="nobody"))
    assert machine.step(nobody) == [Accept(A, 1), Start(B, 1)]


def test_two_results_without_a_third_are_none() -> None:
    machine = answered()
    machine.step(Succeeded(A, 2, suffices=False))
    problem = Problem(code="over_budget", message="no money")
    *rejected, finish = machine.step(Unplaced(A, "over_budget", problem))
    assert rejected == [Reject(A, 1), Reject(A, 2)]
    assert isinstance(finish, Finish)


def test_an_opinion_that_fails_is_sought_elsewhere() -> None:
    assert answered().step(failed(A, attempt=2, node=M)) == [Start(A, 3, "opinion", (M,), (N,))]
    machine = answered()
    assert machine.step(failed(A, "bad_data", attempt=2, node=M, retryable=False)) == [
        Accept(A, 1),
        Start(B, 1),
    ]


def test_a_stop_takes_the_result_that_was_to_be_confirmed() -> None:
    machine = begun(SLOW, A)
    machine.step(Succeeded(A, 1, suffices=False))
    late = Problem(code="deadline_passed", message="late")
    assert machine.step(Stopped(late)) == [Accept(A, 1), Finish("failed", late)]


# ── random graphs, random outcomes ──────────────────────────────────────────────────────────────


@dataclass
class World:
    """Answers a machine's commands as `data` says, and watches that it keeps the rules."""

    graph: TaskGraph
    machine: Machine
    stimuli: list[Stimulus] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    ready: list[Start] = field(default_factory=list)
    running: dict[SubtaskId, Start] = field(default_factory=dict)
    succeeded: set[SubtaskId] = field(default_factory=set)
    attempts: Counter[SubtaskId] = field(default_factory=Counter)
    end: Finish | None = None

    def tell(self, stimulus: Stimulus) -> None:
        assert self.end is None, "a command after the end"
        self.stimuli.append(stimulus)
        for command in self.machine.step(stimulus):
            self.commands.append(command)
            match command:
                case Start():
                    assert self.graph.by_id[command.subtask].needs <= self.succeeded
                    assert command.subtask not in self.succeeded | self.running.keys()
                    self.attempts[command.subtask] += 1
                    assert command.attempt == self.attempts[command.subtask] <= MAX_ATTEMPTS
                    self.ready.append(command)
                case Accept():
                    assert command.subtask not in self.succeeded
                    self.succeeded.add(command.subtask)
                case Cancel():
                    assert command.subtask in self.running
                case Reject():
                    raise AssertionError("nobody was asked for an opinion")
                case Finish():
                    assert not self.running
                    self.end = command

    def react(self, data: st.DataObject) -> None:
        if self.ready and not self.machine.state.is_ending and (not self.running or data.draw(st.booleans())):
            start = self.ready.pop(data.draw(st.integers(0, len(self.ready) - 1)))
            if data.draw(st.integers(0, 19)) == 0:
                self.tell(Unplaced(start.subtask, "over_budget", Problem(code="over_budget", message="x")))
                return
            self.running[start.subtask] = start
            self.tell(Placed(start.subtask, start.attempt, N))
            return
        subtask = data.draw(st.sampled_from(sorted(self.running)))
        start = self.running.pop(subtask)
        outcome = data.draw(st.sampled_from(["ok"] * 6 + ["lost", "raised", "bad", "stop", "gone"]))
        match outcome:
            case "ok":
                self.tell(Succeeded(subtask, start.attempt))
            case "stop":
                self.running[subtask] = start
                self.tell(Stopped(Problem(code="deadline_passed", message="x")))
            case "gone":
                self.tell(Abandoned(subtask, start.attempt))
            case _:
                code = {"lost": "node_unreachable", "raised": "remote_failure", "bad": "bad_data"}[outcome]
                self.tell(failed(subtask, code, attempt=start.attempt, retryable=outcome != "bad"))


@given(graph=task_graphs(), data=st.data())
def test_subtasks_start_after_their_inputs_and_the_end_comes_once_and_last(
    graph: TaskGraph, data: st.DataObject
) -> None:
    done = {s.id for s in graph.subtasks if not s.needs and data.draw(st.booleans())}
    world = World(graph, Machine(graph, done=done), succeeded=set(done))
    world.tell(Begun())
    for _ in range(1000):
        if world.end is not None:
            break
        world.react(data)
    assert world.end is not None
    everything = {s.id for s in graph.subtasks}
    assert (world.end.status == "succeeded") == (world.succeeded == everything)
    ok: Status = "succeeded"
    assert (world.end.problem is None) == (world.end.status == ok)
    with pytest.raises(ValueError, match="after the end"):
        world.machine.step(Begun())

    again = Machine(graph, done=done)
    replayed = [command for stimulus in world.stimuli for command in again.step(stimulus)]
    assert replayed == world.commands
    assert again.state == world.machine.state


@given(graph=task_graphs(), data=st.data())
def test_without_failures_everything_runs_exactly_once(graph: TaskGraph, data: st.DataObject) -> None:
    world = World(graph, Machine(graph))
    world.tell(Begun())
    while world.end is None:
        if world.ready:
            start = world.ready.pop(data.draw(st.integers(0, len(world.ready) - 1)))
            world.tell(Placed(start.subtask, start.attempt, N))
            world.tell(Succeeded(start.subtask, start.attempt))
    assert world.end == Finish("succeeded")
    assert world.attempts == {s.id: 1 for s in graph.subtasks}


# ── graphs that grow ────────────────────────────────────────────────────────────────────────────


def growing(graph: TaskGraph = TaskGraph(subtasks=())) -> Machine:  # noqa: B008  # frozen
    return Machine(graph, is_complete=False)


def test_a_graph_that_may_grow_does_not_succeed_before_it_is_complete() -> None:
    machine = growing(graph_of({"a": []}))
    assert machine.step(Begun()) == [Start(A, 1)]
    machine.place(A)
    assert machine.step(Succeeded(A, 1)) == [Accept(A, 1)]
    assert machine.step(Grown(graph_of({"b": ["a"]}).subtasks)) == [Start(B, 1)]
    machine.place(B)
    assert machine.step(Succeeded(B, 1)) == [Accept(B, 1)]
    assert machine.step(Grown((), is_complete=True)) == [Finish("succeeded")]


def test_what_is_new_waits_for_what_is_running() -> None:
    machine = growing(graph_of({"a": []}))
    machine.step(Begun())
    machine.place(A)
    assert machine.step(Grown(graph_of({"b": ["a"]}).subtasks, is_complete=True)) == []
    assert machine.step(Succeeded(A, 1)) == [Accept(A, 1), Start(B, 1)]


def test_what_is_new_and_done_is_not_started() -> None:
    machine = growing()
    machine.step(Begun())
    new = graph_of({"a": [], "b": ["a"]}).subtasks
    assert machine.step(Grown(new, done=frozenset({A}), is_complete=True)) == [Start(B, 1)]


def test_a_failure_ends_a_graph_that_is_not_complete() -> None:
    machine = growing(graph_of({"a": []}))
    machine.step(Begun())
    machine.place(A)
    (finish,) = machine.step(failed(A, "bad_data", retryable=False))
    assert isinstance(finish, Finish)
    assert finish.failed == A


def test_after_a_failure_what_is_new_does_not_start() -> None:
    machine = growing(PAIR)
    machine.step(Begun())
    machine.place(A)
    machine.place(B)
    machine.step(failed(A, "bad_data", retryable=False))
    assert machine.step(Grown(graph_of({"c": []}).subtasks, is_complete=True)) == []
    accept, finish = machine.step(Succeeded(B, 1))
    assert accept == Accept(B, 1)
    assert isinstance(finish, Finish)


@pytest.mark.parametrize(
    "new",
    [
        graph_of({"a": []}),
        graph_of({"b": ["missing"]}),
        graph_of({"b": ["c"], "c": ["b"]}),
        graph_of({"b": ["b"]}),
    ],
)
def test_growth_that_could_never_finish_is_refused(new: TaskGraph) -> None:
    machine = growing(graph_of({"a": []}))
    machine.step(Begun())
    with pytest.raises(PlanRejected):
        machine.step(Grown(new.subtasks))


def test_a_complete_graph_does_not_grow() -> None:
    machine = begun(PAIR)
    with pytest.raises(ValueError, match="does not grow"):
        machine.step(Grown(graph_of({"c": []}).subtasks))


@given(graph=task_graphs(), data=st.data())
def test_however_a_graph_comes_its_subtasks_start_after_their_inputs_and_end_once(
    graph: TaskGraph, data: st.DataObject
) -> None:
    ordered: list[Subtask] = []
    while len(ordered) < len(graph.subtasks):
        there = {s.id for s in ordered}
        ordered += [s for s in graph.subtasks if s.id not in there and s.needs <= there]
    cuts = sorted({0, len(ordered), *data.draw(st.lists(st.integers(0, len(ordered))))})
    parts = [tuple(ordered[a:b]) for a, b in pairwise(cuts)]
    done = frozenset(s.id for s in graph.subtasks if not s.needs and data.draw(st.booleans()))
    world = World(graph, growing(), succeeded={*done})
    world.tell(Begun())
    while world.end is None:
        if parts and (not (world.ready or world.running) or data.draw(st.booleans())):
            part, *parts = parts
            world.tell(Grown(part, done=done, is_complete=not parts))
        else:
            world.react(data)
    if world.end.status == "succeeded":
        assert not parts
        assert world.succeeded == {s.id for s in graph.subtasks}
    with pytest.raises(ValueError, match="after the end"):
        world.machine.step(Grown(()))
