"""The large values of a client's calls: it gives those of arguments, and gets those of results."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Protocol

from easynet.core.artifact import Artifact
from easynet.core.errors import EasyNetError, NodeUnreachable
from easynet.fabric.calling.peer import Peer
from easynet.fabric.calling.pending_call import PendingCall
from easynet.fabric.values.arrival_room import ArrivalRoom, RoomTaken
from easynet.fabric.values.held_values import HeldValues, Memory
from easynet.fabric.values.intake import Intake
from easynet.fabric.values.parcels import Kind, Parcel, decode_parcel, encode_parcel
from easynet.fabric.values.recent_values import RecentValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire.large_values import Coming, Known, Want, encode_want


class Tell(Protocol):
    """Tells the node of a call something about it, in pieces that belong together."""

    def __call__(self, call: PendingCall, what: str, /, *pieces: bytes | memoryview) -> None: ...


class ClientValues:
    """What the calls of one client exchange with their nodes."""

    def __init__(self, transfer: Transfer, inbox: str, tell: Tell) -> None:
        """`inbox` is where the nodes answer."""
        self._transfer = transfer
        self._inbox = inbox
        self._tell = tell
        self._memory = Memory()
        self._room = ArrivalRoom()
        # A result is taken once.
        self._recent = RecentValues(max_bytes=0)
        self._intake_by_id: dict[str, tuple[Peer, Intake]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def hold(self) -> HeldValues:
        """A place for the values of a call's arguments."""
        return HeldValues(self._transfer.store, self._memory)

    async def get(self, call: PendingCall, artifacts: Iterable[Artifact]) -> Intake:
        """Get the values of a result from the node that made it; raises BadData or NodeUnreachable."""

        intake = self._intake(call)
        try:
            await intake.get_all(artifacts)
        finally:
            self.drop(call)
            self._tell(call, "done", b"")
        return intake

    def givers(self) -> set[Peer]:
        """The nodes that are to give something, or were it before a change."""
        return {peer for peer, _ in self._intake_by_id.values()}

    def hear(self, call: PendingCall, update: Want | Coming | Known) -> None:
        """A node wants something, or has made a value whose digest will be known in a moment."""
        match update:
            case Want():
                self._give(call, update)
            case Coming():
                self._intake(call).expect(update)
            case Known():
                self._intake(call).known(update)

    def drop(self, call: PendingCall) -> None:
        """Nothing of the call's result is wanted any more. Does nothing where nothing was."""
        if (found := self._intake_by_id.pop(call.id, None)) is not None:
            found[1].fail(NodeUnreachable("the result is not wanted any more"))

    def _intake(self, call: PendingCall) -> Intake:
        if (found := self._intake_by_id.get(call.id)) is not None:
            return found[1]

        def ask(want: Want) -> None:
            self._tell(call, "want", encode_want(want, self._inbox))

        intake = Intake(self._transfer, ask, self._recent, RoomTaken(self._room, call.peer.node))
        self._intake_by_id[call.id] = call.peer, intake
        return intake

    def take(self, call: str, message: memoryview) -> None:
        """A node has answered."""
        if (found := self._intake_by_id.get(call)) is not None:
            with contextlib.suppress(EasyNetError):  # it is asked again
                found[1].take(decode_parcel(message))

    def ask_again(self) -> None:
        """The connection broke, and is back."""
        for _, intake in self._intake_by_id.values():
            intake.ask_again()

    def check(self) -> None:
        """Notice which nodes have stopped answering."""
        for peer, intake in self._intake_by_id.values():
            intake.check(NodeUnreachable(f"the node {peer.node} does not give the values of its result"))

    def fail(self, error: EasyNetError, peer: Peer | None = None) -> None:
        """Nothing more will come, or nothing from one node."""
        for other, intake in list(self._intake_by_id.values()):
            if peer is None or other is peer:
                intake.fail(error)

    async def close(self) -> None:
        """Give nothing any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _give(self, call: PendingCall, want: Want) -> None:
        if call.values is None:
            self._answer(call, [Parcel(Kind.ELSEWHERE, want.digest)])
        elif call.values.is_quick(want):
            self._answer(call, call.values.answers(want))
        else:
            task = asyncio.create_task(self._give_late(call, call.values, want))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _give_late(self, call: PendingCall, values: HeldValues, want: Want) -> None:
        with contextlib.suppress(EasyNetError):  # it is asked for again, or in vain
            self._answer(call, await asyncio.to_thread(values.answers, want))

    def _answer(self, call: PendingCall, parcels: Iterable[Parcel]) -> None:
        for parcel in parcels:
            self._tell(call, "part", *encode_parcel(parcel))
