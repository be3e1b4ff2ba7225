"""What a job gives, of which no more than so much is kept."""

from typing import Final

from easynet.core.errors import Unencodable

MAX_ITEMS: Final = 100_000
MAX_KEPT_BYTES: Final = 64 * 1024 * 1024
"""Of one job's items and result. Large values are references and count little."""
MAX_EVENT_BYTES: Final = 7 * 1024 * 1024


class JobOutput:
    """Counts a job's items, and what they and its result take."""

    def __init__(self) -> None:
        self.items = 0
        """Of this attempt, the ones that are kept."""
        self.written_bytes = 0
        """Of all attempts that were seen here."""
        self._bytes = 0

    def begin(self) -> None:
        """The items come from the first again."""
        self.items = self._bytes = 0

    def add(self, value: bytes) -> None:
        """Count an item or a result that is about to be kept; raises Unencodable where it is too much."""
        self._bytes += len(value)
        if len(value) > MAX_EVENT_BYTES or self._bytes > MAX_KEPT_BYTES or self.items >= MAX_ITEMS:
            raise Unencodable(
                f"the job gave more than a gateway keeps: {MAX_ITEMS:,} items or {MAX_KEPT_BYTES:,} bytes",
                hint="Write it to a file, and return its path.",
            )
        self.written_bytes += len(value)
