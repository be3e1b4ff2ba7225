"""What a client knows of the network: the gateway's answers, kept for a moment.

A gateway of a later version may say more than this one reads.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from easynet.core.capability import Capability
from easynet.core.errors import EasyNetError, GatewayUnreachable
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node, Offer, Trust
from easynet.fabric.access.grants import Grant
from easynet.fabric.calling.trusted_nodes import TrustedNodes
from easynet.fabric.telemetry.traced_questions import ask_traced
from easynet.fabric.telemetry.tracing import Tracer
from easynet.fabric.transport.connection import Connection

_TRIES_S: Final = (1.0, 1.0, 1.0, 2.0, 2.0)
"""How long each try may take; together, longer than a cluster goes on handing questions to a gateway that
stands still."""
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

    def __init__(self, connection: Connection, tracer: Tracer | None, trusted: TrustedNodes) -> None:
        self._connection = connection
        self._trusted = trusted
        self._tracer = tracer
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
        """Who offers a capability now, by node name: those that this client may call, where there are any."""
        return await self._candidates(capability, self._tracer)

    async def _candidates(self, capability: CapabilityName, tracer: Tracer | None) -> list[Candidate]:
        found = [
            Candidate(
                self._judged(Offer.model_validate(offer, extra="ignore"), *more),
                int(running),
                int(waiting),
                float(mean_s),
                bool(idempotent),
                str(instance),
            )
            for offer, running, waiting, mean_s, idempotent, instance, *more in await self._ask(
                "find", capability, tracer
            )
        ]
        rights = self._connection.rights
        # Where it may call none of them, a refusal says more than that there is no such function.
        found = [c for c in found if rights.allow(f"{c.offer.node}.{capability}")] or found
        self._found[capability] = (self._loop.time(), found)
        if found:
            self._idempotent[capability] = all(candidate.idempotent for candidate in found)
        return found

    def _judged(self, offer: Offer, key: Any = "", *_: object) -> Offer:
        """The offer with the trust that this user has in its node."""
        trust = self._trusted.trust(offer.node, str(key), offer.trust)
        return offer if trust is offer.trust else offer.model_copy(update={"trust": trust})

    async def trust_in(self, node: NodeId, capability: CapabilityName) -> Trust | None:
        """How far a node that offers a capability is trusted now; None where it does not offer it."""
        # What the gateway said a moment ago will do: it is forgotten whenever a node comes or goes.
        found = self.known(capability) or await self.candidates(capability)
        if all(c.offer.node != node for c in found):
            found = await self.candidates(capability)
        return next((c.offer.trust for c in found if c.offer.node == node), None)

    def is_idempotent(self, capability: CapabilityName) -> bool:
        """Whether a capability is known to be one that may run twice."""
        return self._idempotent.get(capability, False)

    async def nodes(self) -> list[Node]:
        """All nodes, by name."""
        answer = await self._ask("nodes", None, self._tracer)
        found = [Node.model_validate(node, extra="ignore") for node in answer]
        return [n.model_copy(update={"trust": self._trusted.trust(n.name, n.key, n.trust)}) for n in found]

    async def capabilities(self) -> Mapping[CapabilityName, tuple[Capability, tuple[NodeId, ...]]]:
        """Each capability once, with the nodes that offer it, by name."""
        answer = await self._ask("functions", None, self._tracer)
        offered = [
            (Capability.model_validate(capability, extra="ignore"), tuple(nodes))
            for capability, nodes, *_ in answer
        ]
        return {capability.name: (capability, nodes) for capability, nodes in offered}

    async def instance_of(self, node: NodeId) -> str:
        """The instance of a node that is on the network now, or ""."""
        return str(await self._ask("instance", node, None))

    async def grant(self) -> Grant:
        """All that this client may do, for it to hand parts of it on; raises UsageError."""
        return Grant.parse(str(await self._ask("grant", None, self._tracer)))

    def forget(self) -> None:
        """Something changed: ask again next time."""
        self._found.clear()

    async def _refresh(self, capability: CapabilityName) -> None:
        try:
            with contextlib.suppress(EasyNetError):  # the next call asks again
                await self._candidates(capability, None)  # it is of no trace: no call waits for it
        finally:
            del self._refreshing[capability]

    async def _ask(self, what: str, content: Any, tracer: Tracer | None) -> Any:
        subject = f"reg.{what}.{self._connection.member}"
        for left, timeout_s in zip(reversed(range(len(_TRIES_S))), _TRIES_S, strict=True):
            try:
                return await ask_traced(tracer, self._connection, subject, content, timeout_s=timeout_s)
            except GatewayUnreachable:
                # With a gateway that dies a question is lost; another one of the network answers it then.
                if not left or not self._connection.is_connected:
                    raise
        raise AssertionError("the last try returns or raises")
