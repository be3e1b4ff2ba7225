"""The steps that follow from a plan by themselves: choosing among results, checking and presenting them."""

from collections.abc import Sequence

from easynet.core.capability import Capability, Role
from easynet.core.ids import SubtaskId
from easynet.core.task_graph import FromSubtask, Gathered, Subtask, TaskGraph
from easynet.planners.chaining import Chain, Gap
from easynet.planners.sources import Draft, element_of, step_of

_ORDER = (Role.CHOOSE, Role.CHECK, Role.PRESENT)


def with_followers(draft: Draft, chain: Chain) -> Draft:
    """The draft with every choosing, checking and presenting step whose inputs it has.

    Only a choice may draw in new work: the alternatives that it chooses from.
    """
    followers = sorted(
        (c for c in chain.by_name.values() if c.role.follows),
        key=lambda c: (_ORDER.index(c.role), any(p.type.many for p in c.parameters), c.name),
    )
    while True:
        fitting = (c for c in followers if step_of(c) not in draft and _has_inputs(draft, c, chain))
        grown = next((g for c in fitting if not isinstance(g := chain.add(draft, c), Gap)), None)
        if grown is None:
            return draft
        draft = grown


def _has_inputs(draft: Draft, follower: Capability, chain: Chain) -> bool:
    named = [p.type for p in follower.parameters if p.required and not p.type.is_primitive]
    return bool(named) and all(
        chain.sources.planned(draft, t) or (t.many and chain.sources.planned(draft, element_of(t)))
        for t in named
    )


def completed(draft: Draft, chain: Chain) -> Draft:
    """The draft with its optional arguments filled and its lists complete, in an order that can run.

    Lists gather what came into the plan after their reader, except what needs that reader.
    """
    subtasks = dict(draft)
    for id_ in draft:
        capability = chain.by_name[draft[id_].capability]
        for parameter in capability.parameters:
            bound = subtasks[id_].arguments.get(parameter.name)
            if parameter.type.is_primitive or parameter.is_variadic:
                continue
            if isinstance(bound, Gathered) and capability.role is not Role.CHOOSE:
                element = element_of(parameter.type)
                there = [s.binding for s in chain.sources.planned(subtasks, element)]
                items = tuple(i for i in _in_order(there, draft) if not _needs(subtasks, i.subtask, id_))
                subtasks[id_] = _with(subtasks[id_], parameter.name, Gathered(items=items))
            elif bound is None:
                there = [s.binding for s in chain.sources.planned(subtasks, parameter.type, parameter.name)]
                fitting = [b for b in there if not _needs(subtasks, b.subtask, id_)]
                if fitting:
                    subtasks[id_] = _with(subtasks[id_], parameter.name, fitting[0])
    return _sorted(subtasks)


def _in_order(bindings: Sequence[FromSubtask], draft: Draft) -> list[FromSubtask]:
    position = {id_: i for i, id_ in enumerate(draft)}
    return sorted(bindings, key=lambda b: position[b.subtask])


def _with(subtask: Subtask, name: str, binding: FromSubtask | Gathered) -> Subtask:
    return subtask.model_copy(update={"arguments": {**subtask.arguments, name: binding}})


def _needs(draft: Draft, reader: SubtaskId, wanted: SubtaskId) -> bool:
    """Whether `reader` is `wanted` or needs it, directly or through others."""
    seen: set[SubtaskId] = set()
    stack = [reader]
    while stack:
        id_ = stack.pop()
        if id_ == wanted:
            return True
        if id_ not in seen and id_ in draft:
            seen.add(id_)
            stack.extend(draft[id_].needs)
    return False


def _sorted(draft: Draft) -> Draft:
    """The same subtasks, each after those that it needs, otherwise in their old order."""
    done: dict[SubtaskId, Subtask] = {}
    while len(done) < len(draft):
        done |= next({i: s} for i, s in draft.items() if i not in done and s.needs <= done.keys())
    return done


def outputs(draft: Draft, goals: Sequence[Capability], chain: Chain) -> tuple[SubtaskId, ...]:
    """What the user wants of a plan: its last results, what was chosen, and the goals themselves.

    A goal that is one of several alternatives gives way to the choice.
    """
    read = {before for s in draft.values() for before in s.needs}
    roles = {i: chain.by_name[s.capability].role for i, s in draft.items()}
    asked = {step_of(g) for g in goals if choice_among(draft, g, chain) is None}
    return tuple(i for i in draft if i not in read or roles[i] is Role.CHOOSE or i in asked)


def choice_among(draft: Draft, alternative: Capability, chain: Chain) -> Capability | None:
    """The step that chooses between a capability's result and others, if the draft has one."""
    for subtask in draft.values():
        chooser = chain.by_name[subtask.capability]
        lists = (b for b in subtask.arguments.values() if isinstance(b, Gathered))
        if chooser.role is Role.CHOOSE and step_of(alternative) in {
            i.subtask for b in lists for i in b.items
        }:
            return chooser
    return None


def graph_of(draft: Draft, goals: Sequence[Capability], chain: Chain) -> TaskGraph:
    """The finished plan."""
    whole = completed(with_followers(draft, chain), chain)
    return TaskGraph(subtasks=tuple(whole.values()), outputs=outputs(whole, goals, chain))
