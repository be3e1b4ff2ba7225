"""Jobs for a market: task graphs of three shapes, and when they come."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from easynet.core.ids import CapabilityName, RunId, SubtaskId
from easynet.core.task_graph import FromSubtask, Gathered, Given, Subtask, TaskGraph
from evals.simulation.chance import Chance

TASKS = 30
RATE = 0.05
"""Jobs a second."""
_CHAINS = 5
_WIDTHS = (13, 14)
"""Of the two forks of a fork-join graph."""


@dataclass(frozen=True)
class Job:
    """A graph that somebody wants to be run."""

    run: RunId
    at: float
    """When it comes."""
    graph: TaskGraph
    work: float
    """Seconds of the longest path at speed 1."""


Needs = Sequence[Sequence[int]]
"""Which earlier subtasks each subtask of a graph reads."""


def jobs(
    chance: Chance,
    count: int,
    work: Mapping[CapabilityName, float],
    shape: Needs | None = None,
    rate: float = RATE,
) -> list[Job]:
    """Jobs that come at random times (Poisson); subtasks have names of their own.

    Each has one of three shapes, unless all are to have one.
    """
    made: list[Job] = []
    at = 0.0
    for number in range(count):
        of = chance.of("job", number)
        at += of.expovariate(rate)
        needs = shape or of.choice((_layered, _fork_join, _chains))(of)
        graph = _graph(number, needs, of, sorted(work))
        made.append(Job(RunId(f"job-{number:03d}"), at, graph, longest(graph, work)))
    return made


def longest(graph: TaskGraph, work: Mapping[CapabilityName, float]) -> float:
    """The work on the longest path through a graph."""
    ends: dict[SubtaskId, float] = {}
    for subtask in graph.in_order:
        ends[subtask.id] = max((ends[n] for n in subtask.needs), default=0.0) + work[subtask.capability]
    return max(ends.values())


def _layered(of: random.Random) -> list[list[int]]:
    """Layers of 2 to 6; each subtask reads one to three of the layer before."""
    layers: list[list[int]] = []
    needs: list[list[int]] = []
    while len(needs) < TASKS:
        width = min(of.randint(2, 6), TASKS - len(needs))
        before = layers[-1] if layers else []
        layers.append([*range(len(needs), len(needs) + width)])
        needs += [sorted(of.sample(before, min(len(before), of.randint(1, 3)))) for _ in range(width)]
    return needs


def _fork_join(of: random.Random) -> list[list[int]]:
    needs: list[list[int]] = [[]]
    for width in _WIDTHS:
        fork = len(needs) - 1
        needs += [[fork]] * width
        needs.append([*range(fork + 1, fork + 1 + width)])
    return needs


def _chains(of: random.Random) -> list[list[int]]:
    return [[] if n < _CHAINS else [n - _CHAINS] for n in range(TASKS)]


def _graph(job: int, needs: Needs, of: random.Random, names: Sequence[CapabilityName]) -> TaskGraph:
    ids = [SubtaskId(f"task-{job:03d}-{n:02d}") for n in range(len(needs))]
    return TaskGraph(
        subtasks=tuple(
            Subtask(
                id=ids[n],
                capability=of.choice(names),
                arguments={
                    "read": Gathered(items=tuple(FromSubtask(subtask=ids[m]) for m in needed))
                    if needed
                    else Given(value=f"subject {n}")
                },
            )
            for n, needed in enumerate(needs)
        )
    )
