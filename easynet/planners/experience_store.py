"""Where past runs are kept: one SQLite file."""

import sqlite3
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from easynet.core.ids import CapabilityName, RunId
from easynet.planners.experience import Kind, Link, kind_of, links_of, outcomes_of
from easynet.planners.experience_upkeep import model_path
from easynet.planners.past_run import PastRun
from easynet.sqlite_file import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS past_run (
    id TEXT PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS past_run_kind ON past_run (kind, at);
CREATE TABLE IF NOT EXISTS outcome (
    capability TEXT NOT NULL, at REAL NOT NULL, run TEXT NOT NULL, went_well INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS outcome_capability ON outcome (capability, at, run);
CREATE INDEX IF NOT EXISTS outcome_run ON outcome (run);
CREATE TABLE IF NOT EXISTS link (
    giver TEXT NOT NULL, taker TEXT NOT NULL, parameter TEXT NOT NULL, run TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS link_pair ON link (giver, taker, parameter);
CREATE INDEX IF NOT EXISTS link_run ON link (run);
CREATE TABLE IF NOT EXISTS change (number INTEGER PRIMARY KEY AUTOINCREMENT);
"""


class SqliteExperience:
    """Past runs in a file that several processes may use at once.

    Each change is one transaction: a process that dies leaves the runs as they were before it or after it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises DataDirectoryUnusable."""
        self._read: dict[RunId, tuple[int, PastRun | None]] = {}
        # What is forgotten is gone from the file, too.
        self._file = SqliteFile(path, _SCHEMA, "secure_delete=ON", any_thread=True)

    def close(self) -> None:
        self._file.close()

    def add(self, run: PastRun) -> None:
        """Remember a run; one of the same id is replaced."""
        with self._change() as (db, number):
            _drop(db, [run.id])
            kind, body = " ".join(kind_of(run.text)), run.model_dump_json()
            db.execute("INSERT INTO past_run VALUES (?, ?, ?, ?, ?)", (run.id, run.at, kind, number, body))
            outcomes = [(name, run.at, run.id, went_well) for name, went_well in outcomes_of(run)]
            db.executemany("INSERT INTO outcome VALUES (?, ?, ?, ?)", outcomes)
            db.executemany("INSERT INTO link VALUES (?, ?, ?, ?)", [(*x, run.id) for x in links_of(run)])

    def forget(self, *, run: RunId | None = None, capability: CapabilityName | None = None) -> int:
        """Forget one run, or all that used a capability, or everything; returns how many they were."""
        doomed = [
            r.id
            for r in self.runs()
            if (run is None or r.id == run) and (capability is None or capability in named_by(r))
        ]
        if run is None and capability is None:
            doomed = [*self.ids()]
        with self._change() as (db, _):
            _drop(db, doomed)
        self._file.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        model_path(self._file.path).unlink(missing_ok=True)  # it knows the words of what it was fitted on
        self.let_go()
        return len(doomed)

    def let_go(self) -> None:
        """Keep no run in memory any longer."""
        self._read = {}

    def runs(self) -> Sequence[PastRun]:
        """All past runs, oldest first; one that this version cannot read is left out."""
        known = self._read
        rows = self._file.rows("SELECT id, number FROM past_run ORDER BY at, id")
        new = {id_ for id_, number in rows if known.get(id_, (None,))[0] != number}
        found = {id_: (number, known[id_][1]) for id_, number in rows if id_ not in new}
        for id_, number, body in self._bodies(new):
            found[id_] = (number, _read(body))
        self._read = found
        return [run for id_, _ in rows if id_ in found and (run := found[id_][1]) is not None]

    def ids(self) -> frozenset[RunId]:
        """The ids of all past runs."""
        return frozenset(RunId(id_) for (id_,) in self._file.rows("SELECT id FROM past_run"))

    def latest(self, kind: Kind, most: int) -> Sequence[PastRun]:
        rows = self._file.rows(
            "SELECT body FROM past_run WHERE kind = ? ORDER BY at DESC, id DESC LIMIT ?", " ".join(kind), most
        )
        return [run for (body,) in rows if (run := _read(body)) is not None]

    def outcomes(self, capability: CapabilityName) -> Sequence[bool]:
        rows = self._file.rows(
            "SELECT went_well FROM outcome WHERE capability = ? ORDER BY at, run", capability
        )
        return [bool(went_well) for (went_well,) in rows]

    def links(self) -> Sequence[Link]:
        """All that has been seen to read from each other."""
        rows = self._file.rows("SELECT DISTINCT giver, taker, parameter FROM link")
        return [Link(CapabilityName(a), CapabilityName(b), name) for a, b, name in rows]

    def version(self) -> int:
        return int(self._file.rows("SELECT coalesce(max(number), 0) FROM change")[0][0])

    def _bodies(self, ids: Collection[str]) -> list[tuple[Any, ...]]:
        if len(ids) > 100:
            return self._file.rows("SELECT id, number, body FROM past_run")
        return [
            r for i in ids for r in self._file.rows("SELECT id, number, body FROM past_run WHERE id = ?", i)
        ]

    @contextmanager
    def _change(self) -> Generator[tuple[sqlite3.Connection, int]]:
        """A transaction, and the number of the change that it is."""
        with self._file.transaction() as db:
            number = db.execute("INSERT INTO change DEFAULT VALUES").lastrowid
            assert number is not None
            db.execute("DELETE FROM change WHERE number < ?", (number,))
            yield db, number


def _drop(db: sqlite3.Connection, ids: Sequence[RunId]) -> None:
    for table, column in (("past_run", "id"), ("outcome", "run"), ("link", "run")):
        db.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(id_,) for id_ in ids])


def _read(body: str) -> PastRun | None:
    try:
        return PastRun.model_validate_json(body)
    except ValidationError:
        return None  # written by another version: it teaches nothing here


def named_by(run: PastRun) -> set[CapabilityName]:
    """The capabilities that a run used or planned around."""
    return {*run.graph.capabilities, *run.avoided}
