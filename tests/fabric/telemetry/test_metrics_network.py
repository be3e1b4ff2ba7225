"""The metrics of a gateway that has really been used."""

import asyncio
import http.client
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from easynet.core.errors import JobNotFound, NameTaken, RemoteFailure
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.fabric.telemetry.metrics import MetricsServer
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


@dataclass
class Scraped:
    """What Prometheus would read."""

    text: str

    @property
    def samples(self) -> list[Sample]:
        return [s for family in text_string_to_metric_families(self.text) for s in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The value of the one sample with these labels; 0.0 where there is none."""
        found = [s.value for s in self.samples if s.name == name and s.labels == labels]
        assert len(found) <= 1
        return found[0] if found else 0.0


@pytest.fixture
async def used(own_data_dir: Path) -> AsyncIterator[Gateway]:
    async with Gateway(own_data_dir, lasting=True) as gateway:
        yield gateway


@pytest.fixture
async def scrape(used: Gateway) -> AsyncIterator[Callable[[], Awaitable[Scraped]]]:
    server = MetricsServer(used, 0)
    await server.start()

    def get() -> Scraped:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return Scraped(text)

    async def scraped() -> Scraped:
        return await asyncio.to_thread(get)

    yield scraped
    await server.stop()


async def test_numbers_are_those_of_what_was_done(
    used: Gateway, scrape: Callable[[], Awaitable[Scraped]], until: Until
) -> None:
    def half(number: int) -> float:
        return 1 / number

    async with ComputeNode(used.url, name="one", concurrency=3) as node, AsyncClient(used.url) as client:
        node.register(half)
        node.register(len, name="size")
        await until(client.functions)
        before = await scrape()
        for number in (1, 2, 3, 4, 0, 0):
            with suppress(RemoteFailure):
                await client.execute("half", number)
        await client.execute("one.size", "four")
        job = await client.submit("size", "five!")
        assert await job.result(PATIENCE_S) == 5
        with pytest.raises(JobNotFound):
            await client.job("none").state()
        with pytest.raises(NameTaken):
            await ComputeNode(used.url, name="one").start()

        async def is_counted() -> bool:
            """Whether a heartbeat has told."""
            return (await scrape()).value("easynet_calls_total", node="one", function="size") == 2

        await until(is_counted)
        after = await scrape()
    assert after.value("easynet_up") == after.value("easynet_nodes") == 1
    assert after.value("easynet_node_concurrency", node="one") == 3
    assert after.value("easynet_calls_total", node="one", function="half") == 6
    assert after.value("easynet_call_errors_total", node="one", function="half") == 2
    assert after.value("easynet_call_errors_total", node="one", function="size") == 0
    for function, calls in (("half", 6), ("size", 2)):
        labels = {"node": "one", "function": function}
        assert after.value("easynet_call_seconds_count", **labels) == calls
        assert after.value("easynet_call_seconds_bucket", le="+Inf", **labels) == calls
        assert 0 < after.value("easynet_call_seconds_sum", **labels) < 20
    assert after.value("easynet_jobs", state="succeeded") == 1
    refused = {
        s.labels["reason"]: s.value for s in after.samples if s.name == "easynet_gateway_rejections_total"
    }
    assert refused == {"job_not_found": 1, "name_taken": 1}
    # A node and a client; the gateway's own connections are counted as well.
    assert after.value("easynet_gateway_connections") >= 2
    for direction in ("in", "out"):
        for name in ("easynet_gateway_messages_total", "easynet_gateway_bytes_total"):
            assert after.value(name, direction=direction) > before.value(name, direction=direction)


async def test_names_follow_the_conventions(scrape: Callable[[], Awaitable[Scraped]]) -> None:
    families = list(text_string_to_metric_families((await scrape()).text))
    own = [family for family in families if family.name.startswith("easynet_")]
    assert len(own) > 10
    for family in own:
        assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", family.name)
        assert family.documentation
        assert not re.search(r"(milli|micro|_ms|_kb|_mb|_minutes|_hours)", family.name)
        if family.type == "counter":
            assert {s.name for s in family.samples} <= {f"{family.name}_total"}
        else:
            assert not family.name.endswith(("_total", "_count", "_sum", "_bucket"))
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        assert {label for s in family.samples for label in s.labels} <= {
            "node",
            "function",
            "state",
            "reason",
            "direction",
            "le",
        }
