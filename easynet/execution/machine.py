"""What happens next in a task graph: a state machine without I/O, clock or await.

Stimuli go in, commands come out; the same stimuli give the same commands. The rules:

- A subtask may start when all subtasks whose outputs it reads have succeeded.
- An error that says so (`retryable`) is tried again, at most `MAX_ATTEMPTS` times in all and at most
  `MAX_ATTEMPTS_A_NODE` times on one node; a function that raised (`remote_failure`) gets one more chance.
- A subtask that must not run twice is sent again only if nobody took it (`not_started`, `node_refused`,
  `overloaded`).
- Once a subtask has failed for good, asked a question or run out of money, nothing new starts, because no
  plan succeeds without all of its subtasks. What is running goes on to its end, so that its result is kept.
- A stop from outside (the deadline) cancels what is running as well.
- A graph may grow while it runs; the execution does not succeed before the graph is complete.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from easynet.core.errors import PlanRejected, SubtaskFailed
from easynet.core.events import Problem, Question, Status
from easynet.core.ids import NodeId, SubtaskId
from easynet.core.language import Language, say
from easynet.core.task_graph import Subtask, TaskGraph

MAX_ATTEMPTS = 4
MAX_ATTEMPTS_A_NODE = 2
_MAX_REMOTE_FAILURES = 2
NEVER_RAN = frozenset({"not_started", "node_refused", "overloaded"})
"""Codes of attempts that nobody took."""

Phase = Literal["waiting", "ready", "running", "succeeded", "failed"]
"""`waiting` for other subtasks; `ready` to be given to a node."""


@dataclass(frozen=True)
class Begun:
    """The execution begins."""


@dataclass(frozen=True)
class Grown:
    """The graph has more subtasks; they read each other and those that were there."""

    subtasks: tuple[Subtask, ...]
    done: frozenset[SubtaskId] = frozenset()
    """Those that have results already."""
    once: frozenset[SubtaskId] = frozenset()
    """Those that must not run twice."""
    uncertain: frozenset[SubtaskId] = frozenset()
    """Those that may have run earlier."""
    is_complete: bool = False
    """No more will come."""


@dataclass(frozen=True)
class Placed:
    """A ready subtask was given to a node."""

    subtask: SubtaskId


@dataclass(frozen=True)
class Succeeded:
    """A running subtask has its result in the journal."""

    subtask: SubtaskId


@dataclass(frozen=True)
class Failed:
    """A running subtask's attempt failed."""

    subtask: SubtaskId
    node: NodeId
    problem: Problem
    retryable: bool
    question: Question | None = None
    """What the function asked, where that is why it failed."""


@dataclass(frozen=True)
class Unplaced:
    """No node can be given a ready subtask."""

    subtask: SubtaskId
    status: Status
    problem: Problem
    question: Question | None = None


@dataclass(frozen=True)
class Stopped:
    """The time is over."""

    problem: Problem


@dataclass(frozen=True)
class Abandoned:
    """A running subtask's attempt was cancelled."""

    subtask: SubtaskId


Stimulus = Begun | Grown | Placed | Succeeded | Failed | Unplaced | Stopped | Abandoned


@dataclass(frozen=True)
class Start:
    """Give the subtask to a node, rather to one that has not failed it."""

    subtask: SubtaskId
    attempt: int
    failed_on: tuple[NodeId, ...] = ()
    """The nodes of the earlier attempts."""


@dataclass(frozen=True)
class Cancel:
    """Stop the running attempt of the subtask."""

    subtask: SubtaskId


@dataclass(frozen=True)
class Finish:
    """Nothing is running and nothing will start. The last command, exactly once."""

    status: Status
    problem: Problem | None = None
    question: Question | None = None
    failed: SubtaskId | None = None


Command = Start | Cancel | Finish


