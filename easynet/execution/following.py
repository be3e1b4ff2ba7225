"""One call of one subtask on one node, while it runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from easynet.core.call import CallUpdate, Progressed, Returned, Yielded
from easynet.core.errors import NodeUnreachable

_PROGRESS_EVERY_S = 0.25
"""Faces redraw no faster, and each progress event is a row in the journal."""


@dataclass(frozen=True)
class Result:
    """What a call gave, as a value and as the journal keeps it."""

    value: Any
    body: bytes


class Progress:
    """Passes progress on, the first at once and then the latest at most every quarter of a second."""

    def __init__(self, report: Callable[[Progressed], None]) -> None:
        self._report = report
        self._latest: Progressed | None = None
        self._timer: asyncio.TimerHandle | None = None

    def say(self, progressed: Progressed) -> None:
        self._latest = progressed
        if self._timer is None:
            self._pass_on()

    def close(self) -> None:
        """Nothing is passed on any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _pass_on(self) -> None:
        self._timer = None
        if self._latest is not None:
            self._report(self._latest)
            self._latest = None
            self._timer = asyncio.get_running_loop().call_later(_PROGRESS_EVERY_S, self._pass_on)


async def follow(
    updates: AsyncIterator[CallUpdate], streaming: bool, report: Callable[[Progressed], None]
) -> Any:
    """The value that a call returns; of a streaming function, the list of its items.

    Raises what the call raises, and NodeUnreachable where the updates end before the call does.
    """
    progress = Progress(report)
    items: list[Any] = []
    returned: Returned | None = None
    try:
        async for update in updates:
            match update:
                case Progressed():
                    progress.say(update)
                case Yielded():
                    items.append(update.value)
                case Returned():
                    returned = update
    finally:
        progress.close()
    if returned is None:
        raise NodeUnreachable("the call ended without a result")
    return items if streaming else returned.value
