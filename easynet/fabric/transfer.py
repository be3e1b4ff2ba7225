"""Artifacts between a process and its gateway, in parts of 256 KiB, several on the way at once."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, GatewayError
from easynet.fabric import codec
from easynet.fabric.artifacts import ArtifactStore
from easynet.fabric.connection import Connection, Message
from easynet.fabric.questions import answer, ask

PART_BYTES: Final = 256 * 1024
WINDOW: Final = 16
"""Parts on the way at once; measured best with parts of 128 to 512 KiB."""
MAX_ARTIFACT_BYTES: Final = 64 * 1024**3
_TIMEOUT_S: Final = 30.0


class Transfer:
    """One process's own store, kept in step with the gateway's.

    Where both are the same folder, nothing is sent.
    """

    def __init__(self, connection: Connection, store: ArtifactStore) -> None:
        self._connection = connection
        self.store = store

    async def push(self, artifact: Artifact) -> None:
        """See that the gateway has an artifact of this store; raises GatewayError."""
        if await self._ask("have", artifact):
            return
        transfer = secrets.token_hex(16)

        async def send(offset: int) -> None:
            part = await asyncio.to_thread(self.store.read_part, artifact, offset, PART_BYTES)
            await self._ask("put", artifact, transfer, offset, part)

        await _in_window(send, range(0, artifact.size_bytes, PART_BYTES))
        await self._ask("adopt", artifact, transfer)

    async def pull(self, artifact: Artifact) -> None:
        """See that this store has an artifact that the gateway has; raises BadData or GatewayError."""
        if self.store.has(artifact):
            return
        transfer = secrets.token_hex(16)

        async def get(offset: int) -> None:
            part = await self._ask("get", artifact, offset, PART_BYTES)
            if not isinstance(part, bytes) or len(part) != min(PART_BYTES, artifact.size_bytes - offset):
                raise GatewayError("the gateway gave a part of an artifact that does not fit")
            await asyncio.to_thread(self.store.write_part, transfer, offset, part)

        try:
            await asyncio.to_thread(self.store.write_part, transfer, 0, b"")
            await _in_window(get, range(0, artifact.size_bytes, PART_BYTES))
            await asyncio.to_thread(self.store.adopt_parts, transfer, artifact)
        finally:
            self.store.drop_parts(transfer)

    async def push_all(self, artifacts: Iterable[Artifact]) -> None:
        """See that the gateway has these artifacts and all that they refer to."""
        await self._follow(artifacts, self.push)

    async def pull_all(self, artifacts: Iterable[Artifact]) -> None:
        """See that this store has these artifacts and all that they refer to."""
        await self._follow(artifacts, self.pull)

    async def _follow(
        self, artifacts: Iterable[Artifact], move: Callable[[Artifact], Awaitable[None]]
    ) -> None:
        """Move artifacts, and what is found inside those that are encoded values."""
        seen: set[Artifact] = set()
        waiting = list(artifacts)
        while waiting:
            artifact = waiting.pop()
            if artifact in seen:
                continue
            seen.add(artifact)
            await move(artifact)
            if not artifact.filename:
                data = await asyncio.to_thread(self.store.read, artifact)
                waiting += codec.references(data)

    async def _ask(self, what: str, artifact: Artifact, *more: Any) -> Any:
        content = [artifact.digest, artifact.size_bytes, *more]
        return await ask(self._connection, f"art.{what}", content, timeout_s=_TIMEOUT_S)


async def _in_window(work: Callable[[int], Awaitable[None]], offsets: Iterable[int]) -> None:
    """Do all of the work, a few at a time; the first failure ends it."""
    todo = iter(offsets)

    async def take() -> None:
        for offset in todo:
            await work(offset)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(WINDOW):
                group.create_task(take())
    except ExceptionGroup as failed:  # `except*` would wrap what is raised in it again
        raise _first(failed) from None


def _first(failed: ExceptionGroup[Exception]) -> Exception:
    first = failed.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


class TransferService:
    """The gateway's side: gives and takes parts of the artifacts in its store."""

    def __init__(self, connection: Connection, store: ArtifactStore) -> None:
        self._connection = connection
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Answer from now on."""
        self._store.sweep()
        await self._connection.subscribe("art.*", self._receive)

    async def stop(self) -> None:
        """Answer no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _receive(self, message: Message) -> None:
        task = asyncio.create_task(self._serve(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, message: Message) -> None:
        async def think(subject: str, content: Any) -> Any:
            return await asyncio.to_thread(self._answer_to, subject, content)

        await answer(self._connection, message, think)

    def _answer_to(self, subject: str, content: Any) -> Any:
        digest, size_bytes, *more = content
        artifact = Artifact(digest=digest, size_bytes=size_bytes)
        if artifact.size_bytes > MAX_ARTIFACT_BYTES:
            raise BadData(f"an artifact of {artifact.size_bytes:,} bytes is too large")
        match subject.removeprefix("art."), more:
            case "have", []:
                return self._store.has(artifact)
            case "put", [str(transfer), int(offset), bytes(part)] if _is_token(transfer):
                if offset < 0 or offset + len(part) > artifact.size_bytes:
                    raise BadData("a part that lies outside its artifact")
                return self._store.write_part(transfer, offset, part)
            case "adopt", [str(transfer)] if _is_token(transfer):
                if artifact.size_bytes == 0:
                    self._store.write_part(transfer, 0, b"")
                return self._store.adopt_parts(transfer, artifact)
            case "get", [int(offset), int(size)] if offset >= 0 and 0 < size <= PART_BYTES:
                return self._store.read_part(artifact, offset, size)
            case _:
                raise BadData("a request for an artifact that cannot be read")


def _is_token(text: str) -> bool:
    return len(text) == 32 and text.isalnum() and text.isascii()
