"""Whoever hears how a call goes."""

import contextlib

from easynet.core.errors import GatewayError
from easynet.fabric.serving.callers import Caller
from easynet.fabric.transport.connection import Connection
from easynet.fabric.wire.updates import encode_piece


class Audience:
    """A call's caller, and other calls of the same client's that get the same answers.

    What does not arrive is not missed: whoever waits asks again when the connection is back.
    """

    __slots__ = ("_connection", "_followers", "_id", "_reply", "caller", "is_over")

    def __init__(self, connection: Connection, caller: Caller, id_: str, reply: str) -> None:
        """`reply` is the subject for the first answer, on which the server counts."""
        self.caller = caller
        self.is_over = False
        """Whether nobody is told anything any more."""
        self._connection = connection
        self._id = id_
        self._reply = reply
        self._followers: list[str] | None = None

    @property
    def _subject(self) -> str:
        return self.caller.prefix + self._id

    def tell(self, message: bytes) -> None:
        """Send an update, unless the call is over for its caller."""
        if self.is_over:
            return
        subject, self._reply = self._reply or self._subject, ""
        # Every call comes by here, or below, and contextlib.suppress takes as long as the sending.
        try:
            self._connection.send(subject, message)
            if self._followers:
                for follower in self._followers:
                    self._connection.send(follower, message)
        except GatewayError:
            pass

    def tell_last(self, message: bytes) -> None:
        """Send how the call ended, together with how others of the same caller's did."""
        if self._reply or self._followers or self.is_over:
            self.tell(message)
        else:
            try:  # noqa: SIM105
                self._connection.send_together(
                    self.caller.prefix + "updates", encode_piece(self._id, message)
                )
            except GatewayError:
                pass

    async def tell_in_turn(self, message: bytes) -> None:
        """Send an item of a stream, and wait while too much waits to be sent."""
        if not self.is_over:
            subject, self._reply = self._reply or self._subject, ""
            with contextlib.suppress(GatewayError):
                await self._connection.publish(subject, message)

    def ask(self, message: bytes) -> None:
        """Ask the caller for something that belongs to the call."""
        with contextlib.suppress(GatewayError):
            self._connection.send(self._subject, message)

    def speak_directly(self) -> None:
        """The way back of the first answer is gone, with the server that knew it."""
        self._reply = ""

    def hand_to(self, caller: Caller, id_: str) -> None:
        """It is another call's from now on, for the same work; the call that it was gets the same answers."""
        others = [subject for subject in self._followers or () if subject != caller.prefix + id_]
        self._followers = [*others, self._subject]
        self.speak_directly()
        self.caller, self._id = caller, id_

    def unfollow(self, id_: str) -> None:
        """One of the calls that got the same answers wants no more of them."""
        self._followers = [s for s in self._followers or () if not s.endswith(f".{id_}")]

    @property
    def following(self) -> list[tuple[str, str]]:
        """The inboxes and ids of the calls that get the same answers, the latest first."""
        return [(s.split(".")[2], s.split(".")[3]) for s in reversed(self._followers or ())]
