"""Every command at work, on the embedded network and at a gateway."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from easynet import ComputeNode, IntelligentNetwork, Intent
from easynet.core.events import AttemptProgressed
from easynet.core.result import replay
from easynet.fabric.gateway.gateway import Gateway
from tests.journeys.command import Cli, cli_async, events_of
from tests.journeys.sales import write_sales

pytestmark = pytest.mark.slow

DETECTOR = "train a medical anomaly detector"


def test_nodes_and_functions_are_listed(cli: Cli) -> None:
    nodes = cli("nodes")
    assert nodes.returncode == 0, nodes.stderr
    for name in ("medical", "data-analysis", "forecasting", "reporting"):
        assert name in nodes.stdout
    functions = cli("functions")
    assert functions.returncode == 0, functions.stderr
    assert len(re.findall(r"^\w+", functions.stdout, flags=re.MULTILINE)) >= 14


def test_run_within_its_limits_is_listed_and_its_story_told(cli: Cli, tmp_path: Path) -> None:
    write_sales(tmp_path / "s.csv", weeks=60)
    limits = ("--budget", "$1", "--deadline", "5 minutes", "--privacy", "high")
    done = cli("forecast my sales", "-i", "data=s.csv", *limits)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("Data: s.csv")
    listed = cli("runs")
    run = re.search(r"\d{8}-\d{6}-\w+", listed.stdout)
    assert run is not None
    told = cli("runs", "show", run.group()[:17])
    assert told.returncode == 0
    assert "Forecast future sales" in told.stdout
    assert replay(events_of(cli("runs", "show", run.group(), "--json").stdout)).ok


def test_finished_run_is_shown_again_instead_of_run_again(cli: Cli, tmp_path: Path) -> None:
    write_sales(tmp_path / "s.csv", weeks=60)
    first = replay(events_of(cli("forecast my sales", "-i", "data=s.csv", "--json").stdout))
    again = cli("runs", "resume", first.run_id, "--json")
    assert again.returncode == 0
    [only] = events_of(again.stdout)
    assert only.kind == "run_finished"


def test_same_words_in_two_manners_tell_the_same(cli: Cli, tmp_path: Path) -> None:
    write_sales(tmp_path / "s.csv", weeks=60)
    plain = cli("forecast my sales", "-i", "data=s.csv")
    events = replay(events_of(cli("forecast my sales", "-i", "data=s.csv", "--json").stdout))
    assert plain.stdout.splitlines()[: len(events.headline)] == list(events.headline)
    assert "\x1b" not in plain.stdout + plain.stderr


@pytest.fixture
async def gateway(own_data_dir: Path) -> AsyncIterator[str]:
    async with Gateway(own_data_dir) as gateway, ComputeNode(gateway.url, name="kitchen") as node:

        @node.register
        def add_sugar(cups: int, spoons: int = 2) -> int:
            """Work out how many spoons of sugar some cups of tea need."""
            return cups * spoons

        @node.register
        def stir() -> object:
            """Stir the pot of soup slowly."""
            return object()

        @node.register
        def burn() -> None:
            """Burn the toast to coal."""
            raise RuntimeError("smoke alarm")

        yield gateway.url


async def test_function_at_a_gateway_is_asked_for_in_words(gateway: str) -> None:
    asked = await cli_async(
        "spoons of sugar for my cups of tea", "--gateway", gateway, "-i", "cups=3", "--yes"
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "6" in asked.stdout


async def test_input_of_the_wrong_type_is_named_before_anything_runs(gateway: str) -> None:
    asked = await cli_async("spoons of sugar for my cups of tea", "--gateway", gateway, "-i", "cups=three")
    assert asked.returncode == 2
    assert "'cups' has to be a whole number" in asked.stdout + asked.stderr


async def test_result_that_cannot_travel_is_named(gateway: str) -> None:
    asked = await cli_async("stir the pot of soup", "--gateway", gateway)
    assert asked.returncode == 6
    assert "cannot travel" in asked.stdout + asked.stderr


async def test_failure_of_a_function_is_told_in_its_words(gateway: str) -> None:
    asked = await cli_async("burn the toast", "--gateway", gateway)
    assert asked.returncode == 6
    assert "smoke alarm" in asked.stdout + asked.stderr
    assert "Traceback" not in asked.stdout + asked.stderr


def test_run_at_a_gateway_that_is_not_there(cli: Cli) -> None:
    asked = cli("burn the toast", "--gateway", "127.0.0.1:9")
    assert asked.returncode == 7
    assert "127.0.0.1:9" in asked.stderr


async def test_intent_is_fulfilled_without_opening_the_network_first(tmp_path: Path) -> None:
    data = write_sales(tmp_path / "s.csv", weeks=60)
    intent = Intent.from_text("describe this table", input_data={"data": str(data)})
    result = await IntelligentNetwork().fulfill_intent(intent)
    assert result.ok, result.problem


async def test_training_does_not_stall_the_story() -> None:
    async with IntelligentNetwork() as network:
        events = [event async for event in network.stream(Intent.from_text(DETECTOR))]
    told = [e for e in events if isinstance(e, AttemptProgressed) and e.subtask.startswith("train")]
    assert len(told) >= 4
    assert len({e.at for e in told}) == len(told), "all at once would mean that they waited for the end"
