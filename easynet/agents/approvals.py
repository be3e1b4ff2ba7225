"""Which steps of a plan a person has to agree to, and up to which price each may run.

A step needs agreement where its effect cannot be undone, or where it costs more than the intent's
`approve_above`. What was agreed to is a digest of the step: what it calls, on which values, and on whose
results, back to their beginnings. A step that differs in any of it, or costs more, needs agreement anew.
"""

import hashlib
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from easynet.agents.run_memory import RunMemory
from easynet.core.capability import Capability
from easynet.core.events import StepToApprove
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import Binding, FromInput, Given, TaskGraph
from easynet.planners.plan_shape import work_of

APPROVAL = "approve"
"""The name under which agreement to a plan is asked for."""

NEVER = -1
"""A price limit that no offer meets."""


def digests(graph: TaskGraph, inputs: Mapping[str, JsonValue]) -> dict[SubtaskId, str]:
    """What is agreed to with each step: its name, what it calls, and the values that it calls it on."""

    def bound(binding: Binding) -> Binding:
        if isinstance(binding, FromInput) and binding.name in inputs:
            return Given(value=["input", binding.name, inputs[binding.name]])
        return binding

    subtasks = (
        s.model_copy(update={"arguments": {n: bound(b) for n, b in s.arguments.items()}})
        for s in graph.subtasks
    )
    work = work_of(TaskGraph(subtasks=tuple(subtasks)))
    return {i: hashlib.blake2b(f"{i} {d}".encode(), digest_size=12).hexdigest() for i, d in work.items()}


def price_limits(
    memory: RunMemory, graph: TaskGraph, capabilities: Mapping[CapabilityName, Capability]
) -> dict[SubtaskId, int]:
    """The most that each step which is left may cost without another question.

    `NEVER` where nobody has agreed to it; steps that have no limit are left out.
    """
    requirements = memory.parsed.requirements if memory.parsed else None
    above = requirements.approve_above if requirements else None
    left = [s for s in graph.subtasks if s.id not in memory.done]
    asked = {s.id for s in left if _is_irreversible(s.capability, capabilities)}
    if above is None and not asked:
        return {}
    digest = digests(graph, memory.parsed.inputs if memory.parsed else {})
    limits: dict[SubtaskId, int] = {}
    for subtask in left:
        agreed = memory.approved.get(digest.get(subtask.id, ""), NEVER)
        if subtask.id in asked:
            limits[subtask.id] = agreed
        elif above is not None:
            limits[subtask.id] = max(above, agreed)
    return limits


def capability_limits(
    memory: RunMemory, graph: TaskGraph, capabilities: Mapping[CapabilityName, Capability]
) -> dict[CapabilityName, int]:
    """The same by capability: the least of its steps, because one set of offers serves them all."""
    limits: dict[CapabilityName, int] = {}
    for subtask, limit in price_limits(memory, graph, capabilities).items():
        name = graph.by_id[subtask].capability
        limits[name] = min(limit, limits.get(name, limit))
    return limits


def within(limit: int | None, offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """The offers that cost no more than a limit; all of them where there is none."""
    return tuple(o for o in offers if limit is None or o.price <= limit)


def needed(memory: RunMemory, graph: TaskGraph, schedule: Schedule) -> tuple[StepToApprove, ...]:
    """The steps of a plan that a person has to agree to before it runs as it is scheduled."""
    requirements = memory.parsed.requirements if memory.parsed else None
    above = requirements.approve_above if requirements else None
    limits = price_limits(memory, graph, memory.catalogue)
    dear = [a for a in schedule.assignments if a.price > limits.get(a.subtask, a.price)]
    if not dear:
        return ()
    digest = digests(graph, memory.parsed.inputs if memory.parsed else {})
    steps: list[StepToApprove] = []
    for assignment in dear:
        name = graph.by_id[assignment.subtask].capability
        others = (o.node for o in within(assignment.price, memory.offers.get(name, ())))
        is_irreversible = _is_irreversible(name, memory.catalogue)
        is_dear = above is not None and assignment.price > above
        is_repeated = digest[assignment.subtask] in memory.used
        steps.append(
            StepToApprove(
                subtask=assignment.subtask,
                capability=name,
                digest=digest[assignment.subtask],
                price=assignment.price,
                nodes=tuple(dict.fromkeys((assignment.node, *others))),
                why=(
                    *(("irreversible",) if is_irreversible else ()),
                    *(("price",) if is_dear else ()),
                    *(("again",) if is_repeated else ()),
                ),
            )
        )
    return tuple(steps)


def waits(memory: RunMemory, capability: Capability, offers: Sequence[Offer]) -> bool:
    """Whether a step may need agreement, so that it must not begin before its plan is complete."""
    above = memory.parsed.requirements.approve_above if memory.parsed else None
    return capability.irreversible or (above is not None and any(o.price > above for o in offers))


def _is_irreversible(name: CapabilityName, known: Mapping[CapabilityName, Capability]) -> bool:
    return name in known and known[name].irreversible
