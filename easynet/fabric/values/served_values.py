"""The large values of one call, as its node gets and gives them."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from easynet.core.artifact import Artifact
from easynet.core.errors import NodeRefused, NodeUnreachable
from easynet.fabric.values.arrival_room import ArrivalRoom, RoomTaken
from easynet.fabric.values.held_values import HeldValues, Memory
from easynet.fabric.values.intake import Intake
from easynet.fabric.values.parcels import Parcel
from easynet.fabric.values.recent_values import RecentValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire.blobs import Blob
from easynet.fabric.wire.encoding import encode
from easynet.fabric.wire.large_values import Coming, Known, Want
from easynet.fabric.wire.references import references


@dataclass(frozen=True)
class NodeValues:
    """What the large values of all calls of a node share."""

    transfer: Transfer
    memory: Memory = field(default_factory=Memory)
    recent: RecentValues = field(default_factory=RecentValues)
    room: ArrivalRoom = field(default_factory=ArrivalRoom)


class ServedValues:
    """The large values of one call: those of its arguments are got, those of its result are kept."""

    def __init__(
        self,
        shared: NodeValues,
        ask: Callable[[Want], None],
        announce: Callable[[Coming | Known], None],
        *,
        client: str,
        is_direct: bool,
    ) -> None:
        """`ask` asks the client; `announce`, from any thread, tells it of its result's values.

        What is not direct goes by way of the gateway, and so do all files.
        """
        self._shared = shared
        self._store = shared.transfer.store
        self._ask = ask
        self._announce = announce
        self._client = client
        self._is_direct = is_direct
        self._intake: Intake | None = None
        self.held: HeldValues | None = None
        """The values of the result that the client will ask for."""

    async def get(self, wanted: Iterable[Artifact], *, for_another_process: bool) -> None:
        """Have everything here that the arguments refer to."""
        if not self._is_direct:
            await self._shared.transfer.pull_all(wanted)
            return
        taken = RoomTaken(self._shared.room, self._client)
        self._intake = Intake(self._shared.transfer, self._ask, self._shared.recent, taken)
        await self._intake.get_all(wanted)
        if for_another_process:
            await asyncio.to_thread(self._intake.store_all)
            self.forget()

    def value(self, artifact: Artifact) -> bytes | Blob:
        """An artifact that is here, to be decoded. May be called from any thread."""
        return self._store.value(artifact) if self._intake is None else self._intake.value(artifact)

    def forget(self) -> None:
        """The arguments have been decoded, or never will be. May be called from any thread."""
        intake, self._intake = self._intake, None
        if intake is not None:
            intake.release()

    def encoded(self, value: object, inline_bytes: int, *, is_item: bool) -> bytes:
        """A result, or an item of a stream, as it travels. May be called from any thread."""
        # Items would stay in memory for as long as their reader is slow.
        if not self._is_direct or is_item:
            return encode(value, self._store.put, self._store.put_file, inline_bytes=inline_bytes)
        held = self.held = HeldValues(self._store, self._shared.memory, self._announce)
        data = encode(value, held.put, self._store.put_file, inline_bytes=inline_bytes)
        held.settle()
        return data

    async def give(self, value: bytes) -> None:
        """See that the gateway has what an encoded result refers to and the client will not ask for here."""
        held = self.held
        await self._shared.transfer.push_all(a for a in references(value) if held is None or a not in held)

    def take(self, parcel: Parcel) -> None:
        """The client has answered."""
        if self._intake is not None:
            self._intake.take(parcel)

    def ask_again(self) -> None:
        """The connection broke, and is back."""
        if self._intake is not None:
            self._intake.ask_again()

    def check(self) -> None:
        """Notice where the client has stopped answering."""
        if self._intake is not None:
            self._intake.check(NodeUnreachable("the client does not give the values of the arguments"))

    def give_up(self) -> None:
        """The client waits no more."""
        if self._intake is not None:
            self._intake.fail(NodeRefused("the call was given up"))
