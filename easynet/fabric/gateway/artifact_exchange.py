"""Artifacts between the gateways of a network: each keeps what it was sent, and gets the rest when asked."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, GatewayError
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.gateway_peers import GatewayPeers
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.transfer import Transfer


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

    def keep(self, artifacts: Sequence[Artifact], for_s: float) -> None:
        """See that artifacts stay for so long, at whichever gateways they are."""
        for artifact in artifacts:
            self._store.keep(artifact, for_s)
        if artifacts and self.peers is not None:
            self.peers.tell("keep", [[[a.digest, a.size_bytes] for a in artifacts], for_s])

    async def keep_here(self, content: Any) -> None:
        """Do so at this gateway, as another one asks; raises BadData."""
        match content:
            case [[*artifacts], float(for_s)]:
                for digest, size_bytes in artifacts:
                    self._store.keep(Artifact(digest=digest, size_bytes=size_bytes), for_s)
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
