"""What became of attempts: observed, and kept in a file across runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Literal, get_args

from easynet.core.ids import CapabilityName, NodeId
from easynet.sqlite_file import SqliteFile

Outcome = Literal["succeeded", "failed", "wrong", "silent", "refused", "superseded"]

_OUTCOMES = frozenset(get_args(Outcome))
_KEPT = 5_000
"""Older ones are dropped: nodes change, and reading these takes tens of milliseconds."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS observation (
    number INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, capability TEXT NOT NULL,
    claimed_s REAL NOT NULL, at REAL NOT NULL, took_s REAL NOT NULL, outcome TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Observation:
    """What became of one attempt."""

    node: NodeId
    capability: CapabilityName
    claimed_s: float
    """Seconds that the node said a call takes."""
    at: float
    """When it ended; Unix seconds."""
    took_s: float
    """Seconds from asking to the end."""
    outcome: Outcome
    """`failed`: the node said so. `wrong`: a result that did not pass its check. `silent`: nothing was heard
    of the node. `refused`: the node had no room. `superseded`: another attempt was faster and this one given
    up; it would have taken longer than `took_s`."""


_ROW = attrgetter("node", "capability", "claimed_s", "at", "took_s", "outcome")


class Observations:
    """The latest observations, in a file that several processes may use at once.

    They hold no arguments and no results. One thread at a time may use it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises DataDirectoryUnusable, as all methods do."""
        self._file = SqliteFile(path, _SCHEMA, any_thread=True)

    def close(self) -> None:
        self._file.close()

    def add(self, observations: Sequence[Observation]) -> None:
        """Keep these, in their order, after those that are there; all of them or none."""
        with self._file.transaction() as db:
            db.executemany(
                "INSERT INTO observation (node, capability, claimed_s, at, took_s, outcome)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                map(_ROW, observations),
            )
            db.execute(
                "DELETE FROM observation WHERE number <= (SELECT max(number) FROM observation) - ?", (_KEPT,)
            )

    def latest(self, limit: int = _KEPT) -> list[Observation]:
        """The latest ones, the oldest of them first. What a newer version of EasyNet wrote is left out."""
        rows = self._file.rows(
            "SELECT node, capability, CAST(claimed_s AS REAL), CAST(at AS REAL), CAST(took_s AS REAL),"
            " outcome FROM observation ORDER BY number DESC LIMIT ?",
            limit,
        )
        return [Observation(*row) for row in reversed(rows) if row[-1] in _OUTCOMES]
