"""Past runs in memory."""

from collections.abc import Iterable, Sequence

from easynet.core.ids import CapabilityName, RunId
from easynet.planners.experience import Kind, Link, kind_of, links_of, outcomes_of
from easynet.planners.past_run import PastRun


class MemoryExperience:
    """Past runs that are gone with the process."""

    def __init__(self, runs: Iterable[PastRun] = ()) -> None:
        self._runs = sorted(runs, key=lambda r: (r.at, r.id))
        self._kinds: dict[RunId, Kind] = {run.id: kind_of(run.text) for run in self._runs}
        self._version = 0

    def close(self) -> None:
        """There is nothing to close."""

    def add(self, run: PastRun) -> None:
        """Remember a run; one of the same id is replaced."""
        kept = [r for r in self._runs if r.id != run.id]
        self._runs = sorted((*kept, run), key=lambda r: (r.at, r.id))
        self._kinds[run.id] = kind_of(run.text)
        self._version += 1

    def runs(self) -> Sequence[PastRun]:
        return self._runs

    def latest(self, kind: Kind, most: int) -> Sequence[PastRun]:
        return [r for r in reversed(self._runs) if self._kinds[r.id] == kind][:most]

    def outcomes(self, capability: CapabilityName) -> Sequence[bool]:
        return [ok for run in self._runs for name, ok in outcomes_of(run) if name == capability]

    def links(self) -> Sequence[Link]:
        return sorted({link for run in self._runs for link in links_of(run)})

    def version(self) -> int:
        return self._version
