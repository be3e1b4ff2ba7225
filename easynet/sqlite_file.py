"""A SQLite file that several processes may use at once."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from easynet.core.errors import DataDirectoryUnusable

_BUSY_TIMEOUT_S = 10.0
"""How long a call waits for another process that is writing."""


class SqliteFile:
    """An open database. What goes wrong with its file is raised as DataDirectoryUnusable.

    A transaction is there or not, whatever becomes of the process; it outlives the process, not the machine.
    """

    def __init__(self, path: Path, schema: str, *pragmas: str, any_thread: bool = False) -> None:
        """Open the file, or make it, and see that it has the tables of the schema.

        With `any_thread` its user sees to it that one thread at a time works with it.
        """
        self.path = path
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=not any_thread
            )
            try:
                for pragma in ("journal_mode=WAL", "synchronous=NORMAL", *pragmas):
                    self._db.execute(f"PRAGMA {pragma}")
                self._db.executescript(schema)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        self._db.close()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows that a statement gives."""
        with self._translated(), closing(self._db.execute(query, values)) as cursor:
            return cursor.fetchall()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Changes that are all made, or none of them where the code inside raises."""
        with self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # a mistake of ours, not of the disk
        except (sqlite3.Error, OSError) as error:
            raise DataDirectoryUnusable.at(self.path, error) from error
