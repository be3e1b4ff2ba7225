"""`Recorder`: what becomes of runs that have ended, and what they showed about the tool graph."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from easynet.core.capability import Capability
from easynet.core.errors import DataDirectoryUnusable, EasyNetError
from easynet.core.events import RunEvent
from easynet.core.intent import ParsedIntent
from easynet.planners.experience import ExperienceStore, is_same
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import Links, ModelFile, Offered
from easynet.planners.past_run import PastRun
from easynet.planners.planner import Planner, PlanRequest

_LOG = logging.getLogger(__name__)


def opened(path: Path) -> SqliteExperience | MemoryExperience:
    """The past runs in a file; where it cannot be used, that is logged, and runs are forgotten at the end."""
    try:
        return SqliteExperience(path)
    except DataDirectoryUnusable as error:
        _LOG.warning("past runs are not kept: %s", error.message)
        return MemoryExperience()


class Recorder:
    """Remembers runs, and has what they teach learned. Nothing that goes wrong here costs a run anything."""

    def __init__(self, store: ExperienceStore, model: ModelFile, by_words: Planner) -> None:
        """`by_words` plans from the functions' descriptions, and asks nothing of past runs."""
        self._store = store
        self._model = model
        self._by_words = by_words

    async def record(self, events: Iterable[RunEvent], catalogue: Sequence[Capability]) -> None:
        """Remember a run that has ended; one that was resumed takes the place of what it was before.

        It never fails: what goes wrong is logged.
        """
        try:
            run = PastRun.of(events, catalogue)
            if run is None:
                return
            offered = Offered(catalogue=tuple(catalogue))
            self._store.add(await judged(run, offered, self._by_words))
            if self._model.may_be_outdated(self._store.version()):
                self._model.renew(offered.model_copy(update={"links": self.links(catalogue)}))
        except (EasyNetError, OSError) as error:
            _LOG.warning("a run was not remembered: %s", error)
        except Exception as error:
            # A mistake of ours, or of a planner: the run is over. The error's words may hold values.
            _LOG.warning("a run was not remembered: %s", type(error).__name__)

    def links(self, catalogue: Sequence[Capability]) -> Links:
        """Which of these capabilities have been seen to read from each other, where types do not say it.

        A parameter that must have a value of a named type is given one by the types alone, and better: they
        know where to begin.
        """
        by_name = {c.name: c for c in catalogue}
        try:
            seen = self._store.links()
        except DataDirectoryUnusable as error:
            _LOG.warning("past runs cannot be read: %s", error.message)
            return frozenset()
        return frozenset(
            (link.giver, link.taker)
            for link in seen
            if link.giver in by_name
            and (taker := by_name.get(link.taker)) is not None
            and (parameter := taker.parameter(link.parameter)) is not None
            and (parameter.type.is_primitive or not parameter.required)
        )


async def judged(run: PastRun, offered: Offered, by_words: Planner) -> PastRun:
    """The run, with whether descriptions alone would have led to its plan, and nothing had to be asked."""
    answers = {edit.name for edit in run.edits}
    inputs = {name: value for name, value in run.inputs.items() if name not in answers}
    parsed = ParsedIntent(text=run.text, language=run.language, inputs=inputs)
    request = PlanRequest(parsed=parsed, catalogue=offered.catalogue, links=offered.links)
    try:
        graph = (await by_words.plan(request)).graph
    except EasyNetError:
        graph = None
    return run.model_copy(update={"by_words": graph is not None and is_same(graph, run.graph)})
