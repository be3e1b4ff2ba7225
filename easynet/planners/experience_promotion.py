"""Requests of a kind that has gone well again and again, which need no weighing any more."""

from collections.abc import Sequence

from easynet.planners.experience import PastRun, steps_of
from easynet.planners.grams import words

_OFTEN = 3

Kind = tuple[str, ...]


def kind_of(text: str) -> Kind:
    """The words of a request; all numbers are alike."""
    return tuple(words(text))


def promoted(runs: Sequence[PastRun], lessons: Sequence[PastRun]) -> dict[Kind, PastRun]:
    """For each kind of request whose latest three runs went well by the same plan, the latest of them.

    One failure ends it, until three more have gone well. Only `lessons` are gone by.
    """
    still_hold = {r.id for r in lessons}
    streak: dict[Kind, list[PastRun]] = {}
    for run in runs:
        kind = kind_of(run.text)
        before = streak.get(kind, [])
        if run.outcome == "failed" or run.id not in still_hold:
            streak[kind] = []
        elif before and steps_of(before[-1].graph) == steps_of(run.graph):
            streak[kind] = [*before, run]
        else:
            streak[kind] = [run]
    return {kind: found[-1] for kind, found in streak.items() if len(found) >= _OFTEN}