class Machine:
    """The state of one execution of a task graph."""

    def __init__(
        self,
        graph: TaskGraph,
        *,
        done: Collection[SubtaskId] = (),
        once: Collection[SubtaskId] = (),
        uncertain: Collection[SubtaskId] = (),
        attempts: Mapping[SubtaskId, int] | None = None,
        language: Language = "en",
        is_complete: bool = True,
    ) -> None:
        """Take up a graph of which `done` have results already.

        `once` must not run twice; `uncertain` were sent earlier and may have run; `attempts` were made
        earlier. The graph may grow unless it `is_complete`. Raises PlanRejected where it could never finish.
        """
        self.phases: dict[SubtaskId, Phase] = {}
        self._language: Language = language
        self._once = frozenset(once)
        self._uncertain = frozenset(uncertain)
        self._attempts = dict(attempts or {})
        self._failures: dict[SubtaskId, list[Failed]] = {}
        self._readers: dict[SubtaskId, list[SubtaskId]] = {}
        self._missing: dict[SubtaskId, int] = {}
        self._left = 0
        self._running = 0
        self._is_complete = is_complete
        self._verdict: Finish | None = None
        self._is_over = False
        self._add(graph.subtasks, done)

    @property
    def is_ending(self) -> bool:
        """Whether nothing new may start."""
        return self._verdict is not None

    def step(self, stimulus: Stimulus) -> list[Command]:
        """Take note of what happened, and say what to do."""
        if self._is_over:
            raise ValueError(f"{stimulus} after the end")
        match stimulus:
            case Begun():
                commands = self._release([s for s, n in self._missing.items() if n == 0])
            case Grown(subtasks, done, once, uncertain, is_complete):
                if self._is_complete:
                    raise ValueError("a complete graph does not grow")
                self._once |= once
                self._uncertain |= uncertain
                self._is_complete = is_complete
                self._add(subtasks, done)
                commands = self._release([s.id for s in subtasks if self._missing[s.id] == 0])
            case Placed(subtask):
                self._move(subtask, "ready", "running")
                self._running += 1
                return []
            case Succeeded(subtask):
                commands = self._succeed(subtask)
            case Failed():
                commands = self._fail(stimulus)
            case Unplaced(subtask, status, problem, question):
                self._move(subtask, "ready", "failed")
                if subtask in self._failures and status == "failed":
                    problem = self._diagnosis(self._failures[subtask][-1])
                commands = self._end(Finish(status, problem, question, subtask))
            case Stopped(problem):
                commands = self._end(Finish("failed", problem))
                commands += [Cancel(s) for s, phase in self.phases.items() if phase == "running"]
            case Abandoned(subtask):
                self._move(subtask, "running", "failed")
                self._running -= 1
                cancelled = Problem(code="cancelled", message=f"the attempt at {subtask!r} was cancelled")
                commands = self._end(Finish("failed", cancelled, None, subtask))
        return commands + self._finish()

    def _release(self, candidates: Collection[SubtaskId]) -> list[Command]:
        if self.is_ending:
            return []
        commands: list[Command] = []
        for subtask in candidates:
            if self.phases[subtask] != "waiting":
                continue
            if subtask in self._once and subtask in self._uncertain:
                self.phases[subtask] = "failed"
                message = say(
                    self._language,
                    f"{subtask!r} must not run twice, and an earlier attempt at it may have run",
                    f"{subtask!r} 不能运行两次，而之前的一次尝试可能已经运行",
                )
                problem = Problem(code=SubtaskFailed.code, message=message)
                return self._end(Finish("failed", problem, None, subtask))
            self.phases[subtask] = "ready"
            commands.append(self._start(subtask))
        return commands

    def _start(self, subtask: SubtaskId) -> Start:
        attempt = self._attempts[subtask] = self._attempts.get(subtask, 0) + 1
        return Start(subtask, attempt, tuple(f.node for f in self._failures.get(subtask, ())))

    def _succeed(self, subtask: SubtaskId) -> list[Command]:
        self._move(subtask, "running", "succeeded")
        self._running -= 1
        self._left -= 1
        freed: list[SubtaskId] = []
        for reader in self._readers[subtask]:
            self._missing[reader] -= 1
            if self._missing[reader] == 0:
                freed.append(reader)
        return self._release(freed)

    def _fail(self, failure: Failed) -> list[Command]:
        subtask = failure.subtask
        self._failures.setdefault(subtask, []).append(failure)
        self._running -= 1
        if not self.is_ending and self._may_retry(failure):
            self._move(subtask, "running", "ready")
            return [self._start(subtask)]
        self._move(subtask, "running", "failed")
        status: Status = "needs_input" if failure.question is not None else "failed"
        return self._end(Finish(status, self._diagnosis(failure), failure.question, subtask))

    def _may_retry(self, failure: Failed) -> bool:
        if failure.subtask in self._once and failure.problem.code not in NEVER_RAN:
            return False
        codes = [f.problem.code for f in self._failures[failure.subtask]]
        is_spent = len(codes) >= MAX_ATTEMPTS or codes.count("remote_failure") >= _MAX_REMOTE_FAILURES
        return failure.retryable and not is_spent

    def _diagnosis(self, failure: Failed) -> Problem:
        if not failure.retryable:
            return failure.problem
        count = len(self._failures[failure.subtask])
        times = "once" if count == 1 else f"{count} times"
        who, where, why = repr(failure.subtask), repr(failure.node), failure.problem.message
        message = say(
            self._language,
            f"{who} failed {times}, last on {where}: {why}",
            f"{who} 失败了 {count} 次，最后一次在 {where} 上：{why}",
        )
        if failure.subtask in self._once and failure.problem.code not in NEVER_RAN:
            message += say(
                self._language,
                " (it may have run there and must not run twice, so it was not sent again)",
                "（它可能已经在那里运行过，且不能运行两次，因此没有再次发送）",
            )
        return Problem(code=SubtaskFailed.code, message=message, hint=failure.problem.hint)

    def _end(self, verdict: Finish) -> list[Command]:
        self._verdict = self._verdict or verdict
        return []

    def _finish(self) -> list[Command]:
        if self._left == 0 and self._is_complete:
            self._verdict = Finish("succeeded")  # even where a stop came, and came too late
        if self._running or self._verdict is None:
            return []
        self._is_over = True
        return [self._verdict]

    def _move(self, subtask: SubtaskId, before: Phase, after: Phase) -> None:
        if self.phases.get(subtask) != before:
            raise ValueError(f"{subtask!r} is {self.phases.get(subtask)}, so it cannot become {after}")
        self.phases[subtask] = after

    def _add(self, subtasks: Sequence[Subtask], done: Collection[SubtaskId]) -> None:
        new = {s.id: s for s in subtasks}
        if len(new) < len(subtasks) or not new.keys().isdisjoint(self.phases):
            raise PlanRejected(["two subtasks have one name"])
        self.phases.update((i, "succeeded" if i in done else "waiting") for i in new)
        self._readers.update((i, []) for i in new)
        for subtask in subtasks:
            missing = [n for n in subtask.needs if n not in done and self.phases.get(n) != "succeeded"]
            self._missing[subtask.id] = len(missing)
            for needed in missing:
                if needed not in self._readers:
                    raise PlanRejected([f"{subtask.id!r} reads {needed!r}, which is not in the plan"])
                self._readers[needed].append(subtask.id)
        self._left += sum(self.phases[i] != "succeeded" for i in new)
        self._check(new)

    def _check(self, new: Mapping[SubtaskId, Subtask]) -> None:
        """Nothing that was there waits for what is new, so a circle is among the new subtasks."""
        waiting = TaskGraph(subtasks=tuple(s for i, s in new.items() if self.phases[i] == "waiting"))
        free = {s.id for s in waiting.in_order}
        if stuck := [s.id for s in waiting.subtasks if s.id not in free]:
            raise PlanRejected([f"{', '.join(map(repr, stuck[:3]))} wait for each other"])
