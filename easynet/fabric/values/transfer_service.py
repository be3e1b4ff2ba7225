"""The gateway's side of transfers: gives and takes parts of the artifacts in its store."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from io import FileIO
from typing import Any, Final, Generic, Protocol, TypeVar

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, DataDirectoryUnusable, Overloaded
from easynet.fabric.transport.connection import Connection, Message
from easynet.fabric.transport.questions import answer
from easynet.fabric.values.artifacts import TIDY_EVERY_S, ArtifactStore
from easynet.fabric.values.drafts import PART_BYTES, Draft
from easynet.fabric.wire.batches import Batches

MAX_ARTIFACT_BYTES: Final = 64 * 1024**3
MAX_UNFINISHED: Final = 256
"""Artifacts of one member that have begun to arrive."""
_MAX_OPEN: Final = 128


class _Closable(Protocol):
    def close(self) -> None: ...


F = TypeVar("F", bound=_Closable)


@dataclass
class _Open(Generic[F]):
    """A file that parts are read from or written to, and the work on it."""

    file: F
    work: Batches = field(default_factory=Batches)


class _OpenFiles(Generic[F]):
    """The files used last, kept open from one part to the next."""

    def __init__(self) -> None:
        self._open_by_key: dict[tuple[str, Artifact], _Open[F]] = {}
        self._opening = asyncio.Lock()

    async def get(self, key: tuple[str, Artifact], opener: Callable[[], F]) -> _Open[F]:
        """The file under a key, opened where it is not; raises Overloaded, or what `opener` raises."""
        async with self._opening:
            found = self._open_by_key.pop(key, None)
            if found is None:
                self._make_room()
                found = _Open(await asyncio.to_thread(opener))
            self._open_by_key[key] = found  # now the last
            return found

    def close(self, key: tuple[str, Artifact]) -> None:
        """Close the file under a key, once the work on it is done."""
        if (found := self.pop(key)) is not None:
            found.work.do(found.file.close)

    def pop(self, key: tuple[str, Artifact]) -> _Open[F] | None:
        """The file under a key, which is the caller's from then on; None where it is not open."""
        return self._open_by_key.pop(key, None)

    def close_idle(self) -> None:
        """Close those that nobody uses at this moment."""
        for key in [key for key, one in self._open_by_key.items() if one.work.is_idle]:
            self.close(key)

    async def close_all(self) -> None:
        """Close every file, each once the work on it is done."""
        files, self._open_by_key = self._open_by_key, {}
        await asyncio.gather(*(one.work.do(one.file.close) for one in files.values()))

    def _make_room(self) -> None:
        if len(self._open_by_key) < _MAX_OPEN:
            return
        idle = next((key for key, one in self._open_by_key.items() if one.work.is_idle), None)
        if idle is not None:
            self.close(idle)
            return
        raise Overloaded("the gateway has too many transfers under way")


