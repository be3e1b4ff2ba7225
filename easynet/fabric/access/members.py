"""Who was invited to a network, who joined it, and who was shut out: a file of the gateway's."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from easynet.core.errors import DataDirectoryUnusable, NameTaken, TokenRejected
from easynet.fabric.access.authority import LOCAL_CLIENT
from easynet.fabric.access.spending import Cap, Spending

Kind = Literal["node", "client"]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS invitation (
  secret_digest BLOB PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, functions TEXT NOT NULL,
  is_trusted INTEGER NOT NULL, rate REAL NOT NULL, expires_at REAL NOT NULL, used_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS member (
  kind TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, functions TEXT NOT NULL,
  is_trusted INTEGER NOT NULL, rate REAL NOT NULL, joined_at REAL NOT NULL,
  revoked_at REAL NOT NULL DEFAULT 0, granted_by TEXT NOT NULL DEFAULT '', expires_at REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, key)
) STRICT;
"""

_LEARN: Final = """
INSERT INTO member (kind, name, key, functions, is_trusted, rate,
  joined_at, revoked_at, granted_by, expires_at)
VALUES (:kind, :name, :key, :functions, :is_trusted, :rate, :joined_at, :revoked_at, :granted_by, :expires_at)
ON CONFLICT (kind, key) DO UPDATE SET
  name = excluded.name, functions = excluded.functions, is_trusted = excluded.is_trusted,
  rate = excluded.rate, joined_at = excluded.joined_at, revoked_at = excluded.revoked_at,
  granted_by = excluded.granted_by, expires_at = excluded.expires_at
WHERE max(excluded.joined_at, excluded.revoked_at) > max(member.joined_at, member.revoked_at)
"""
_SHUT_OUT_NAMESAKES: Final = """
UPDATE member SET revoked_at = :now WHERE revoked_at = 0 AND EXISTS (
  SELECT 1 FROM member AS first WHERE first.kind = member.kind AND first.name = member.name
  AND first.revoked_at = 0 AND (first.joined_at, first.key) < (member.joined_at, member.key))
"""


@dataclass(frozen=True)
class Terms:
    """What a member may do."""

    kind: Kind
    name: str
    functions: tuple[str, ...] = ()
    """What a client may call, as `function` or `node.function`; everything where none is named."""
    is_trusted: bool = False
    """Whether a node is as good as the owner's own."""
    rate: float = 0.0
    """Messages a second that a client may send; 0 for the gateway's default."""


@dataclass(frozen=True)
class Member:
    """A device that joined."""

    terms: Terms
    key: str
    """Its public key, which is what it is known by."""
    joined_at: float
    revoked_at: float = 0.0
    """When it was shut out; 0 while it is not."""
    granted_by: str = ""
    """The key of the client whose grant it holds; "" where the owner invited it."""
    expires_at: float = 0.0
    """When its rights end; 0 for never."""


