"""What the holders of grants have spent, against the caps of those grants."""

import sqlite3
from collections.abc import Iterable
from typing import Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cap (
  client TEXT NOT NULL, digest BLOB NOT NULL, credits INTEGER NOT NULL, PRIMARY KEY (client, digest)
) STRICT;
CREATE TABLE IF NOT EXISTS spent (digest BLOB PRIMARY KEY, credits INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS charge (
  call TEXT NOT NULL, digest BLOB NOT NULL, credits INTEGER NOT NULL, PRIMARY KEY (call, digest)
) STRICT;
"""


class Spending:
    """Counts credits in a database of the gateway's.

    A cap belongs to a block of a grant and is shared by everybody whose grant has that block.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_SCHEMA)

    def limit(self, client: str, caps: Iterable[tuple[bytes, int]]) -> None:
        """Let a client's calls count against these caps from now on."""
        self._database.executemany(
            "INSERT OR IGNORE INTO cap (client, digest, credits) VALUES (?, ?, ?)",
            [(client, digest, credits) for digest, credits in caps],
        )

    def charge(self, client: str, call: str, credits: int) -> bool:
        """Count a call against all caps of a client; False, and nothing counted, where one would be passed.

        A call that was counted already is not counted again.
        """
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            if self._database.execute("SELECT 1 FROM charge WHERE call = ?", (call,)).fetchone():
                return True
            caps = self._database.execute(
                "SELECT digest, cap.credits, coalesce(spent.credits, 0)"
                " FROM cap LEFT JOIN spent USING (digest) WHERE client = ?",
                (client,),
            ).fetchall()
            if any(spent + credits > cap for _, cap, spent in caps):
                return False
            self._count((call, digest, credits) for digest, _, _ in caps)
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

    def of(self, call: str) -> list[tuple[str, bytes, int]]:
        """What is counted for a call: itself, and each cap's digest with the credits."""
        found = self._database.execute("SELECT call, digest, credits FROM charge WHERE call = ?", (call,))
        return [(str(row[0]), bytes(row[1]), int(row[2])) for row in found]

    def caps(self) -> list[tuple[str, bytes, int]]:
        """Each client with the digest of a cap that its calls count against, and its credits."""
        return [tuple(row) for row in self._database.execute("SELECT client, digest, credits FROM cap")]

    def charges(self, after: int, limit: int) -> list[tuple[int, str, bytes, int]]:
        """What was counted after a place in the list: the place, the call, the cap's digest, the credits."""
        found = self._database.execute(
            "SELECT rowid, call, digest, credits FROM charge WHERE rowid > ? ORDER BY rowid LIMIT ?",
            (after, limit),
        )
        return [tuple(row) for row in found]

    def learn(
        self, caps: Iterable[tuple[str, bytes, int]] = (), charges: Iterable[tuple[str, bytes, int]] = ()
    ) -> None:
        """Take over what other gateways of the network know and have counted, whatever the caps say."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR IGNORE INTO cap VALUES (?, ?, ?)", caps)
            self._count(charges)

    def _count(self, charges: Iterable[tuple[str, bytes, int]]) -> None:
        for charge in charges:
            if self._database.execute("INSERT OR IGNORE INTO charge VALUES (?, ?, ?)", charge).rowcount:
                self._add(charge[1], charge[2])

    def _add(self, digest: bytes, credits: int) -> None:
        self._database.execute(
            "INSERT INTO spent VALUES (?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET credits = credits + excluded.credits",
            (digest, credits),
        )
