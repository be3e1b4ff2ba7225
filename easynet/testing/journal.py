"""A journal that forgets when its process ends."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from easynet.core.errors import RunBusy, RunNotFound
from easynet.core.events import RUN_EVENT, RunEvent, RunFinished, RunStarted, Status, paid_by
from easynet.core.ids import RunId, SubtaskId
from easynet.execution.journal import RunSummary, check_follows, one_run


@dataclass
class _Claim:
    is_cancelled: bool = False


@dataclass
class _Run:
    lines: list[str] = field(default_factory=list[str])
    results: dict[SubtaskId, bytes] = field(default_factory=dict[SubtaskId, bytes])

    @property
    def events(self) -> list[RunEvent]:
        return [RUN_EVENT.validate_json(line) for line in self.lines]

    @property
    def status(self) -> Status | None:
        if not self.lines or RunFinished.model_fields["kind"].default not in self.lines[-1]:
            return None  # seen without reading it: this is asked with every event
        last = RUN_EVENT.validate_json(self.lines[-1])
        return last.status if isinstance(last, RunFinished) else None


class MemoryJournal:
    """A journal in memory. Events are kept as text, so that what cannot be written is found out."""

    def __init__(self) -> None:
        self._runs: dict[RunId, _Run] = {}
        self._claims: dict[RunId, _Claim] = {}
        self.commits = 0
        """How many times `append` was called."""

    def append(self, events: Sequence[RunEvent], results: Mapping[SubtaskId, bytes] | None = None) -> None:
        if not events:
            raise ValueError("results are kept together with the events that tell of them")
        run = self._runs.get(events[0].run_id) or _Run()
        check_follows(events, len(run.lines), run.status)
        run.lines += [event.model_dump_json() for event in events]
        run.results.update(results or {})
        self._runs[events[0].run_id] = run
        self.commits += 1

    def events(self, run_id: RunId) -> list[RunEvent]:
        return self._runs.get(run_id, _Run()).events

    def results(self, run_id: RunId) -> dict[SubtaskId, bytes]:
        return dict(self._runs.get(run_id, _Run()).results)

    def runs(self, limit: int = 50) -> list[RunSummary]:
        summaries = [self._summary(run_id, run) for run_id, run in self._runs.items()]
        return sorted(summaries, key=lambda s: (s.started_at, s.id), reverse=True)[:limit]

    def reopen(self, run_id: RunId) -> int:
        if run_id not in self._runs:
            raise RunNotFound(f"no run {run_id!r}")
        run = self._runs[run_id]
        if run.status is not None:
            run.lines.pop()
        return len(run.lines)

    def find(self, prefix: str) -> RunId:
        return one_run(prefix, list(self._runs))

    @contextmanager
    def claim(self, run_id: RunId) -> Generator[_Claim]:
        if run_id in self._claims:
            raise RunBusy(f"somebody is working on run {run_id}")
        self._claims[run_id] = _Claim()
        try:
            yield self._claims[run_id]
        finally:
            del self._claims[run_id]

    def ask_to_cancel(self, run_id: RunId) -> bool:
        if run_id not in self._claims:
            return False
        self._claims[run_id].is_cancelled = True
        return True

    def _summary(self, run_id: RunId, run: _Run) -> RunSummary:
        events = run.events
        first = events[0]
        return RunSummary(
            id=run_id,
            started_at=first.at,
            text=first.intent.text if isinstance(first, RunStarted) else "",
            status=run.status or ("running" if run_id in self._claims else "interrupted"),
            cost=sum(map(paid_by, events)),
        )
