"""Node discovery as a tool, over a registry that is a dictionary."""

from collections.abc import Sequence

from langchain_core.messages import ToolMessage

from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Privacy
from easynet.core.offer import Offer, Trust
from easynet.tools.node_discovery import discover, node_discovery

ADD = CapabilityName("add")
FORECAST = CapabilityName("forecast")


def offer(node: str, trust: Trust) -> Offer:
    return Offer(node=NodeId(node), capability=ADD, price=2, expected_s=0.5, trust=trust)


class DictMarket:
    """A market of given offers."""

    def __init__(self, **offers: Sequence[Offer]) -> None:
        self._offers = offers

    async def find(self, capability: CapabilityName) -> Sequence[Offer]:
        return self._offers.get(capability, ())


OWN, PUBLIC = offer("mine", Trust.OWN), offer("strangers", Trust.PUBLIC)


async def test_all_offers_are_found_under_normal_privacy() -> None:
    tool = node_discovery(DictMarket(add=[OWN, PUBLIC]))
    assert await discover(tool, [ADD, FORECAST], Privacy.NORMAL) == {ADD: (OWN, PUBLIC), FORECAST: ()}


async def test_high_privacy_leaves_own_nodes_only() -> None:
    tool = node_discovery(DictMarket(add=[PUBLIC, OWN]))
    assert await discover(tool, [ADD], Privacy.HIGH) == {ADD: (OWN,)}


async def test_agent_reads_a_line_for_each_function() -> None:
    tool = node_discovery(DictMarket(add=[OWN]))
    call = {"type": "tool_call", "id": "1", "name": tool.name, "args": {"functions": ["add", "forecast"]}}
    message = await tool.ainvoke(call)
    assert isinstance(message, ToolMessage)
    assert str(message.content).splitlines() == [
        "add: mine (2 credits, about 0.5 s)",
        "forecast: No node offers it.",
    ]


def test_tool_tells_an_agent_what_it_does() -> None:
    tool = node_discovery(DictMarket())
    assert tool.name == "find_nodes"
    assert "own or trusted nodes" in tool.description
    assert set(tool.args) == {"functions", "privacy"}
