"""The journal: every run's events and the results of its finished subtasks, on disk."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import ValidationError

from easynet.core.errors import DataDirectoryUnusable, RunNotFound, nearest
from easynet.core.events import RUN_EVENT, RunEvent, RunFinished, RunStarted, Status, paid_by
from easynet.core.ids import RunId, SubtaskId
from easynet.execution.claim import Claim, ask_to_cancel, claim, is_claimed
from easynet.sqlite_file import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY, started_at REAL NOT NULL, text TEXT NOT NULL, next_seq INTEGER NOT NULL,
    cost INTEGER NOT NULL, status TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (
    run_id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result (
    run_id TEXT NOT NULL, subtask TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run_id, subtask)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class RunSummary:
    """A run as a line of a list."""

    id: RunId
    started_at: float
    """Unix seconds."""
    text: str
    """The intent's words."""
    status: Status | Literal["running", "interrupted"]
    """`interrupted` where it has not ended and no process is working on it."""
    cost: int
    """Credits paid so far."""


class Journal(Protocol):
    """Keeps runs so that another process can read them and go on with them. What it accepted is kept."""

    def append(self, events: Sequence[RunEvent], results: Mapping[SubtaskId, bytes] | None = None) -> None:
        """Keep the next events of one run, and results of its finished subtasks: all of them or none.

        Raises ValueError where a `seq` is not the run's next, or the run has ended.
        """
        ...

    def events(self, run_id: RunId) -> list[RunEvent]:
        """A run's events in order; none where the run is unknown."""
        ...

    def results(self, run_id: RunId) -> dict[SubtaskId, bytes]:
        """The encoded results of a run's finished subtasks."""
        ...

    def runs(self, limit: int = 50) -> list[RunSummary]:
        """The latest runs, newest first."""
        ...

    def reopen(self, run_id: RunId) -> int:
        """Take back a run's `run_finished`, if it has one, and return the next `seq`."""
        ...

    def find(self, prefix: str) -> RunId:
        """The one run whose id starts with `prefix`; raises RunNotFound."""
        ...

    def claim(self, run_id: RunId) -> AbstractContextManager[Claim]:
        """Hold a run for the code inside; raises RunBusy where somebody else holds it."""
        ...

    def ask_to_cancel(self, run_id: RunId) -> bool:
        """Ask whoever holds the run to stop, which its claim then shows; False where nobody holds it."""
        ...


def one_run(prefix: str, known: Sequence[RunId]) -> RunId:
    """The run that `prefix` means; raises RunNotFound with a hint where it is none or several."""
    matching = [r for r in known if r.startswith(prefix)]
    if prefix in known or len(matching) == 1:
        return RunId(prefix) if prefix in known else matching[0]
    if matching:
        hint = f"Write more of it: {', '.join(matching[:3])}{', ...' if len(matching) > 3 else ''}."
        raise RunNotFound(f"{len(matching)} runs start with {prefix!r}", hint=hint)
    hint = nearest(prefix, known) or (f"The latest is {max(known)}." if known else "There is no run yet.")
    raise RunNotFound(f"no run {prefix!r}", hint=hint)


