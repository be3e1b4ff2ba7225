"""What a call has said of how far it is, for whoever asks after it later."""

import time
from collections.abc import Iterator
from typing import Final

from easynet.fabric.wire.updates import Progress, encode_update

_EVERY_S: Final = 0.5
_MAX_KEPT: Final = 1000


class ToldProgress:
    """What a call has said, thinned out to about two words a second: the latest of them."""

    def __init__(self) -> None:
        self._told: list[tuple[float, Progress]] = []

    def add(self, progress: Progress) -> None:
        """The call has said something more."""
        now, told = time.monotonic(), self._told
        if len(told) > 1 and now - told[-2][0] < _EVERY_S:
            told.pop()
        told.append((now, progress))
        del told[:-_MAX_KEPT]

    def __iter__(self) -> Iterator[bytes]:
        """The encoded updates that tell it once more."""
        now = time.monotonic()
        for said_at, progress in list(self._told):
            again = Progress(progress.fraction, progress.message, progress.number, now - said_at)
            yield encode_update(again)
