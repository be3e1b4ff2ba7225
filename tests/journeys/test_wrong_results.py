"""Functions that return nonsense, on a real network: their answers count as failures."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from easynet import IntelligentNetwork, Intent
from easynet.core.events import AttemptFailed, RunEvent, SubtaskFinished
from easynet.core.result import RunResult, replay

pytestmark = pytest.mark.slow

RIGHT = {"full": 0.5, "units": ["kg"]}
WORDS = "weigh the parcel and write its label"


@asynccontextmanager
async def scales(gateway: str, name: str, expected_s: float, weight: Any) -> AsyncGenerator[None]:
    """A node in a process of its own."""
    command = (
        sys.executable,
        "-m",
        "tests.journeys.scales",
        gateway,
        name,
        str(expected_s),
        json.dumps(weight),
    )
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        await process.wait()


async def labelled(words: str, **weights: Any) -> tuple[RunResult, list[RunEvent]]:
    """A run on nodes that weigh so; each claims to be slower than the one before, and is asked after it."""
    async with IntelligentNetwork() as network, AsyncExitStack() as stack:
        for n, (name, weight) in enumerate(weights.items()):
            await stack.enter_async_context(scales(network.url, name, 0.1 + 5 * n, weight))
        intent = Intent(goal="label_parcel", description=words, input_data={"parcel": "books"})
        events = [event async for event in network.stream(intent)]
    return replay(events), events


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"full": 3.2, "units": ["kg"]}, "promised a number from 0 to 1 as 'full' and gave 3.2"),
        ({"full": 0.5, "units": "kg"}, "promised a list as 'units' and gave a text"),
        ({"full": 0.5}, "promised 'units' and left it out"),
        (None, "promised a record and gave nothing"),
    ],
)
async def test_wrong_result_is_a_failed_attempt_and_another_node_does_it(
    own_data_dir: Any, wrong: Any, words: str
) -> None:
    result, events = await labelled(WORDS, crooked=wrong, honest=RIGHT)
    assert result.ok, result.problem
    assert result.output == "50% kg"
    [failed] = [e for e in events if isinstance(e, AttemptFailed)]
    assert (failed.node, failed.problem.code, failed.will_retry) == ("crooked", "wrong_result", True)
    assert failed.problem.message == f"'weigh_parcel' {words}"
    weighed = [e for e in events if isinstance(e, SubtaskFinished) and e.subtask == "weigh_parcel"]
    assert [e.node for e in weighed] == ["honest"]
    assert result.cost == 2, "a wrong result is not paid for"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (WORDS, "promised a number from 0 to 1 as 'full' and gave 3.2"),
        ("称包裹并写标签", "承诺 'full' 为 0 到 1 之间的数字，而实际给出 3.2"),
    ],
)
async def test_where_every_node_is_wrong_the_user_learns_what_was_promised(
    own_data_dir: Any, words: str, told: str
) -> None:
    result, events = await labelled(words, crooked={"full": 3.2, "units": []})
    assert result.status == "failed"
    assert result.problem is not None
    assert told in result.problem.message
    assert not [e for e in events if isinstance(e, SubtaskFinished)]
