"""A large value on its way from the other side of a call."""

import asyncio
import hashlib
import io
from collections.abc import Callable
from typing import Final

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, EasyNetError
from easynet.fabric.values.drafts import PART_BYTES
from easynet.fabric.values.parcels import Kind, Parcel
from easynet.fabric.values.parts import Window
from easynet.fabric.wire.blobs import BLOB_HEAD_BYTES, Blob, blob_begins

OVERDUE_S: Final = 5.0
"""A part that is not there after this is asked for again."""


class Arrival:
    """A value that arrives in memory, in parts that are asked for. Times are the caller's.

    It is put together and taken into its digest while the next parts are on their way. There is no task and
    no future for each part, and no thread: they would take longer than all the rest.
    """

    def __init__(
        self, artifact: Artifact, ask: Callable[[int, int], None], now: float, *, is_known: bool = True
    ) -> None:
        """`ask` asks for so many parts, the first of which begins at an offset.

        A value whose digest is not known yet has another name in its place.
        """
        self.artifact = artifact
        self.heard_at = now
        """When the other side last gave something."""
        self.end: asyncio.Future[Kind | bytes | Blob] = asyncio.get_running_loop().create_future()
        """The value, or what the other side says instead."""
        self._ask = ask
        self._is_known = is_known
        self._asked_at_by_offset: dict[int, float] = {}
        self._next_to_ask = 0
        self._window = Window()
        self._early: dict[int, bytes] = {}
        """Parts that are there before others that come before them."""
        self._sha256 = hashlib.sha256()
        self._content = io.BytesIO()
        self._is_blob = False
        self._there = 0
        # Before anything else it has to be known who has it.
        self._ask_for(1, now)

    def take(self, parcel: Parcel, now: float) -> None:
        """Something has come."""
        self.heard_at = now
        if self.end.done():
            return
        if parcel.kind is not Kind.PART:
            self.end.set_result(parcel.kind)
            return
        asked_at = self._asked_at_by_offset.pop(parcel.offset, None)
        if asked_at is None:
            return  # it came twice
        if len(parcel.data) != min(PART_BYTES, self.artifact.size_bytes - parcel.offset):
            self.fail(BadData("a part that does not fit its value"))
            return
        self._window.learn(now - asked_at)
        self._keep(parcel)
        self._ask_on(now)

    def known(self, artifact: Artifact) -> None:
        """The digest is known now."""
        self.artifact, self._is_known = artifact, True
        self._finish_if_whole()

    def ask_again(self, now: float, overdue_s: float = 0.0) -> None:
        """Ask once more for what was asked for so long ago and has not come."""
        for offset, asked_at in self._asked_at_by_offset.items():
            if now - asked_at >= overdue_s and not self.end.done():
                self._asked_at_by_offset[offset] = now
                self._ask(offset, 1)

    def fail(self, error: EasyNetError) -> None:
        """It will not arrive."""
        if not self.end.done():
            self.end.set_exception(error)

    def _keep(self, parcel: Parcel) -> None:
        """A part has come that was asked for."""
        if parcel.offset != self._there:
            self._early[parcel.offset] = bytes(parcel.data)
        else:
            self._append(parcel.data)
            while (part := self._early.pop(self._there, None)) is not None:
                self._append(part)
        self._finish_if_whole()

    def _ask_on(self, now: float) -> None:
        # Several at once: a question costs both sides and the server as much as any small message.
        together = max(1, self._window.size // 8)
        while self._on_the_way + together <= self._window.size and self._left_to_ask:
            self._ask_for(min(together, self._left_to_ask), now)

    @property
    def _on_the_way(self) -> int:
        """How many parts were asked for that are not kept yet."""
        return len(self._asked_at_by_offset)

    @property
    def _left_to_ask(self) -> int:
        return -(-(self.artifact.size_bytes - self._next_to_ask) // PART_BYTES)

    def _ask_for(self, count: int, now: float) -> None:
        first = self._next_to_ask
        self._next_to_ask += count * PART_BYTES
        self._asked_at_by_offset |= dict.fromkeys(range(first, self._next_to_ask, PART_BYTES), now)
        self._ask(first, count)

    def _append(self, part: memoryview | bytes) -> None:
        self._sha256.update(part)
        if not self._there and blob_begins(bytes(part[:16]), self.artifact.size_bytes):
            self._is_blob = True
        begin = BLOB_HEAD_BYTES if self._is_blob and not self._there else 0
        self._content.write(part[begin:])
        self._there += len(part)

    def _finish_if_whole(self) -> None:
        if self._there != self.artifact.size_bytes or not self._is_known or self.end.done():
            return
        if self._sha256.hexdigest() != self.artifact.digest:
            self.fail(BadData("the bytes that arrived are not those of the value"))
            return
        content = self._content.getvalue()  # these very bytes, not a copy
        self.end.set_result(Blob(content) if self._is_blob else content)
