from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import PlanRejected
from easynet.core.events import Problem, Question, Status
from easynet.core.ids import NodeId, SubtaskId
from easynet.core.language import Language
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.machine import (
    MAX_ATTEMPTS,
    Abandoned,
    Begun,
    Cancel,
    Command,
    Failed,
    Finish,
    Grown,
    Machine,
    Placed,
    Start,
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


def failed(
    subtask: SubtaskId, code: str = "node_unreachable", *, retryable: bool = True, node: NodeId = N
) -> Failed:
    return Failed(subtask, node, Problem(code=code, message="broke", hint="do"), retryable)


def begun(graph: TaskGraph, *placed: SubtaskId, once: tuple[SubtaskId, ...] = ()) -> Machine:
    machine = Machine(graph, once=once)
    machine.step(Begun())
    for subtask in placed:
        machine.step(Placed(subtask))
    return machine


def test_a_chain_runs_one_after_another_and_succeeds() -> None:
    machine = Machine(CHAIN)
    assert machine.step(Begun()) == [Start(A, 1)]
    for subtask, then in ((A, [Start(B, 1)]), (B, [Start(C, 1)]), (C, [Finish("succeeded")])):
        assert machine.step(Placed(subtask)) == []
        assert machine.step(Succeeded(subtask)) == then


def test_an_empty_plan_and_a_plan_that_is_done_succeed_at_once() -> None:
    assert Machine(TaskGraph(subtasks=())).step(Begun()) == [Finish("succeeded")]
    assert Machine(CHAIN, done=[A, B, C]).step(Begun()) == [Finish("succeeded")]


def test_what_is_done_is_not_started_again() -> None:
    assert Machine(CHAIN, done=[A]).step(Begun()) == [Start(B, 1)]


def test_a_result_of_an_earlier_plan_may_be_read() -> None:
    assert Machine(graph_of({"b": ["a"]}), done=[A]).step(Begun()) == [Start(B, 1)]


def test_attempts_are_counted_on_from_earlier_processes() -> None:
    assert Machine(PAIR, attempts={A: 3}).step(Begun()) == [Start(A, 4), Start(B, 1)]


def test_a_retryable_failure_is_tried_again_rather_elsewhere() -> None:
    machine = begun(PAIR, A)
    assert machine.step(failed(A)) == [Start(A, 2, (N,))]


def test_a_subtask_is_given_up_after_its_last_attempt_with_a_diagnosis() -> None:
    machine = begun(graph_of({"a": []}))
    for attempt in range(1, MAX_ATTEMPTS):
        machine.step(Placed(A))
        assert machine.step(failed(A)) == [Start(A, attempt + 1, (N,) * attempt)]
    machine.step(Placed(A))
    (finish,) = machine.step(failed(A))
    assert isinstance(finish, Finish)
    assert (finish.status, finish.failed) == ("failed", A)
    assert finish.problem == Problem(
        code="subtask_failed", message="'a' failed 4 times, last on 'n': broke", hint="do"
    )


def test_a_function_that_raises_gets_one_more_chance() -> None:
    machine = begun(graph_of({"a": []}), A)
    assert machine.step(failed(A, "remote_failure")) == [Start(A, 2, (N,))]
    machine.step(Placed(A))
    (finish,) = machine.step(failed(A, "remote_failure"))
    assert isinstance(finish, Finish)


def test_an_error_that_is_not_retryable_ends_it_as_it_is() -> None:
    machine = begun(graph_of({"a": []}), A)
    problem = Problem(code="bad_data", message="broke", hint="do")
    assert machine.step(failed(A, "bad_data", retryable=False)) == [Finish("failed", problem, None, A)]


def test_a_question_ends_it_as_one() -> None:
    machine = begun(graph_of({"a": []}), A)
    question = Question(name="target", text="Which column?")
    problem = Problem(code="input_needed", message="Which column?")
    commands = machine.step(Failed(A, N, problem, False, question))
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
    assert machine.step(failed(A, code)) == [Start(A, 2, (N,))]


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
    assert machine.is_ending
    (finish,) = machine.step(Succeeded(B))
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
    assert machine.step(Stopped(late)) == [Cancel(A), Cancel(B)]
    assert machine.step(Succeeded(A)) == []  # it was faster than the cancellation
    assert machine.step(Abandoned(B)) == [Finish("failed", late)]


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
        machine.step(Placed(B))
    machine.step(Unplaced(A, "failed", Problem(code="x", message="y")))
    with pytest.raises(ValueError, match="after the end"):
        machine.step(Placed(A))


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
                case Cancel():
                    assert command.subtask in self.running
                case Finish():
                    assert not self.running
                    self.end = command

    def react(self, data: st.DataObject) -> None:
        if self.ready and not self.machine.is_ending and (not self.running or data.draw(st.booleans())):
            start = self.ready.pop(data.draw(st.integers(0, len(self.ready) - 1)))
            if data.draw(st.integers(0, 19)) == 0:
                self.tell(Unplaced(start.subtask, "over_budget", Problem(code="over_budget", message="x")))
                return
            self.running[start.subtask] = start
            self.tell(Placed(start.subtask))
            return
        subtask = data.draw(st.sampled_from(sorted(self.running)))
        del self.running[subtask]
        outcome = data.draw(st.sampled_from(["ok"] * 6 + ["lost", "raised", "bad", "stop", "gone"]))
        match outcome:
            case "ok":
                self.succeeded.add(subtask)
                self.tell(Succeeded(subtask))
            case "stop":
                self.running[subtask] = Start(subtask, 0)
                self.tell(Stopped(Problem(code="deadline_passed", message="x")))
            case "gone":
                self.tell(Abandoned(subtask))
            case _:
                code = {"lost": "node_unreachable", "raised": "remote_failure", "bad": "bad_data"}[outcome]
                self.tell(failed(subtask, code, retryable=outcome != "bad"))


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
    assert again.phases == world.machine.phases


@given(graph=task_graphs(), data=st.data())
def test_without_failures_everything_runs_exactly_once(graph: TaskGraph, data: st.DataObject) -> None:
    world = World(graph, Machine(graph))
    world.tell(Begun())
    while world.end is None:
        if world.ready:
            start = world.ready.pop(data.draw(st.integers(0, len(world.ready) - 1)))
            world.tell(Placed(start.subtask))
            world.succeeded.add(start.subtask)
            world.tell(Succeeded(start.subtask))
    assert world.end == Finish("succeeded")
    assert world.attempts == {s.id: 1 for s in graph.subtasks}


# ── graphs that grow ────────────────────────────────────────────────────────────────────────────


def growing(graph: TaskGraph = TaskGraph(subtasks=())) -> Machine:  # noqa: B008  # frozen
    return Machine(graph, is_complete=False)


def test_a_graph_that_may_grow_does_not_succeed_before_it_is_complete() -> None:
    machine = growing(graph_of({"a": []}))
    assert machine.step(Begun()) == [Start(A, 1)]
    machine.step(Placed(A))
    assert machine.step(Succeeded(A)) == []
    assert machine.step(Grown(graph_of({"b": ["a"]}).subtasks)) == [Start(B, 1)]
    machine.step(Placed(B))
    assert machine.step(Succeeded(B)) == []
    assert machine.step(Grown((), is_complete=True)) == [Finish("succeeded")]


def test_what_is_new_waits_for_what_is_running() -> None:
    machine = growing(graph_of({"a": []}))
    machine.step(Begun())
    machine.step(Placed(A))
    assert machine.step(Grown(graph_of({"b": ["a"]}).subtasks, is_complete=True)) == []
    assert machine.step(Succeeded(A)) == [Start(B, 1)]


def test_what_is_new_and_done_is_not_started() -> None:
    machine = growing()
    machine.step(Begun())
    new = graph_of({"a": [], "b": ["a"]}).subtasks
    assert machine.step(Grown(new, done=frozenset({A}), is_complete=True)) == [Start(B, 1)]


def test_a_failure_ends_a_graph_that_is_not_complete() -> None:
    machine = growing(graph_of({"a": []}))
    machine.step(Begun())
    machine.step(Placed(A))
    (finish,) = machine.step(failed(A, "bad_data", retryable=False))
    assert isinstance(finish, Finish)
    assert finish.failed == A


def test_after_a_failure_what_is_new_does_not_start() -> None:
    machine = growing(PAIR)
    machine.step(Begun())
    machine.step(Placed(A))
    machine.step(Placed(B))
    machine.step(failed(A, "bad_data", retryable=False))
    assert machine.step(Grown(graph_of({"c": []}).subtasks, is_complete=True)) == []
    (finish,) = machine.step(Succeeded(B))
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
