"""Past runs as examples for a language model."""

from collections.abc import Sequence

from easynet.core.ids import RunId
from easynet.planners.experience import Experience, ExperienceStore, steps_of
from easynet.planners.likeness import f1
from easynet.planners.model_brief import MOST_EXAMPLES, Example
from easynet.planners.past_run import PastRun
from easynet.planners.planner import PlanRequest
from easynet.planners.words import keys

_ALIKE = 0.25
"""What is less like the request is no example for it."""


class PastExamples:
    """The runs of an experience store that went well and are most like a request, each plan once."""

    def __init__(self, store: ExperienceStore) -> None:
        self._store = store
        self._words: dict[RunId, frozenset[str]] = {}
        self._key: object = None
        self._lessons: Sequence[PastRun] = ()

    def like(self, request: PlanRequest, *, shareable: bool) -> Sequence[Example]:
        """At most three; none whose words were private where they have to be `shareable`."""
        asked = keys(request.parsed.text)
        scored: list[tuple[float, float, PastRun]] = []
        for run in self._learned(request):
            likeness = f1(asked, self._words[run.id])
            avoids = not set(request.avoid) & set(run.graph.capabilities)
            if likeness >= _ALIKE and avoids and not (shareable and run.is_private):
                scored.append((likeness, run.at, run))
        scored.sort(key=lambda s: s[:2], reverse=True)
        found: dict[object, Example] = {}
        for _, _, run in scored:
            if len(found) < MOST_EXAMPLES:
                found.setdefault(steps_of(run.graph), Example(run.text, run.graph))
        return [*found.values()]

    def _learned(self, request: PlanRequest) -> Sequence[PastRun]:
        """The runs that teach how to plan, with their words at hand."""
        key = (self._store.version(), request.catalogue)
        if self._key != key:
            self._lessons = Experience(self._store.runs(), request.by_name).lessons
            known = self._words
            self._words = {r.id: known.get(r.id) or keys(r.text) for r in self._lessons}
            self._key = key
        return self._lessons
