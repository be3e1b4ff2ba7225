"""Artifacts between the gateways of a network: each keeps what it was sent, and gets the rest when asked."""

import asyncio
import contextlib
from typing import Any, Final

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, GatewayError
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.gateway_peers import GatewayPeers
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire.references import references

MAX_KEPT: Final = 1000
"""Artifacts that one value may refer to, those included that they refer to in their turn."""
_MAX_READ_BYTES: Final = 16 * 1024 * 1024
"""Of a value that refers to others; what is large in it is an artifact of its own."""
_FEW_BYTES: Final = 16 * 1024


class ArtifactExchange:
    """Gets artifacts from the other gateways, and says which ones this one has."""

    def __init__(self, connection: Connection, store: ArtifactStore) -> None:
        self._connection = connection
        self._store = store
        self._transfer_by_peer: dict[str, Transfer] = {}
        self.peers: GatewayPeers | None = None
        """None for a gateway that is alone."""

    async def has(self, content: Any) -> bool:
        """Whether an artifact is here; raises BadData."""
        match content:
            case [str(digest), int(size_bytes)]:
                artifact = Artifact(digest=digest, size_bytes=size_bytes)
                return await asyncio.to_thread(self._store.has, artifact)
            case _:
                raise BadData("a question about an artifact that cannot be read")

    async def keep(self, value: bytes, for_s: float) -> None:
        """See that all stays for so long that an encoded value refers to, at whichever gateways it is.

        Raises BadData where that is more than a gateway keeps for one value.
        """
        small = len(value) <= _FEW_BYTES
        found = references(value) if small else await asyncio.to_thread(references, value)
        if found:
            await asyncio.to_thread(self._keep_whole, found, for_s)
        if found and self.peers is not None:
            self.peers.tell("keep", [[[a.digest, a.size_bytes] for a in found], for_s])

    def _keep_whole(self, found: list[Artifact], for_s: float) -> None:
        """Keep artifacts and all that they refer to, which is added to them."""
        seen = set(found)
        for artifact in found:  # it grows on the way
            if len(found) > MAX_KEPT:
                raise BadData(
                    f"a value of a job refers to more than {MAX_KEPT:,} large values or files",
                    hint="Put them together into fewer ones: a table, or an archive.",
                )
            self._store.keep(artifact, for_s)
            inner = [a for a in self._inner(artifact) if a not in seen]
            seen.update(inner)
            found += inner

    def _inner(self, artifact: Artifact) -> list[Artifact]:
        if artifact.size_bytes > _MAX_READ_BYTES:
            return []
        try:
            return Transfer(self._connection, self._store).inner(artifact)
        except BadData:
            return []  # it may be at another gateway, which keeps what it refers to

    async def keep_here(self, content: Any) -> None:
        """Do so at this gateway, as another one asks; raises BadData."""
        match content:
            case [[*artifacts], float(for_s)]:
                found = [Artifact(digest=digest, size_bytes=size_bytes) for digest, size_bytes in artifacts]
                await asyncio.to_thread(self._keep_whole, found, for_s)
            case _:
                raise BadData("a question about artifacts that cannot be read")

    async def fetch(self, artifact: Artifact) -> None:
        """Have an artifact here that another gateway has. Does nothing where none has it."""
        if self.peers is None:
            return
        for peer in self.peers.ids:
            with contextlib.suppress(BadData, GatewayError):  # the next one may have it
                if await self.peers.ask(peer, "has", [artifact.digest, artifact.size_bytes]):
                    await self._from(peer).pull(artifact)
                    return

    def _from(self, peer: str) -> Transfer:
        found = self._transfer_by_peer.get(peer)
        if found is None:
            found = Transfer(self._connection, self._store, gateway=peer)
            self._transfer_by_peer[peer] = found
        return found
