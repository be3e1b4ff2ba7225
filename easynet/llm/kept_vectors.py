"""Vectors of texts that do not change, kept in memory and in a file, so that each is computed once."""

import contextlib
import hashlib
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from easynet.llm.embedder import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BUSY_TIMEOUT_S = 2.0
_MOST = 100_000
"""Vectors that are kept, 1 kB each in the file; beyond that all go, and what is in use comes again."""
_AT_ONCE = 500
"""Below the number of variables that SQLite allows in a statement."""
_SCHEMA = "CREATE TABLE IF NOT EXISTS vector (digest BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"

Vectors = dict[bytes, "NDArray[np.float32]"]


class KeptVectors:
    """An embedder's vectors by the digest of model and text. A file that cannot be used is done without."""

    def __init__(self, embedder: Embedder, path: Path | None = None) -> None:
        self._embedder = embedder
        self._name = embedder.name
        self._path = path
        self._kept: Vectors = {}
        self._lock = threading.Lock()

    def of(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """One row for each text, in their order. Only what was never seen is computed. For any thread."""
        import numpy as np  # of the extra

        digests = [self._digest(text) for text in texts]
        with self._lock:
            self._keep(dict(zip(digests, texts, strict=True)))
            return np.stack([self._kept[d] for d in digests])

    def _keep(self, text_of: Mapping[bytes, str]) -> None:
        import numpy as np  # of the extra

        if len(self._kept) > _MOST:
            self._kept.clear()
        if wanted := [d for d in text_of if d not in self._kept]:
            self._kept |= self._read(wanted)
        if missing := [d for d in wanted if d not in self._kept]:
            rows = self._embedder.embed([text_of[d] for d in missing]).astype(np.float16)
            self._write({d: row.tobytes() for d, row in zip(missing, rows, strict=True)})
            self._kept |= dict(zip(missing, rows.astype(np.float32), strict=True))

    def _digest(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._name}\0{text}".encode()).digest()

    def _read(self, wanted: Sequence[bytes]) -> Vectors:
        found: Vectors = {}
        with contextlib.suppress(sqlite3.Error, OSError):
            if self._path is None or not self._path.exists():
                return found
            with closing(self._open(self._path)) as db:
                for start in range(0, len(wanted), _AT_ONCE):
                    part = wanted[start : start + _AT_ONCE]
                    marks = ",".join("?" * len(part))
                    rows = db.execute(f"SELECT digest, value FROM vector WHERE digest IN ({marks})", part)
                    found |= {d: row for d, value in rows if (row := _row(value)) is not None}
        return found

    def _write(self, rows: Mapping[bytes, bytes]) -> None:
        with contextlib.suppress(sqlite3.Error, OSError):
            if self._path is None:
                return
            with closing(self._open(self._path)) as db, db:
                db.execute(_SCHEMA)
                if db.execute("SELECT count(*) FROM vector").fetchone()[0] + len(rows) > _MOST:
                    db.execute("DELETE FROM vector")
                db.executemany("INSERT OR REPLACE INTO vector VALUES (?, ?)", rows.items())

    def _open(self, path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S)


def _row(value: bytes) -> "NDArray[np.float32] | None":
    """A vector from the file; none where it is damaged, which shows in its length."""
    import numpy as np  # of the extra

    if not value or len(value) % 2:
        return None
    row = np.frombuffer(value, np.float16).astype(np.float32)
    return row if 0.98 < float(row @ row) < 1.02 else None
