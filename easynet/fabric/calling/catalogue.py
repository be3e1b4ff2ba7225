"""What a client knows of the network: the gateway's answers, kept for a moment."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from easynet.core.capability import Capability
from easynet.core.errors import EasyNetError, GatewayUnreachable
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node, Offer
from easynet.fabric.access.grants import Grant
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.questions import ask

_TRIES: Final = 3
_TRY_S: Final = 2.0
_FRESH_S: Final = 1.0
"""How old a node's number of running calls may be. Nodes that come or go are known at once."""


@dataclass(frozen=True)
class FunctionInfo:
    """A function that can be called, and where."""

    name: CapabilityName
    signature: str
    """As a person would write it: `add(a: int, b: int = 0) -> int`."""
    description: str
    nodes: tuple[NodeId, ...]
    """The names of the nodes that offer it."""
    streaming: bool = False
    """Gives items one by one."""


@dataclass(frozen=True)
class Candidate:
    """An offer with what its node says of its load."""

    offer: Offer
    running: int
    waiting: int = 0
    mean_s: float = 0.0
    """Seconds that a call takes there; 0 where none has run."""
    idempotent: bool = True
    instance: str = ""


class Catalogue:
    """Questions to the gateway's registry."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._found: dict[CapabilityName, tuple[float, list[Candidate]]] = {}
        self._refreshing: dict[CapabilityName, asyncio.Task[None]] = {}
        self._idempotent: dict[CapabilityName, bool] = {}

    async def close(self) -> None:
        """Ask nothing more."""
        for task in self._refreshing.values():
            task.cancel()
        await asyncio.gather(*self._refreshing.values(), return_exceptions=True)

    def known(self, capability: CapabilityName) -> list[Candidate]:
        """Who offers a capability, as far as that need not be asked now; asks anew in the background."""
        at, known = self._found.get(capability, (0.0, []))
        if known and self._loop.time() - at >= _FRESH_S and capability not in self._refreshing:
            self._refreshing[capability] = asyncio.create_task(self._refresh(capability))
        return known

    async def candidates(self, capability: CapabilityName) -> list[Candidate]:
        """Who offers a capability now, by node name."""
        found = [
            Candidate(
                Offer.model_validate(offer),
                int(running),
                int(waiting),
                float(mean_s),
                bool(idempotent),
                str(instance),
            )
            for offer, running, waiting, mean_s, idempotent, instance in await self._ask("find", capability)
        ]
        self._found[capability] = (self._loop.time(), found)
        if found:
            self._idempotent[capability] = all(candidate.idempotent for candidate in found)
        return found

    def is_idempotent(self, capability: CapabilityName) -> bool:
        """Whether a capability is known to be one that may run twice."""
        return self._idempotent.get(capability, False)

    async def nodes(self) -> list[Node]:
        """All nodes, by name."""
        return [Node.model_validate(node) for node in await self._ask("nodes")]

    async def capabilities(self) -> Mapping[CapabilityName, tuple[Capability, tuple[NodeId, ...]]]:
        """Each capability once, with the nodes that offer it, by name."""
        answer = await self._ask("functions")
        offered = [(Capability.model_validate(capability), tuple(nodes)) for capability, nodes in answer]
        return {capability.name: (capability, nodes) for capability, nodes in offered}

    async def instance_of(self, node: NodeId) -> str:
        """The instance of a node that is on the network now, or ""."""
        return str(await self._ask("instance", node))

    async def grant(self) -> Grant:
        """All that this client may do, for it to hand parts of it on; raises UsageError."""
        return Grant.parse(str(await self._ask("grant")))

    def forget(self) -> None:
        """Something changed: ask again next time."""
        self._found.clear()

    async def _refresh(self, capability: CapabilityName) -> None:
        try:
            with contextlib.suppress(EasyNetError):  # the next call asks again
                await self.candidates(capability)
        finally:
            del self._refreshing[capability]

    async def _ask(self, what: str, content: Any = None) -> Any:
        subject = f"reg.{what}.{self._connection.member}"
        for left in reversed(range(_TRIES)):
            try:
                return await ask(self._connection, subject, content, timeout_s=_TRY_S)
            except GatewayUnreachable:
                # With a gateway that dies a question is lost; another one of the network answers it then.
                if not left or not self._connection.is_connected:
                    raise
        raise AssertionError("the last try returns or raises")
