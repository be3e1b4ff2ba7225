"""What the holders of grants have spent, against the caps of those grants."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from easynet.fabric.wire.names import METERED

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cap (
  client TEXT NOT NULL, digest BLOB NOT NULL, credits INTEGER NOT NULL,
  expires_at REAL NOT NULL DEFAULT 0, PRIMARY KEY (client, digest)
) STRICT;
CREATE TABLE IF NOT EXISTS spent (digest BLOB PRIMARY KEY, credits INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS charge (
  call TEXT NOT NULL, digest BLOB NOT NULL, credits INTEGER NOT NULL,
  expires_at REAL NOT NULL DEFAULT 0, PRIMARY KEY (call, digest)
) STRICT;
"""
_EXPIRED: Final = "expires_at != 0 AND expires_at <= ?"


class Cap(NamedTuple):
    """What the holders of one grant may spend together."""

    digest: bytes
    """Names the block of the grant that says so."""
    credits: int
    expires_at: float = 0.0
    """Unix seconds from which on nobody can spend under it; 0 for never."""


class Charge(NamedTuple):
    """What was counted for a call against one cap."""

    call: str
    digest: bytes
    credits: int
    expires_at: float = 0.0
    """The cap's."""


class Spending:
    """Counts credits in a database of the gateway's.

    A cap belongs to a block of a grant and is shared by everybody whose grant has that block. Times are the
    caller's, in Unix seconds.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_SCHEMA)
        for table in ("cap", "charge"):
            if "expires_at" not in [row[1] for row in database.execute(f"PRAGMA table_info({table})")]:
                database.execute(f"ALTER TABLE {table} ADD COLUMN expires_at REAL NOT NULL DEFAULT 0")

    def limit(self, client: str, caps: Iterable[Cap]) -> None:
        """Let a client's calls count against these caps from now on."""
        self._database.executemany(
            "INSERT OR IGNORE INTO cap VALUES (?, ?, ?, ?)", [(client, *cap) for cap in caps]
        )

    def charge(self, client: str, call: str, credits: int) -> bool:
        """Count a call against all caps of a client; False, and nothing counted, where one would be passed.

        A call that was counted already is not counted again. Who has no cap may spend, except for the holder
        of a grant that limits spending, whose caps are not known here or have expired.
        """
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            if self._database.execute("SELECT 1 FROM charge WHERE call = ?", (call,)).fetchone():
                return True
            caps = self._database.execute(
                "SELECT digest, cap.credits, coalesce(spent.credits, 0), expires_at"
                " FROM cap LEFT JOIN spent USING (digest) WHERE client = ?",
                (client,),
            ).fetchall()
            if not caps and client.startswith(METERED):
                return False
            if any(spent + credits > cap for _, cap, spent, _ in caps):
                return False
            self._count(Charge(call, digest, credits, expires_at) for digest, _, _, expires_at in caps)
        return True

    def refund(self, client: str, call: str) -> None:
        """Take back, once, what was counted for a call of a client's that came to nothing."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            counted = self._database.execute(
                "DELETE FROM charge WHERE call = ? AND digest IN (SELECT digest FROM cap WHERE client = ?)"
                " RETURNING digest, credits",
                (call, client),
            ).fetchall()
            for digest, credits in counted:
                self._add(digest, -credits)

    def forget(self, now: float) -> None:
        """Let go of what was counted under grants that have expired by then."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                f"DELETE FROM spent WHERE digest IN (SELECT digest FROM cap WHERE {_EXPIRED})", (now,)
            )
            for table in ("charge", "cap"):
                self._database.execute(f"DELETE FROM {table} WHERE {_EXPIRED}", (now,))

    def of(self, call: str) -> list[Charge]:
        """What is counted for a call, against each cap."""
        found = self._database.execute("SELECT * FROM charge WHERE call = ?", (call,))
        return [Charge(*row) for row in found]

    def caps(self) -> list[tuple[str, bytes, int, float]]:
        """Each client with a cap that its calls count against."""
        return [tuple(row) for row in self._database.execute("SELECT * FROM cap")]

    def charges(self, after: int, limit: int) -> list[tuple[int, str, bytes, int, float]]:
        """What was counted after a place in the list: the place, and the charge."""
        found = self._database.execute(
            "SELECT rowid, * FROM charge WHERE rowid > ? ORDER BY rowid LIMIT ?", (after, limit)
        )
        return [tuple(row) for row in found]

    def learn(
        self,
        now: float,
        caps: Iterable[Sequence[Any]] = (),
        charges: Iterable[Sequence[Any]] = (),
    ) -> None:
        """Take over what other gateways of the network know and have counted, whatever the caps say.

        What has expired is left out: it was forgotten here, and would be counted a second time.
        """
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            for client, *cap in caps:
                if not _has_expired(Cap(*cap).expires_at, now):
                    self._database.execute("INSERT OR IGNORE INTO cap VALUES (?, ?, ?, ?)", (client, *cap))
            found = (Charge(*charge) for charge in charges)
            self._count(charge for charge in found if not _has_expired(charge.expires_at, now))

    def _count(self, charges: Iterable[Charge]) -> None:
        for charge in charges:
            if self._database.execute("INSERT OR IGNORE INTO charge VALUES (?, ?, ?, ?)", charge).rowcount:
                self._add(charge.digest, charge.credits)

    def _add(self, digest: bytes, credits: int) -> None:
        self._database.execute(
            "INSERT INTO spent VALUES (?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET credits = credits + excluded.credits",
            (digest, credits),
        )


def _has_expired(expires_at: float, now: float) -> bool:
    return 0 != expires_at <= now
