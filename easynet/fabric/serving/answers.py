"""What a node says to clients in answer to their messages."""

import asyncio
import contextlib
from collections.abc import Iterable

from easynet.core.errors import EasyNetError, GatewayError
from easynet.fabric.serving.finished_calls import FinishedCall
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.values.parcels import Kind, Parcel, encode_parcel
from easynet.fabric.wire.large_values import Want


class Answers:
    """Sends what does not come from a call that runs. What does not arrive is asked for again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tasks: set[asyncio.Task[None]] = set()

    def say(self, subject: str, message: bytes) -> None:
        """Send an answer; none where nobody asked."""
        if subject:
            with contextlib.suppress(GatewayError):
                self._connection.send(subject, message)

    def replay(self, finished: FinishedCall, reply: str, subject: str, received: int = 0) -> None:
        """Say once more how a call ended, with the items that its reader has not got."""
        for number, item in enumerate(finished.items, finished.items_before):
            if number >= received:
                self.say(reply or subject, item)
                reply = ""
        self.say(reply or subject, finished.last)

    def give(self, held: HeldValues | None, want: Want, subject: str) -> None:
        """Give a client a part of a large value of a result."""
        if held is None:
            self._send(subject, [Parcel(Kind.ELSEWHERE, want.digest)])
        elif held.is_quick(want):
            self._send(subject, held.answers(want))
        else:
            task = asyncio.create_task(self._give_late(held, want, subject))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _give_late(self, held: HeldValues, want: Want, subject: str) -> None:
        with contextlib.suppress(EasyNetError):
            self._send(subject, await asyncio.to_thread(held.answers, want))

    def _send(self, subject: str, parcels: Iterable[Parcel]) -> None:
        with contextlib.suppress(GatewayError):
            for parcel in parcels:
                self._connection.send_pieces(subject, encode_parcel(parcel))


def subject_of(client: str, inbox: str, id_: str) -> str:
    """Where a client hears of a call of its own."""
    return f"re.{client}.{inbox}.{id_}"
