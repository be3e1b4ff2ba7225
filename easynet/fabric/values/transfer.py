"""Artifacts between a process and its gateway, in parts, several on the way at once."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final
from weakref import WeakValueDictionary

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, GatewayError, GatewayUnreachable
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.questions import ask
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.drafts import PART_BYTES, offsets_of_missing
from easynet.fabric.values.parts import PartsOnTheWay
from easynet.fabric.wire.batches import Batches
from easynet.fabric.wire.references import may_refer, references

AWAY_S: Final = 30.0
"""How long a transfer that has begun waits for a gateway that went away."""
_ASK_AGAIN_S: Final = 0.1
_TIMEOUT_S: Final = 30.0
_PART_TIMEOUT_S: Final = 120.0
"""As long as all the parts on their way may take on a very slow line."""
_HASHED_PER_S: Final = 50e6
"""Bytes that the slowest machine takes into a digest in a second."""
_MAX_ROUNDS: Final = 5


class Transfer:
    """One process's own store, kept in step with the gateway's.

    Where both are the same folder, nothing is sent. What has arrived on either side stays there when the
    connection, the gateway or this process ends, and is not sent again.
    """

    def __init__(self, connection: Connection, store: ArtifactStore, *, gateway: str = "") -> None:
        """`gateway` is the id of the one that is asked, where that is not the one it is connected to."""
        self._connection = connection
        self._gateway = gateway
        self.store = store
        self._lock_by_digest: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def push(self, artifact: Artifact) -> None:
        """See that the gateway has an artifact of this store; raises BadData or GatewayError."""
        async with self._turn(artifact):
            record = await self._ask("begin", artifact)
            for _ in range(_MAX_ROUNDS):
                if record is None:
                    return
                if not isinstance(record, bytes):
                    raise GatewayError("the gateway gave a record of parts that cannot be read")
                await self._send(artifact, offsets_of_missing(record))
                record = await self._persist("end", artifact, timeout_s=_time_to_hash(artifact))
        raise GatewayError("the gateway keeps losing the parts of an artifact")

    async def pull(self, artifact: Artifact) -> None:
        """See that this store has an artifact that the gateway has; raises BadData or GatewayError."""
        if await asyncio.to_thread(self.store.has, artifact):
            return
        async with self._turn(artifact):
            if await asyncio.to_thread(self.store.has, artifact):
                return
            await asyncio.to_thread(self.store.tidy)
            if not await self._fetch(artifact):
                await self._fetch(artifact)

    async def push_all(self, artifacts: Iterable[Artifact]) -> None:
        """See that the gateway has these artifacts and all that they refer to.

        The inner ones first, so that whatever the gateway has, it has whole.
        """
        for artifact in await asyncio.to_thread(self._whole, artifacts):
            await self.push(artifact)

    async def pull_all(self, artifacts: Iterable[Artifact]) -> None:
        """See that this store has these artifacts and all that they refer to."""
        seen: set[Artifact] = set()
        waiting = list(artifacts)
        while waiting:
            artifact = waiting.pop()
            if artifact not in seen:
                seen.add(artifact)
                await self.pull(artifact)
                waiting += await asyncio.to_thread(self.inner, artifact)

    def inner(self, artifact: Artifact) -> list[Artifact]:
        """The artifacts that one in the store refers to; raises BadData."""
        if artifact.filename:
            return []
        with self.store.open(artifact) as file:
            if not may_refer(file.read(1)):
                return []
        return references(self.store.read(artifact))

    def _whole(self, artifacts: Iterable[Artifact]) -> list[Artifact]:
        """Artifacts with all that they refer to, the inner ones first.

        One that is not in this store came from the gateway as a reference, and is there with its inner ones.
        """
        found: dict[Artifact, None] = {}
        for artifact in artifacts:
            inner = self.inner(artifact) if self.store.has(artifact) else []
            found |= dict.fromkeys([*self._whole(inner), artifact])
        return list(found)

    async def _send(self, artifact: Artifact, offsets: list[int]) -> None:
        work = Batches()
        file = await work.do(lambda: self.store.open(artifact))

        async def send(offset: int) -> None:
            part = await work.do(lambda: os.pread(file.fileno(), PART_BYTES, offset))
            await self._persist("put", artifact, offset, part, timeout_s=_PART_TIMEOUT_S)

        try:
            await PartsOnTheWay(send, offsets).run()
        finally:
            await work.do(file.close)

    async def _fetch(self, artifact: Artifact) -> bool:
        """Get what is missing; False where the parts that were there before turn out to be no good."""
        work = Batches()
        draft = await work.do(lambda: self.store.open_draft(artifact))
        asking: Callable[..., Awaitable[Any]] = self._ask

        async def get(offset: int) -> None:
            nonlocal asking
            part = await asking("get", artifact, offset, timeout_s=_PART_TIMEOUT_S)
            if not isinstance(part, bytes):
                raise GatewayError("the gateway gave a part of an artifact that cannot be read")
            asking = self._persist  # it was there, so it is worth waiting for
            await work.do(lambda: self.store.write_part(draft, offset, part))

        try:
            await PartsOnTheWay(get, offsets_of_missing(draft.record)).run()
            try:
                await work.do(lambda: self.store.adopt(draft))
            except BadData:
                if not draft.was_begun:
                    raise
                return False
            return True
        finally:
            await work.do(draft.close)

    def _turn(self, artifact: Artifact) -> asyncio.Lock:
        """Lets one task at a time move an artifact; the next then finds it moved."""
        return self._lock_by_digest.setdefault(artifact.digest, asyncio.Lock())

    async def _persist(self, what: str, artifact: Artifact, *more: Any, timeout_s: float) -> Any:
        """As `_ask`, again and again while the gateway is away."""
        loop = asyncio.get_running_loop()
        lost_at: float | None = None
        while True:
            try:
                return await self._ask(what, artifact, *more, timeout_s=timeout_s)
            except GatewayUnreachable:
                lost_at = lost_at or loop.time()
                if loop.time() - lost_at > AWAY_S:
                    raise
                await asyncio.sleep(_ASK_AGAIN_S)

    async def _ask(self, what: str, artifact: Artifact, *more: Any, timeout_s: float = _TIMEOUT_S) -> Any:
        gateway = self._gateway or self._connection.server_name
        subject = f"art.{what}.{self._connection.kind}.{self._connection.member}.{gateway}"
        content = [artifact.digest, artifact.size_bytes, *more]
        return await ask(self._connection, subject, content, timeout_s=timeout_s)


def _time_to_hash(artifact: Artifact) -> float:
    return _TIMEOUT_S + artifact.size_bytes / _HASHED_PER_S
