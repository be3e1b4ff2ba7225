"""Plans around what failed, the least changed first: other nodes, a substitute, another chain."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Literal

from pydantic import JsonValue

from easynet.core.capability import Capability
from easynet.core.ids import SubtaskId
from easynet.core.task_graph import Given, Subtask, TaskGraph, sources
from easynet.planners.chaining import Wish
from easynet.planners.literals import literals
from easynet.planners.plan_shape import before, behind, renamed, work_of
from easynet.planners.regrowing import (
    Ground,
    Wanted,
    drops_what_was_said,
    fresh,
    kept_arguments,
    rerouted,
)
from easynet.planners.retrieval import Index
from easynet.planners.run_state import RunState
from easynet.planners.substitutes import path_to, substitutes

How = Literal["other_nodes", "substitute", "other_chain", "new_plan"]
"""What a repair changes, from little to all that is not finished."""

_MOST_COMBINATIONS = 20


@dataclass(frozen=True)
class _Plan:
    """A plan in the making, and the subtasks that it is made for."""

    graph: TaskGraph
    wanted: frozenset[SubtaskId]

    @property
    def pruned(self) -> TaskGraph:
        """Without what nothing needs any longer."""
        needed = before(self.graph, self.wanted)
        subtasks = tuple(s for s in self.graph.subtasks if s.id in needed)
        return TaskGraph(subtasks=subtasks, outputs=self.graph.outputs)


@dataclass(frozen=True)
class Repairs:
    """What could take the place of a failed plan, without asking a planner."""

    state: RunState

    def all(self) -> Iterator[tuple[How, TaskGraph]]:
        """Every candidate, lazily, in the order in which they are to be preferred; none is checked yet."""
        yield from self._substituted()
        yield from self._rechained()

    def merged(self, plan: TaskGraph) -> TaskGraph:
        """A whole new plan, with the finished subtasks in the place of those that do the same work."""
        old, finished = self.state.whole, self.state.finished.keys()
        work = work_of(old)
        there = {work[s.id]: s.id for s in old.subtasks if s.id in finished and s.id in work}
        digests = work_of(plan)
        names: dict[SubtaskId, SubtaskId] = {}
        new: list[Subtask] = []
        for subtask in plan.in_order:
            same = there.get(digests[subtask.id])
            taken = {*self._spent, *names.values(), *(plan.by_id.keys() - {subtask.id})}
            names[subtask.id] = same or fresh(subtask.id, taken)
            if same is None:
                new.append(renamed(subtask, names))
        kept = before(old, finished & {*names.values()})
        outputs = tuple(dict.fromkeys(names.get(o, o) for o in plan.outputs))
        return TaskGraph(subtasks=(*(s for s in old.subtasks if s.id in kept), *new), outputs=outputs)

    @cached_property
    def _spent(self) -> frozenset[SubtaskId]:
        """Ids that a new subtask must not have: they stand for other work already."""
        return frozenset(self.state.finished) | {f.subtask.id for f in self.state.failures}

    # ── substitutes ─────────────────────────────────────────────────────────────────────────────

    def _substituted(self) -> Iterator[tuple[How, TaskGraph]]:
        state = self.state
        lost = [s for s in state.whole.in_order if s in state.lost]
        options = [self._options(s) for s in lost]
        for choice in islice(product(*options), _MOST_COMBINATIONS):
            plan: _Plan | None = _Plan(state.whole, state.wanted)
            for subtask, by in zip(lost, choice, strict=True):
                if by is not None and plan is not None:
                    plan = self._with(plan, plan.graph.by_id[subtask.id], by)
            if plan is not None:
                yield ("substitute" if any(choice) else "other_nodes"), plan.pruned

    def _options(self, subtask: Subtask) -> list[Capability | None]:
        """What may do a subtask's work; None stands for the same at other nodes."""
        state = self.state
        failed = state.catalogue.get(subtask.capability)
        stays: list[Capability | None] = [None] if state.is_usable(subtask.capability) else []
        if failed is None:
            return stays
        catalogue = [*state.catalogue.values()]
        usable = (c.name for c in catalogue if state.is_usable(c.name))
        found = substitutes(failed, catalogue, usable, is_wanted=subtask.id in state.wanted)
        return [*stays, *(s.capability for s in found)]

    def _with(self, plan: _Plan, lost: Subtask, by: Capability) -> _Plan | None:
        """The plan with one subtask replaced; nothing where that cannot be."""
        state, graph = self.state, plan.graph
        standing = self._standing(graph, behind(graph, [lost.id]))
        failed = state.catalogue[lost.capability]
        settled = kept_arguments(lost, failed, by, standing)
        paths = _paths(graph, lost, by, failed)
        if paths is None or drops_what_was_said(lost, settled, state.request.input_names):
            return None
        id_ = fresh(by.name, {*graph.by_id, *state.whole.by_id, *self._spent})
        grown = Ground(standing, (), self._wish).grown([Wanted(id_, by, settled)], lambda c: id_)
        if grown is None:
            return None
        [new] = grown
        twin = next((s for s in graph.subtasks if s.id in standing and _is_same(s, new)), None)
        names = {lost.id: twin.id if twin else new.id}
        subtasks = [
            new if s is lost else rerouted(s, lost.id, names[lost.id], paths) if lost.id in s.needs else s
            for s in graph.subtasks
            if twin is None or s is not lost
        ]
        outputs = tuple(dict.fromkeys(names.get(o, o) for o in graph.outputs))
        wanted = frozenset(names.get(w, w) for w in plan.wanted)
        return _Plan(TaskGraph(subtasks=tuple(subtasks), outputs=outputs), wanted)

    # ── another chain ───────────────────────────────────────────────────────────────────────────

    def _rechained(self) -> Iterator[tuple[How, TaskGraph]]:
        """The goals that are still to be reached, chained anew from what stands."""
        state, graph = self.state, self.state.whole
        lost = {s.id for s in state.lost}
        gone = behind(graph, lost)
        goals = [s for s in graph.subtasks if s.id in gone & state.wanted]
        if any(s.id in lost or s.capability not in state.catalogue for s in goals):
            return  # what was asked for itself cannot be done
        standing = self._standing(graph, gone)
        others = [c for c in state.request.catalogue if state.is_usable(c.name)]
        wanted = [
            Wanted(s.id, c, kept_arguments(s, c, c, standing))
            for s in goals
            for c in [state.catalogue[s.capability]]
        ]
        again = {s.capability: s.id for s in graph.subtasks if s.id in gone - lost - state.wanted}
        taken = {*standing, *self._spent, *(s.id for s in goals)}

        def name(capability: Capability) -> SubtaskId:
            id_ = again.pop(capability.name, None) or fresh(capability.name, {*taken, *again.values()})
            taken.add(id_)
            return id_

        grown = Ground(standing, others, self._wish).grown(wanted, name)
        if grown is not None:
            stays = (s for s in graph.subtasks if s.id in standing)
            found = TaskGraph(subtasks=(*stays, *grown), outputs=graph.outputs)
            yield "other_chain", _Plan(found, state.wanted).pruned

    def _standing(self, graph: TaskGraph, gone: frozenset[SubtaskId]) -> dict[SubtaskId, Capability]:
        """The subtasks that are not gone, each with what it calls."""
        known = self.state.catalogue
        return {
            s.id: known[s.capability] for s in graph.subtasks if s.id not in gone and s.capability in known
        }

    @cached_property
    def _wish(self) -> Wish:
        request = self.state.request
        hits = Index(request.catalogue).search(request.parsed.text)
        return Wish(
            relevance={h.capability.name: h.score for h in hits},
            inputs=request.input_names,
            sample_fits=lambda sample: False,
            literals=self._stated,
        )

    def _stated(self, capability: Capability) -> Mapping[str, JsonValue]:
        """The literals of the failed plan, or those that the words state."""
        for subtask in self.state.graph.subtasks:
            if subtask.capability == capability.name:
                return {n: b.value for n, b in subtask.arguments.items() if isinstance(b, Given)}
        return literals(capability, self.state.request.parsed.text)


def _is_same(one: Subtask, other: Subtask) -> bool:
    return one.capability == other.capability and one.arguments == other.arguments


def _paths(
    graph: TaskGraph, lost: Subtask, by: Capability, failed: Capability
) -> dict[tuple[str, ...], tuple[str, ...]] | None:
    """Where a substitute gives each part that is read of what it replaces; nothing where one is missing."""
    bindings = [b for s in graph.subtasks for b in s.arguments.values()]
    read = {s.path for b in bindings for s in sources(b) if s.subtask == lost.id}
    found = {path: there for path in read if (there := path_to(by, failed, path)) is not None}
    return found if len(found) == len(read) else None
