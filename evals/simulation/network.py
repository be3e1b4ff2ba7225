"""A network of mock nodes, with the interface of a client of a real one."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path
from typing import Any

from easynet.core.artifact import Artifact
from easynet.core.call import CallUpdate
from easynet.core.capability import Capability
from easynet.core.errors import CallTimeout, NodeUnreachable
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Privacy
from easynet.core.offer import Node, Offer
from evals.simulation.call import Call, Served
from evals.simulation.node import MockNode


class MockNetwork:
    """Passes calls on to its nodes, and remembers what they truly did."""

    def __init__(self, capabilities: Sequence[Capability], nodes: Sequence[MockNode]) -> None:
        self.mock_nodes: Mapping[NodeId, MockNode] = {n.name: n for n in nodes}
        self.served: list[Served] = []
        """All calls, in order."""
        self._capabilities = sorted(capabilities, key=lambda c: c.name)

    async def invoke(
        self,
        node: NodeId,
        capability: CapabilityName,
        arguments: Mapping[str, Any],
        *,
        key: str,
        timeout_s: float,
        privacy: Privacy = Privacy.NORMAL,
    ) -> AsyncGenerator[CallUpdate]:
        """The updates of a call; as those of `AsyncClient.invoke`."""
        if node not in self.mock_nodes:
            raise NodeUnreachable(f"there is no node {node}")
        loop = asyncio.get_running_loop()
        call = Call(node, capability, arguments, key, timeout_s, len(self.served))
        served = Served(call, loop.time())
        self.served.append(served)
        try:
            async with asyncio.timeout(timeout_s), aclosing(self.mock_nodes[node].serve(served)) as updates:
                async for update in updates:
                    yield update
            served.how = "returned"
        except TimeoutError:
            served.how = "failed"
            raise CallTimeout(f"{capability} took longer than {timeout_s:g} s on {node}") from None
        except Exception:
            served.how = "failed"
            raise
        except BaseException:
            served.how = "cancelled"
            raise
        finally:
            served.ended_at = loop.time()

    async def find(self, capability: CapabilityName) -> list[Offer]:
        """Who offers a capability now, by node name."""
        return [o for n in self._by_name() for o in n.offers() if o.capability == capability]

    async def capabilities(self) -> list[Capability]:
        """Everything on offer now, by name."""
        offered = {o.capability for n in self._by_name() for o in n.offers()}
        return [c for c in self._capabilities if c.name in offered]

    async def nodes(self) -> list[Node]:
        """Every node that is there now, by name."""
        known = {c.name: c for c in self._capabilities}
        return [
            Node(
                name=node.name,
                instance="1",
                trust=offers[0].trust,
                capabilities=tuple(known[o.capability] for o in offers),
                concurrency=offers[0].concurrency,
            )
            for node in self._by_name()
            if (offers := node.offers())
        ]

    async def upload(self, path: Path) -> Artifact:
        """The file as a reference; its bytes stay where they are."""
        body = await asyncio.to_thread(path.read_bytes)
        return Artifact(digest=sha256(body).hexdigest(), size_bytes=len(body), filename=path.name)

    async def download(self, artifact: Artifact, path: Path) -> None:
        """Mock files have no bytes, so that the copy is empty."""
        await asyncio.to_thread(path.write_bytes, b"")

    def _by_name(self) -> list[MockNode]:
        return [self.mock_nodes[name] for name in sorted(self.mock_nodes)]