class TransferService:
    """Gives and takes parts of the artifacts in the gateway's store.

    Whoever sends an artifact has a draft of its own: the server vouches for the member in the subject, so no
    member can spoil what another one sends. It becomes an artifact once all of it has the right digest.
    """

    def __init__(
        self,
        connection: Connection,
        store: ArtifactStore,
        gateway: str,
        fetch: Callable[[Artifact], Awaitable[None]],
        key_of: Callable[[str, str], str],
    ) -> None:
        """`gateway` is this one's id. `fetch` gets an artifact from another gateway where one has it.

        `key_of` gives the key by the kind and name of a member: names are given to others some day.
        """
        self._connection = connection
        self._store = store
        self._gateway = gateway
        self._fetch = fetch
        self._key_of = key_of
        self._owner_by_member: dict[tuple[str, str], str] = {}
        """Whose drafts they are that a member sends parts of, since it began to."""
        self._incoming: _OpenFiles[Draft] = _OpenFiles()
        self._outgoing: _OpenFiles[FileIO] = _OpenFiles()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Answer from now on."""
        self._keep(asyncio.create_task(self._tidy_on(), name="artifact retention"))
        await self._connection.subscribe(f"art.*.*.*.{self._gateway}", self._receive)

    async def stop(self) -> None:
        """Answer no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._incoming.close_all()
        await self._outgoing.close_all()

    async def _tidy_on(self) -> None:
        while True:
            await asyncio.to_thread(self._store.tidy)
            await asyncio.sleep(TIDY_EVERY_S)
            self._incoming.close_idle()
            self._outgoing.close_idle()

    async def _receive(self, message: Message) -> None:
        self._keep(asyncio.create_task(answer(self._connection, message, self._answer_to)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_to(self, subject: str, content: Any) -> Any:
        _, what, kind, name, _ = subject.split(".")
        digest, size_bytes, *more = content
        artifact = Artifact(digest=digest, size_bytes=size_bytes)
        match what, more:
            case "begin", []:
                return await self._begin(self._owner(kind, name, is_known=False), artifact)
            case "put", [int(offset), bytes(part)]:
                return await self._put(self._owner(kind, name), artifact, offset, part)
            case "end", []:
                return await self._end(self._owner(kind, name), artifact)
            case "get", [int(offset)] if 0 <= offset < artifact.size_bytes:
                return await self._get(artifact, offset)
            case _:
                raise BadData("a request for an artifact that cannot be read")

    def _owner(self, kind: str, name: str, *, is_known: bool = True) -> str:
        """Whose a draft is: a node and a client may have one name, and a later member that of an earlier."""
        member = kind, name
        if not is_known or member not in self._owner_by_member:
            self._owner_by_member[member] = f"{kind} {name} {self._key_of(kind, name)}"
        return self._owner_by_member[member]

    async def _begin(self, owner: str, artifact: Artifact) -> bytes | None:
        """Which parts are there already; None where all of it is."""
        if await self._is_complete(owner, artifact):
            return None
        draft = await self._draft(owner, artifact)
        return draft.file.record if draft is not None else None

    async def _put(self, owner: str, artifact: Artifact, offset: int, part: bytes) -> None:
        draft = await self._draft(owner, artifact)
        if draft is None:
            return  # it came twice, over a connection that broke
        try:
            await draft.work.do(lambda: self._store.write_part(draft.file, offset, part))
        except DataDirectoryUnusable:
            self._incoming.close((owner, artifact))
            raise

    async def _end(self, owner: str, artifact: Artifact) -> bytes | None:
        """Which parts are missing; None where the artifact is complete."""
        if await self._is_complete(owner, artifact):
            return None
        draft = await self._draft(owner, artifact)
        if draft is None:
            return None
        if not all(draft.file.record):
            return draft.file.record
        try:
            await draft.work.do(lambda: self._adopt(draft.file))
        finally:
            self._incoming.close((owner, artifact))
        return None

    async def _is_complete(self, owner: str, artifact: Artifact) -> bool:
        """Whether the artifact is in the store; what the member has sent of it is then not needed."""
        if not await asyncio.to_thread(self._store.has, artifact):
            return False
        if (draft := self._incoming.pop((owner, artifact))) is not None:
            draft.work.do(draft.file.drop)
        return True

    def _adopt(self, draft: Draft) -> None:
        if self._store.has(draft.artifact):  # another one sent it at the same time
            draft.drop()
        else:
            self._store.adopt(draft)

    async def _get(self, artifact: Artifact, offset: int) -> bytes:
        try:
            found = await self._outgoing.get(("", artifact), lambda: self._store.open(artifact))
        except BadData:
            await self._fetch(artifact)
            found = await self._outgoing.get(("", artifact), lambda: self._store.open(artifact))
        return await found.work.do(lambda: os.pread(found.file.fileno(), PART_BYTES, offset))

    async def _draft(self, owner: str, artifact: Artifact) -> _Open[Draft] | None:
        """What a member has sent of an artifact; None where all of it is in the store."""
        try:
            return await self._incoming.get((owner, artifact), lambda: self._opened_draft(owner, artifact))
        except _CompleteAlready:
            return None

    def _opened_draft(self, owner: str, artifact: Artifact) -> Draft:
        if self._store.has(artifact):
            raise _CompleteAlready
        if artifact.size_bytes > MAX_ARTIFACT_BYTES:
            raise BadData(f"an artifact of {artifact.size_bytes:,} bytes is too large")
        if artifact.size_bytes > self._store.room_bytes():
            raise DataDirectoryUnusable(
                f"the gateway has no room for {artifact.size_bytes:,} bytes",
                hint="Its owner can free some space on its disk.",
            )
        if self._store.drafts_of(owner) > MAX_UNFINISHED:
            who = " ".join(owner.split()[:2])
            raise Overloaded(f"the {who} has {MAX_UNFINISHED} artifacts on their way to the gateway")
        return self._store.open_draft(artifact, owner)


class _CompleteAlready(Exception):
    """The artifact is in the store."""
