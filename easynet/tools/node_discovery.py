"""Node discovery: who on the network can do it. A LangChain tool over the registry."""

from collections.abc import Sequence
from typing import Protocol

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool

from easynet.core.ids import CapabilityName
from easynet.core.intent import Privacy
from easynet.core.offer import Offer
from easynet.scheduling.candidates import Candidates, eligible

Offers = dict[CapabilityName, tuple[Offer, ...]]


class Market(Protocol):
    """Where offers are looked up; a client of a gateway is one."""

    async def find(self, capability: CapabilityName) -> Sequence[Offer]:
        """All live offers of a capability."""
        ...


def node_discovery(market: Market) -> BaseTool:
    """A tool that finds the nodes which offer given functions and may see the user's data.

    A model that calls it reads one line a function; code reads the same offers with `discover`.
    """

    async def find_nodes(functions: list[str], privacy: str = Privacy.NORMAL) -> tuple[str, Offers]:
        """Find the nodes that offer functions. `privacy`: "normal", or "high" (own or trusted nodes)."""
        label = Privacy(privacy)
        found = {n: eligible(await market.find(n), label) for n in map(CapabilityName, functions)}
        lines = [_line(name, candidates) for name, candidates in found.items()]
        return "\n".join(lines), {name: candidates.offers for name, candidates in found.items()}

    return StructuredTool.from_function(
        coroutine=find_nodes, name="find_nodes", response_format="content_and_artifact"
    )


async def discover(tool: BaseTool, functions: Sequence[CapabilityName], privacy: Privacy) -> Offers:
    """The offers that `tool` finds, as values."""
    if not functions:
        return {}
    call = {
        "type": "tool_call",
        "id": "discover",
        "name": tool.name,
        "args": {"functions": list(functions), "privacy": privacy.value},
    }
    message = await tool.ainvoke(call)
    assert isinstance(message, ToolMessage)
    offers: Offers = message.artifact
    return offers


def _line(name: CapabilityName, candidates: Candidates) -> str:
    offers = [f"{o.node} ({o.price} credits, about {o.expected_s:g} s)" for o in candidates.offers]
    return f"{name}: {', '.join(offers) or candidates.reason}"