class SqliteJournal:
    """A journal in one SQLite file, which several processes may use at once.

    A call returns after its commit, which outlives the process; calls block for tens of microseconds.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises DataDirectoryUnusable."""
        self._file = SqliteFile(path, _SCHEMA)

    def close(self) -> None:
        self._file.close()

    def append(self, events: Sequence[RunEvent], results: Mapping[SubtaskId, bytes] | None = None) -> None:
        if not events:
            raise ValueError("results are kept together with the events that tell of them")
        run_id = events[0].run_id
        with self._file.transaction() as db:
            row = db.execute("SELECT next_seq, status FROM run WHERE id = ?", (run_id,)).fetchone()
            next_seq, status = row or (0, None)
            next_seq = check_follows(events, next_seq, status)
            if row is None:
                first = events[0]
                text = first.intent.text if isinstance(first, RunStarted) else ""
                db.execute("INSERT INTO run VALUES (?, ?, ?, 0, 0, NULL)", (run_id, first.at, text))
            db.executemany(
                "INSERT INTO event VALUES (?, ?, ?)", [(run_id, e.seq, e.model_dump_json()) for e in events]
            )
            if results:
                db.executemany(
                    "INSERT OR REPLACE INTO result VALUES (?, ?, ?)",
                    [(run_id, subtask, body) for subtask, body in results.items()],
                )
            paid = sum(map(paid_by, events))
            last = events[-1]
            status = last.status if isinstance(last, RunFinished) else None
            db.execute(
                "UPDATE run SET next_seq = ?, cost = cost + ?, status = ? WHERE id = ?",
                (next_seq, paid, status, run_id),
            )

    def events(self, run_id: RunId) -> list[RunEvent]:
        rows = self._file.rows("SELECT body FROM event WHERE run_id = ? ORDER BY seq", run_id)
        try:
            return [RUN_EVENT.validate_json(body) for (body,) in rows]
        except ValidationError as error:
            raise DataDirectoryUnusable(
                f"run {run_id} in {self._file.path} has an event that this version of EasyNet cannot read",
                hint="Read it with the version that wrote it.",
            ) from error

    def results(self, run_id: RunId) -> dict[SubtaskId, bytes]:
        rows = self._file.rows("SELECT subtask, body FROM result WHERE run_id = ?", run_id)
        return {SubtaskId(subtask): body for subtask, body in rows}

    def runs(self, limit: int = 50) -> list[RunSummary]:
        rows = self._file.rows(
            "SELECT id, started_at, text, status, cost FROM run ORDER BY started_at DESC, id DESC LIMIT ?",
            limit,
        )
        return [
            RunSummary(RunId(run_id), at, text, status or self._unfinished(RunId(run_id)), cost)
            for run_id, at, text, status, cost in rows
        ]

    def reopen(self, run_id: RunId) -> int:
        with self._file.transaction() as db:
            row = db.execute("SELECT next_seq, status FROM run WHERE id = ?", (run_id,)).fetchone()
            if row is None:
                raise RunNotFound(f"no run {run_id!r}", hint="`easynet runs` lists them.")
            next_seq, status = int(row[0]), row[1]
            if status is None:
                return next_seq
            db.execute("DELETE FROM event WHERE run_id = ? AND seq = ?", (run_id, next_seq - 1))
            db.execute("UPDATE run SET next_seq = next_seq - 1, status = NULL WHERE id = ?", (run_id,))
            return next_seq - 1

    def find(self, prefix: str) -> RunId:
        return one_run(prefix, [RunId(run_id) for (run_id,) in self._file.rows("SELECT id FROM run")])

    def claim(self, run_id: RunId) -> AbstractContextManager[Claim]:
        return claim(self._file.path.parent, run_id)

    def ask_to_cancel(self, run_id: RunId) -> bool:
        return ask_to_cancel(self._file.path.parent, run_id)

    def is_claimed(self, run_id: RunId) -> bool:
        """Whether a living process is working on the run."""
        return is_claimed(self._file.path.parent, run_id)

    def _unfinished(self, run_id: RunId) -> Literal["running", "interrupted"]:
        return "running" if self.is_claimed(run_id) else "interrupted"


def check_follows(events: Sequence[RunEvent], next_seq: int, status: Status | None) -> int:
    """The `seq` after `events`; raises ValueError where they do not continue one unfinished run."""
    if status is not None:
        raise ValueError(f"run {events[0].run_id} has ended: {status}")
    for event in events:
        if event.run_id != events[0].run_id:
            raise ValueError(f"events of two runs at once: {events[0].run_id} and {event.run_id}")
        if event.seq != next_seq:
            raise ValueError(f"event {event.seq} ({event.kind}) where {next_seq} was due")
        if isinstance(event, RunFinished) and event is not events[-1]:
            raise ValueError("run_finished comes last")
        next_seq += 1
    return next_seq
