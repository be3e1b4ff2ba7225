"""Functions of one's own, from description to plan."""

from pathlib import Path

import pytest

from easynet import ComputeNode, IntelligentNetwork, Intent
from easynet.core.events import AttemptFailed, AttemptStarted
from easynet.core.result import replay

pytestmark = pytest.mark.slow


async def test_function_registered_a_minute_ago_is_planned_from_its_description(own_data_dir: Path) -> None:
    async with IntelligentNetwork() as network, ComputeNode(network.url, name="my-laptop") as node:

        @node.register
        def brew_strength(grams: float, water_ml: float = 250.0) -> float:
            """Estimate how strong a cup of coffee gets from the grams of coffee used."""
            return round(grams / water_ml, 3)

        intent = Intent.from_text("estimate the strength of my coffee", input_data={"grams": 15})
        result = await network.fulfill_intent(intent)
    assert result.ok, result.problem
    assert result.output == 0.06


async def test_subtask_that_fails_on_one_node_is_done_by_another(own_data_dir: Path) -> None:
    def shaky(text: str) -> str:
        """Reverse the letters of a text."""
        raise RuntimeError("out of order")

    def sound(text: str) -> str:
        """Reverse the letters of a text."""
        return text[::-1]

    async with (
        IntelligentNetwork() as network,
        ComputeNode(network.url, name="a-shaky") as a,
        ComputeNode(network.url, name="b-sound") as b,
    ):
        a.register(name="reverse_letters", price=0, expected_s=0.01)(shaky)
        b.register(name="reverse_letters", price=1, expected_s=0.02)(sound)
        intent = Intent.from_text("reverse the letters of this text", input_data={"text": "abc"})
        events = [event async for event in network.stream(intent)]
    assert replay(events).output == "cba"
    failed = [e for e in events if isinstance(e, AttemptFailed)]
    assert failed
    assert {e.node for e in failed} == {"a-shaky"}
    assert {e.node for e in events if isinstance(e, AttemptStarted)} == {"a-shaky", "b-sound"}
