"""The one place where a run's events get their number and time, are kept, and are made known."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from easynet.core.clock import Clock
from easynet.core.events import RunEvent
from easynet.core.ids import RunId, SubtaskId
from easynet.execution.journal import Journal

E = TypeVar("E", bound=RunEvent)


class RunLog:
    """Writes one run's events into the journal and then to `publish`: nobody learns what may be lost."""

    def __init__(
        self,
        run_id: RunId,
        journal: Journal,
        clock: Clock,
        next_seq: int = 0,
        *,
        publish: Callable[[RunEvent], None],
    ) -> None:
        self.run_id = run_id
        self._journal = journal
        self._clock = clock
        self._next_seq = next_seq
        self._publish = publish
        self._is_batching = False
        self._events: list[RunEvent] = []
        self._results: dict[SubtaskId, bytes] = {}

    def emit(
        self, kind: Callable[..., E], results: Mapping[SubtaskId, bytes] | None = None, **fields: Any
    ) -> E:
        """Make the next event of the run, keep it together with `results`, and publish it.

        Inside a `batch`, keeping and publishing wait for its end.
        """
        seq = self._next_seq + len(self._events)
        event = kind(run_id=self.run_id, seq=seq, at=self._clock.now(), **fields)
        self._events.append(event)
        self._results.update(results or {})
        if not self._is_batching:
            self._commit()
        return event

    @contextmanager
    def batch(self) -> Generator[None]:
        """Keep the events inside in one transaction; where the code inside raises, none of them happened."""
        if self._is_batching:
            raise RuntimeError("a batch inside a batch")
        self._is_batching = True
        try:
            yield
        except BaseException:
            self._take()
            raise
        finally:
            self._is_batching = False
        self._commit()

    def _commit(self) -> None:
        events, results = self._take()
        if not events:
            return
        self._journal.append(events, results)
        self._next_seq += len(events)
        for event in events:
            self._publish(event)

    def _take(self) -> tuple[list[RunEvent], dict[SubtaskId, bytes]]:
        taken = self._events, self._results
        self._events, self._results = [], {}
        return taken
