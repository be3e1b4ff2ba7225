"""Where past runs are kept: one SQLite file, or memory."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from pydantic import ValidationError

from easynet.core.errors import DataDirectoryUnusable
from easynet.core.ids import CapabilityName, RunId
from easynet.planners.experience import PastRun

_BUSY_TIMEOUT_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS past_run (id TEXT PRIMARY KEY, at REAL NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change (number INTEGER PRIMARY KEY AUTOINCREMENT);
"""


class MemoryExperience:
    """Past runs that are gone with the process."""

    def __init__(self, runs: Iterable[PastRun] = ()) -> None:
        self._runs = sorted(runs, key=lambda r: (r.at, r.id))
        self._version = 0

    def add(self, run: PastRun) -> None:
        """Remember a run; one of the same id is replaced."""
        kept = [r for r in self._runs if r.id != run.id]
        self._runs = sorted((*kept, run), key=lambda r: (r.at, r.id))
        self._version += 1

    def runs(self) -> Sequence[PastRun]:
        return self._runs

    def version(self) -> object:
        return self._version


class SqliteExperience:
    """Past runs in a file that several processes may use at once."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises DataDirectoryUnusable."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.executescript(_SCHEMA)
            except BaseException:
                self._db.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise DataDirectoryUnusable.at(path, error) from error

    def close(self) -> None:
        self._db.close()

    def add(self, run: PastRun) -> None:
        """Remember a run; one of the same id is replaced."""
        self._change(
            "INSERT OR REPLACE INTO past_run VALUES (?, ?, ?)", (run.id, run.at, run.model_dump_json())
        )

    def forget(self, *, run: RunId | None = None, capability: CapabilityName | None = None) -> int:
        """Forget one run, or all that used a capability, or everything; returns how many they were."""
        if run is not None:
            return self._change("DELETE FROM past_run WHERE id = ?", (run,))
        if capability is None:
            return self._change("DELETE FROM past_run", ())
        doomed = [r.id for r in self.runs() if capability in r.graph.capabilities]
        return sum(self._change("DELETE FROM past_run WHERE id = ?", (id_,)) for id_ in doomed)

    def runs(self) -> Sequence[PastRun]:
        """All past runs, oldest first; one that this version cannot read is left out."""
        found: list[PastRun] = []
        for (body,) in self._rows("SELECT body FROM past_run ORDER BY at, id"):
            try:
                found.append(PastRun.model_validate_json(body))
            except ValidationError:
                continue  # written by another version: it teaches nothing here
        return found

    def version(self) -> object:
        return self._rows("SELECT max(number) FROM change")[0][0]

    def _rows(self, query: str) -> list[tuple[str]]:
        try:
            with closing(self._db.execute(query)) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as error:
            raise DataDirectoryUnusable.at(self._path, error) from error

    def _change(self, statement: str, values: tuple[object, ...]) -> int:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                changed = self._db.execute(statement, values).rowcount
                self._db.execute("INSERT INTO change DEFAULT VALUES")
                self._db.execute("DELETE FROM change WHERE number < (SELECT max(number) FROM change)")
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise DataDirectoryUnusable.at(self._path, error) from error
        return changed