class Members:
    """The members of a network, in an SQLite file. Times are the caller's, in Unix seconds."""

    def __init__(self, path: Path | None) -> None:
        """`path` is None for a network that nobody can be invited to because it ends with its process."""
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.touch(mode=0o600)
            self._database = sqlite3.connect(path or ":memory:", isolation_level=None)
            self._database.executescript(_SCHEMA)
            self.spending = Spending(self._database)
        except (OSError, sqlite3.Error) as error:
            raise DataDirectoryUnusable.at(path or Path(), error) from error

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def invite(self, terms: Terms, secret: bytes, expires_at: float) -> None:
        """Let whoever has the secret join once, until then; raises NameTaken where the name has a member."""
        if self.named(terms.kind, terms.name) is not None:
            raise _taken(terms)
        self._database.execute(
            "INSERT INTO invitation (secret_digest, kind, name, functions, is_trusted, rate, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (sha256(secret).digest(), *_row(terms), expires_at),
        )

    def redeem(self, secret: bytes, key: str, now: float) -> Member:
        """Make the device with this key a member; raises TokenRejected or NameTaken.

        A device that asks again, because it did not hear the answer, gets the same answer.
        """
        digest = sha256(secret).digest()
        found = self._database.execute(
            "SELECT kind, name, functions, is_trusted, rate, expires_at, used_by FROM invitation"
            " WHERE secret_digest = ?",
            (digest,),
        ).fetchone()
        if found is None:
            raise TokenRejected("this gateway has made no such token", hint="Ask its owner for one.")
        *row, expires_at, used_by = found
        terms = _terms(row)
        if used_by and used_by != key:
            raise TokenRejected(
                f"the token for {terms.kind} {terms.name!r} was used already, by another device",
                hint="A token is for one device. Ask the gateway's owner for another one.",
            )
        if now >= expires_at:
            raise TokenRejected(
                f"the token for {terms.kind} {terms.name!r} has expired",
                hint="Ask the gateway's owner for a new one.",
            )
        if (known := self.named(terms.kind, terms.name)) is not None and known.key != key:
            raise _taken(terms)
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("UPDATE invitation SET used_by = ? WHERE secret_digest = ?", (key, digest))
            return self._add(Member(terms, key, now))

    def grant(self, member: Member, caps: Iterable[Cap]) -> Member:
        """Make the holder of a grant a member, whose spending counts against each of the caps.

        Raises TokenRejected where the client whose grant it is has been shut out.
        """
        if member.granted_by != LOCAL_CLIENT and self.with_key("client", member.granted_by) is None:
            raise TokenRejected("the client whose grant it is has been shut out")
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            added = self._add(member)
            self.spending.limit(member.terms.name, caps)
            return added

    def _add(self, member: Member) -> Member:
        """Remember a member. A key stands for one member, and is worth nothing once it is shut out."""
        known = next(iter(self._all("AND key = ?", member.terms.kind, member.key)), None)
        if known is not None and known.revoked_at:
            raise TokenRejected(
                f"this device was shut out of the network, as {known.terms.name!r}",
                hint="Ask the gateway's owner for a new token.",
            )
        if known is not None and (known.terms.name, known.granted_by) != (
            member.terms.name,
            member.granted_by,
        ):
            raise TokenRejected(f"this key has joined already, as {known.terms.name!r}")
        self._database.execute(
            "INSERT OR REPLACE INTO member (kind, name, functions, is_trusted, rate, key, joined_at,"
            " granted_by, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*_row(member.terms), member.key, member.joined_at, member.granted_by, member.expires_at),
        )
        return member

    def named(self, kind: Kind, name: str) -> Member | None:
        """The member of that name that is not shut out."""
        return next((m for m in self._all("AND name = ? AND revoked_at = 0", kind, name)), None)

    def with_key(self, kind: Kind, key: str) -> Member | None:
        """The member that has this key and is not shut out."""
        return next((m for m in self._all("AND key = ? AND revoked_at = 0", kind, key)), None)

    def all(self) -> list[Member]:
        """Everybody who ever joined, by kind and name."""
        return [*self._all("", "client"), *self._all("", "node")]

    def revoke(self, member: Member, now: float) -> None:
        """Shut a member out, with all who hold grants of it. Its name is free again."""
        by = member.key if member.terms.kind == "client" else ""
        self._database.execute(
            "UPDATE member SET revoked_at = ? WHERE revoked_at = 0 AND"
            " ((kind = ? AND key = ?) OR (granted_by != '' AND granted_by = ?))",
            (now, member.terms.kind, member.key, by),
        )

    def revoked(self, kind: Kind) -> dict[str, int]:
        """The keys that are shut out, each with the Unix second up to which its rights are void."""
        return {m.key: int(m.revoked_at) for m in self._all("AND revoked_at > 0", kind)}

    def rows(self) -> list[dict[str, Any]]:
        """Everybody who ever joined, as plain data for the network's other gateways."""
        found = self._database.execute("SELECT * FROM member")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def learn(self, rows: Iterable[Mapping[str, Any]], now: float) -> bool:
        """Take over what another gateway knows; True where somebody is shut out by it.

        What happened later to a member counts. Where two gateways have let devices in under one name, the
        later one is shut out.
        """
        before = [self.revoked("node"), self.revoked("client")]
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            for row in rows:
                self._database.execute(_LEARN, dict(row))
            self._database.execute(_SHUT_OUT_NAMESAKES, {"now": now})
        return before != [self.revoked("node"), self.revoked("client")]

    def _all(self, condition: str, *values: str) -> list[Member]:
        rows = self._database.execute(
            "SELECT kind, name, functions, is_trusted, rate,"
            " key, joined_at, revoked_at, granted_by, expires_at FROM member"
            f" WHERE kind = ? {condition} ORDER BY name, joined_at",
            values,
        )
        return [Member(_terms(row[:5]), *row[5:]) for row in rows]


def _taken(terms: Terms) -> NameTaken:
    return NameTaken(
        f"a {terms.kind} named {terms.name!r} has joined this network already, with a key of its own",
        hint=f"Choose another name, or shut that one out first: easynet revoke {terms.kind} {terms.name}.",
    )


def _row(terms: Terms) -> tuple[str, str, str, bool, float]:
    return terms.kind, terms.name, json.dumps(terms.functions), terms.is_trusted, terms.rate


def _terms(row: Sequence[object]) -> Terms:
    kind, name, functions, is_trusted, rate = row
    assert kind in ("node", "client")
    return Terms(
        "node" if kind == "node" else "client",
        str(name),
        tuple(json.loads(str(functions))),
        bool(is_trusted),
        float(str(rate)),
    )
