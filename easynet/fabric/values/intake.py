"""Gets the large values of one call from its other side."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from easynet.core.artifact import Artifact
from easynet.core.errors import EasyNetError, Overloaded
from easynet.fabric.values.arrival import OVERDUE_S, Arrival
from easynet.fabric.values.arrival_on_disk import ArrivalOnDisk
from easynet.fabric.values.arrival_room import RoomTaken
from easynet.fabric.values.held_values import MAX_VALUE_BYTES
from easynet.fabric.values.parcels import Kind, Parcel
from easynet.fabric.values.parts import PartsOnTheWay
from easynet.fabric.values.recent_values import RecentValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire.blobs import Blob, pieces_of
from easynet.fabric.wire.large_values import Coming, Known, Want
from easynet.fabric.wire.references import may_refer, references

_MAX_EXPECTED: Final = 64
SILENCE_S: Final = 30.0
"""A side that is connected and gives nothing for so long has gone."""


class Intake:
    """The large values of one call, as the side that needs them gets them.

    Values come from the other side of the call, in memory where there is room, and otherwise into the store;
    files and what that side does not hold come from the gateway, into the store. What is in the store already
    is not sent.
    """

    def __init__(
        self, transfer: Transfer, ask: Callable[[Want], None], recent: RecentValues, taken: RoomTaken
    ) -> None:
        """`ask` asks the other side. `taken` is what the values take of the memory."""
        self._taken = taken
        self._transfer = transfer
        self._store = transfer.store
        self._ask = ask
        self._recent = recent
        self._loop = asyncio.get_running_loop()
        self._arrival_by_digest: dict[str, Arrival] = {}
        self._early_by_digest: dict[str, Arrival] = {}
        self._value_by_digest: dict[str, bytes | Blob] = {}
        self._error: EasyNetError | None = None

    async def get_all(self, artifacts: Iterable[Artifact]) -> None:
        """Get artifacts, and all that they refer to; raises BadData, NodeError or GatewayError."""
        seen: set[Artifact] = set()
        waiting = list(artifacts)
        while level := list(dict.fromkeys(a for a in waiting if a not in seen)):
            seen.update(level)
            waiting = []

            async def get(
                number: int, level: list[Artifact] = level, found: list[Artifact] = waiting
            ) -> None:
                found += await self._get(level[number])

            await PartsOnTheWay(get, range(len(level))).run()

    def expect(self, coming: Coming) -> None:
        """A value is coming whose digest is not known yet: begin to get it."""
        if (
            coming.store == self._store.identity
            or coming.size_bytes > MAX_VALUE_BYTES
            or len(self._arrival_by_digest) >= _MAX_EXPECTED
            or not self._taken.take(coming.size_bytes)
        ):
            return
        named = Artifact(digest=coming.name, size_bytes=coming.size_bytes)
        self._arrival_by_digest[coming.name] = self._new_arrival(named, "", is_known=False)

    def known(self, known: Known) -> None:
        """The digest of such a value is known now."""
        if (arrival := self._arrival_by_digest.get(known.name)) is not None:
            arrival.known(Artifact(digest=known.digest, size_bytes=arrival.artifact.size_bytes))
            self._early_by_digest[known.digest] = arrival

    def value(self, artifact: Artifact) -> bytes | Blob:
        """What was got, to be decoded; raises BadData. May be called from any thread."""
        value = self._value_by_digest.get(artifact.digest)
        return self._store.value(artifact) if value is None else value

    def store_all(self) -> None:
        """Put all of it into the store, for another process to read. May be called from any thread."""
        for value in self._value_by_digest.values():
            self._store.put(*pieces_of(value))

    def release(self) -> None:
        """Nothing of it is needed in memory any more. May be called from any thread."""
        self._value_by_digest = {}
        self._taken.give_back()

    def take(self, parcel: Parcel) -> None:
        """The other side has answered."""
        if (arrival := self._arrival_by_digest.get(parcel.digest)) is not None:
            arrival.take(parcel, self._loop.time())

    def ask_again(self) -> None:
        """The connection broke, and what was asked or answered meanwhile is lost."""
        now = self._loop.time()
        for arrival in self._arrival_by_digest.values():
            arrival.heard_at = now
            arrival.ask_again(now)

    def check(self, late: EasyNetError) -> None:
        """Ask once more for what should be here; where nothing comes at all, end it with that error."""
        now = self._loop.time()
        for arrival in list(self._arrival_by_digest.values()):
            if now - arrival.heard_at > SILENCE_S:
                arrival.fail(late)
            else:
                arrival.ask_again(now, OVERDUE_S)

    def fail(self, error: EasyNetError) -> None:
        """Nothing more will come."""
        self._error = error
        arrivals, self._arrival_by_digest = self._arrival_by_digest, {}
        for arrival in arrivals.values():
            arrival.fail(error)

    async def _get(self, artifact: Artifact) -> list[Artifact]:
        """Get one artifact; the ones that it refers to."""
        async with self._recent.turn(artifact):
            value = self._recent.get(artifact, self._loop.time())
            if value is None:
                value = await self._fetched(artifact)
            elif not self._taken.take(artifact.size_bytes):
                await asyncio.to_thread(self._store.put, *pieces_of(value))
                value = None
        if value is None:
            return await asyncio.to_thread(self._transfer.inner, artifact)
        self._value_by_digest[artifact.digest] = value
        if isinstance(value, Blob) or not may_refer(value[:1]):
            return []
        return await asyncio.to_thread(references, value)

    async def _fetched(self, artifact: Artifact) -> bytes | Blob | None:
        """The value of an artifact; None where it is in the store."""
        if artifact.filename or artifact.size_bytes > MAX_VALUE_BYTES:
            await self._transfer.pull(artifact)
            return None
        if (early := self._early_by_digest.pop(artifact.digest, None)) is not None:
            given: Kind | bytes | Blob = await early.end
        elif await asyncio.to_thread(self._store.has, artifact):
            return None
        else:
            given = await self._arrived(artifact, self._store.identity)
        if given is Kind.IN_STORE:
            if await asyncio.to_thread(self._store.has, artifact):
                return None
            given = await self._arrived(artifact, "")  # two stores, one of which is a copy of the other
        if isinstance(given, Kind):
            await self._transfer.pull(artifact)
            return None
        self._recent.put(artifact, given, self._loop.time())
        return given

    async def _arrived(self, artifact: Artifact, store: str) -> Kind | bytes | Blob:
        if self._error is not None:
            raise self._error

        if not self._taken.take(artifact.size_bytes):
            return await self._arrived_on_disk(artifact, store)
        given: Kind | bytes | Blob | None = None
        try:
            given = await self._end_of(self._new_arrival(artifact, store))
            return given
        finally:
            if given is None or isinstance(given, Kind):
                self._taken.give_back(artifact.size_bytes)

    async def _arrived_on_disk(self, artifact: Artifact, store: str) -> Kind | bytes | Blob:
        async with self._taken.room.disk_of(self._taken.sender):
            if self._error is not None:
                raise self._error
            if await asyncio.to_thread(self._store.room_bytes) < artifact.size_bytes:
                raise Overloaded("there is no room for the large values of another call", retry_after_s=10.0)
            draft = await asyncio.to_thread(self._store.open_draft, artifact, f"sent by {self._taken.sender}")
            arrival = ArrivalOnDisk(
                artifact, self._asking(artifact, store), self._loop.time(), self._store, draft
            )
            return await self._end_of(arrival)

    async def _end_of(self, arrival: Arrival) -> Kind | bytes | Blob:
        digest = arrival.artifact.digest
        self._arrival_by_digest[digest] = arrival
        try:
            return await arrival.end
        finally:
            self._arrival_by_digest.pop(digest, None)

    def _new_arrival(self, artifact: Artifact, store: str, *, is_known: bool = True) -> Arrival:
        return Arrival(artifact, self._asking(artifact, store), self._loop.time(), is_known=is_known)

    def _asking(self, artifact: Artifact, store: str) -> Callable[[int, int], None]:
        """Asks for so many parts of an artifact, the first of which begins at an offset."""

        def ask(offset: int, parts: int) -> None:
            self._ask(Want(artifact.digest, offset, parts, store))

        return ask
