"""A function that fails for good, on a real network: what is finished stays, another way is looked for."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from easynet import IntelligentNetwork, Intent
from easynet.core.events import Replanned, RunEvent, RunFinished
from easynet.core.result import replay

pytestmark = pytest.mark.slow


@asynccontextmanager
async def print_shop(gateway: str, tally: Path, *broken: str) -> AsyncGenerator[None]:
    """A node in a process of its own."""
    command = (sys.executable, "-m", "tests.journeys.print_shop", gateway, str(tally), *broken)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        await process.wait()


async def printing(words: str, tally: Path, *broken: str, **constraints: str) -> list[RunEvent]:
    async with IntelligentNetwork() as network, print_shop(network.url, tally, *broken):
        intent = Intent(
            goal="print_page", description=words, input_data={"text": "abc"}, constraints={**constraints}
        )
        return [event async for event in network.stream(intent)]


def calls(tally: Path) -> Counter[str]:
    return Counter(tally.read_text().split())


async def test_what_fails_for_good_is_replaced_and_what_is_finished_not_run_again(
    own_data_dir: Path, tmp_path: Path
) -> None:
    tally = tmp_path / "tally"
    events = await printing("print a page of these letters, set by machine", tally, "set_by_machine")
    result = replay(events)
    assert result.ok, result.problem
    assert result.output == "abc"
    assert calls(tally) == {"sort_letters": 1, "set_by_machine": 2, "set_by_hand": 1, "print_page": 1}
    [replanned] = [e for e in events if isinstance(e, Replanned)]
    assert (replanned.how, replanned.keeps) == ("substitute", ("sort_letters",))
    assert result.cost == 5


@pytest.mark.parametrize(
    ("words", "failed", "then", "mend"),
    [
        (
            "print a page of these letters, set by machine",
            "'set_by_machine' failed 2 times",
            "planned anew, and 'set_by_hand' failed 2 times",
            "Mend 'set_by_machine' on print-shop",
        ),
        (
            "用机器把这些文字印一页",
            "'set_by_machine' 失败了 2 次",
            "重新规划后，'set_by_hand' 失败了 2 次",
            "请修复 print-shop 上的 'set_by_machine'",
        ),
    ],
)
async def test_where_nothing_helps_the_user_learns_what_failed_first_and_what_would_help(
    own_data_dir: Path, tmp_path: Path, words: str, failed: str, then: str, mend: str
) -> None:
    tally = tmp_path / "tally"
    events = await printing(words, tally, "set_by_machine", "set_by_hand")
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.status == "failed"
    assert last.problem is not None
    assert last.problem.message.startswith(failed)
    assert then in last.problem.message
    assert mend in last.problem.hint
    assert calls(tally) == {"sort_letters": 1, "set_by_machine": 2, "set_by_hand": 2}


async def test_another_way_beyond_the_budget_is_named_with_the_budget_that_would_do(
    own_data_dir: Path, tmp_path: Path
) -> None:
    tally = tmp_path / "tally"
    events = await printing("print a page", tally, "set_by_machine", budget="4 credits")
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.status == "over_budget"
    assert last.problem is not None
    assert "a budget of 5 credits" in last.problem.hint
    assert calls(tally)["set_by_hand"] == 0
