"""Requests of a kind that has gone well again and again, which need no weighing any more."""

from collections.abc import Sequence

from easynet.core.capability import Capability
from easynet.planners.experience import (
    HABIT,
    ExperienceStore,
    has_jumped,
    is_as_offered,
    is_lesson,
    kind_of,
    steps_of,
)
from easynet.planners.past_run import PastRun, schema_of

OFTEN = 3
"""So many runs in a row by the same plan promote it."""


def promoted(store: ExperienceStore, text: str, catalogue: Sequence[Capability]) -> Sequence[PastRun]:
    """The latest runs of this kind of request, oldest first, where the last three went well by one plan.

    One failure ends it, until three more have gone well; so do a function that takes or gives something else
    now, and one that lately fails much more often than it did. Only the runs of this kind are read.
    """
    found = store.latest(kind_of(text), HABIT)
    runs = found[:OFTEN]
    if len(runs) < OFTEN or len({steps_of(run.graph) for run in runs}) > 1:
        return []
    used = {*runs[0].graph.capabilities}
    schemas = {c.name: schema_of(c) for c in catalogue if c.name in used}
    if not all(is_lesson(run) and is_as_offered(run, schemas) for run in runs):
        return []
    return [] if any(has_jumped(store.outcomes(name)) for name in used) else [*reversed(found)]
