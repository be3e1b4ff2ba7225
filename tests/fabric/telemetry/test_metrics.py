"""Metrics, scraped over real HTTP and read by Prometheus' own parser."""

import asyncio
import http.client
import math
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from easynet.core.capability import Capability
from easynet.core.errors import GatewayUnreachable, MissingExtra, ServerNotStarted
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import FunctionStatistics, Node
from easynet.fabric.telemetry import metrics
from easynet.fabric.telemetry.metrics import GatewayNumbers, MetricsServer
from easynet.fabric.telemetry.metrics_collector import MOST_FUNCTIONS, OTHER
from easynet.fabric.telemetry.statistics import CallStatistics
from tests.patience import PATIENCE_S, within

ADD = CapabilityName("add")


def served(*durations_s: float, failed: int = 0) -> dict[CapabilityName, FunctionStatistics]:
    statistics = CallStatistics()
    for n, seconds in enumerate(durations_s):
        statistics.record(ADD, seconds, n < failed)
    return statistics.snapshot()


def node(name: str = "gpu", **changes: object) -> Node:
    capabilities = (Capability(name=ADD, description={"en": "Adds."}),)
    made = Node(name=NodeId(name), instance="1", concurrency=4, capabilities=capabilities)
    return made.model_copy(update=changes)


@dataclass
class Known:
    """A gateway that knows what it is told."""

    network: list[Node] = field(default_factory=list)
    counted: GatewayNumbers = field(default_factory=GatewayNumbers)
    fails: bool = False
    hangs: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def nodes(self) -> list[Node]:
        if self.fails:
            raise GatewayUnreachable("it is restarting")
        if self.hangs:
            await self._hang()
        return self.network

    async def _hang(self) -> None:
        self.asked.set()
        try:
            await self.answers.wait()
        finally:
            self.cancelled.set()

    async def numbers(self) -> GatewayNumbers:
        return self.counted


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
async def server(known: Known) -> AsyncIterator[MetricsServer]:
    server = MetricsServer(known, 0)
    await server.start()
    yield server
    await server.stop()


def get(port: int, path: str = "/metrics", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


async def scrape(server: MetricsServer, path: str = "/metrics") -> list[Sample]:
    status, text = await asyncio.to_thread(get, server.port, path)
    assert status == 200
    families = text_string_to_metric_families(text)
    return [s for family in families for s in family.samples]


def value(samples: list[Sample], name: str, **labels: str) -> float:
    [found] = [s.value for s in samples if s.name == name and s.labels == labels]
    return float(found)


def values(samples: list[Sample], name: str) -> list[float]:
    return [float(s.value) for s in samples if s.name == name]


async def test_scrape_tells_what_each_node_does(known: Known, server: MetricsServer) -> None:
    known.network = [node(running=3, waiting=2), node("old", draining=True, last_seen_at=1.8e9)]
    samples = await scrape(server)
    assert value(samples, "easynet_nodes") == 2
    assert value(samples, "easynet_node_running", node="gpu") == 3
    assert value(samples, "easynet_node_waiting", node="gpu") == 2
    assert value(samples, "easynet_node_concurrency", node="gpu") == 4
    assert value(samples, "easynet_node_draining", node="old") == 1
    assert value(samples, "easynet_node_last_seen_timestamp_seconds", node="old") == 1.8e9


async def test_scrape_tells_how_calls_go_by_node_and_function(known: Known, server: MetricsServer) -> None:
    known.network = [node(statistics=served(0.004, 0.02, 7000.0, failed=1))]
    samples = await scrape(server)
    place = {"node": "gpu", "function": "add"}
    assert value(samples, "easynet_calls_total", **place) == 3
    assert value(samples, "easynet_call_errors_total", **place) == 1
    assert value(samples, "easynet_call_seconds_count", **place) == 3
    assert value(samples, "easynet_call_seconds_sum", **place) == pytest.approx(7000.024)
    assert value(samples, "easynet_call_seconds_bucket", **place, le="0.005") == 1
    assert value(samples, "easynet_call_seconds_bucket", **place, le="3600.0") == 2
    assert value(samples, "easynet_call_seconds_bucket", **place, le="+Inf") == 3


async def test_scrape_tells_how_the_gateway_is(known: Known, server: MetricsServer) -> None:
    known.counted = GatewayNumbers(
        connections=7,
        messages_in=10,
        messages_out=20,
        slow_consumers=1,
        rejections={"expired": 2},
        jobs={"running": 3, "done": 4},
    )
    samples = await scrape(server)
    assert value(samples, "easynet_up") == 1
    assert value(samples, "easynet_gateway_connections") == 7
    assert value(samples, "easynet_gateway_messages_total", direction="out") == 20
    assert value(samples, "easynet_gateway_slow_consumers_total") == 1
    assert value(samples, "easynet_gateway_rejections_total", reason="expired") == 2
    assert value(samples, "easynet_jobs", state="running") == 3
    assert value(samples, "process_resident_memory_bytes") > 10_000_000


async def test_each_scrape_looks_anew(known: Known, server: MetricsServer) -> None:
    assert value(await scrape(server), "easynet_nodes") == 0
    known.network = [node()]
    assert value(await scrape(server), "easynet_nodes") == 1


async def test_single_metrics_can_be_asked_for(known: Known, server: MetricsServer) -> None:
    known.network = [node()]
    samples = await scrape(server, "/metrics?name[]=easynet_nodes")
    assert [s.name for s in samples] == ["easynet_nodes"]


async def test_format_of_openmetrics_is_spoken_too(known: Known, server: MetricsServer) -> None:
    known.network = [node(statistics=served(0.004))]
    accept = "application/openmetrics-text; version=1.0.0"
    _, text = await asyncio.to_thread(lambda: get(server.port, Accept=accept))
    assert text.endswith("# EOF\n")
    families = openmetrics_families(text)  # type: ignore[no-untyped-call]  # it has no types
    assert "easynet_calls" in [family.name for family in families]


HOSTILE = 'a"b\\c\n# TYPE x counter\u2028\udcff中'


async def test_hostile_names_stay_within_their_label(known: Known, server: MetricsServer) -> None:
    known.network = [node(HOSTILE), node()]
    known.counted = GatewayNumbers(rejections={HOSTILE: 1})
    samples = await scrape(server)
    seen = HOSTILE.replace("\udcff", "?")
    assert value(samples, "easynet_node_running", node=seen) == 0
    assert value(samples, "easynet_node_running", node="gpu") == 0
    assert value(samples, "easynet_gateway_rejections_total", reason=seen) == 1


async def test_impossible_numbers_of_one_node_do_not_hide_the_others(
    known: Known, server: MetricsServer
) -> None:
    lies = {ADD: FunctionStatistics(calls=3, buckets=(1, 2))}
    known.network = [
        node("liar", running=-5, waiting=10**400, statistics=lies),
        node(statistics=served(0.1)),
    ]
    samples = await scrape(server)
    assert value(samples, "easynet_node_running", node="liar") == 0
    assert math.isfinite(value(samples, "easynet_node_waiting", node="liar"))
    assert values(samples, "easynet_calls_total") == [1]


async def test_functions_that_a_node_does_not_offer_are_not_counted(
    known: Known, server: MetricsServer
) -> None:
    known.network = [node(capabilities=(), statistics=served(0.1))]
    assert values(await scrape(server), "easynet_calls_total") == []


async def test_gateway_that_does_not_answer_is_told_as_such(known: Known, server: MetricsServer) -> None:
    known.fails = True
    samples = await scrape(server)
    assert value(samples, "easynet_up") == 0
    assert values(samples, "easynet_nodes") == []
    assert values(samples, "process_resident_memory_bytes")


async def test_visitors_who_hang_up_or_talk_nonsense_harm_nobody(
    known: Known, server: MetricsServer, capfd: pytest.CaptureFixture[str]
) -> None:
    for words in (
        b"",
        b"\x00\xff\r\n\r\n",
        b"GET " + b"/" * 70_000 + b"\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as visitor:
            visitor.sendall(words)
    assert value(await scrape(server), "easynet_up") == 1
    assert capfd.readouterr() == ("", "")


async def test_port_is_closed_after_stop(known: Known) -> None:
    server = MetricsServer(known, 0)
    await server.start()
    port = server.port
    await server.stop()
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.to_thread(get, port)


async def test_stop_does_not_wait_for_a_scrape_under_way(known: Known, server: MetricsServer) -> None:
    known.hangs = True
    with socket.create_connection(("127.0.0.1", server.port)) as visitor:
        visitor.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        await known.asked.wait()
        async with within(2):
            await server.stop()
        known.answers.set()
        await asyncio.to_thread(visitor.recv, 1)


async def test_port_in_use_is_named_with_a_way_out(known: Known, server: MetricsServer) -> None:
    with pytest.raises(ServerNotStarted, match=f"port {server.port}: Address already in use") as refused:
        await MetricsServer(known, server.port).start()
    assert "--metrics-port" in refused.value.hint


@pytest.mark.parametrize("port", [70_000, -1])
async def test_impossible_port_is_an_error_in_a_sentence(known: Known, port: int) -> None:
    with pytest.raises(ServerNotStarted, match="metrics cannot be served"):
        await MetricsServer(known, port).start()


async def test_scrape_of_a_gateway_that_hangs_ends(known: Known) -> None:
    known.hangs = True
    server = MetricsServer(known, 0, timeout_s=0.05)
    await server.start()
    assert value(await scrape(server), "easynet_up") == 0
    async with asyncio.timeout(PATIENCE_S):
        await known.cancelled.wait()
    await server.stop()


async def test_loopback_of_ipv6_can_be_served(known: Known) -> None:
    server = MetricsServer(known, 0, "::1")
    try:
        await server.start()
    except ServerNotStarted:
        pytest.skip("this machine has no IPv6")
    with socket.create_connection(("::1", server.port)):
        pass
    await server.stop()


async def test_missing_library_is_named_with_its_extra(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra) as missing:
        await MetricsServer(known, 0).start()
    assert "pip install 'easynet-os[metrics]'" in missing.value.hint


async def test_functions_beyond_a_hundred_share_one_series(server: MetricsServer, known: Known) -> None:
    names = [CapabilityName(f"f{n}") for n in range(MOST_FUNCTIONS + 20)]
    statistics = CallStatistics()
    for name in names:
        statistics.record(name, 0.1, False)
    capabilities = tuple(Capability(name=name, description={"en": "Works."}) for name in names)
    known.network = [node(capabilities=capabilities, statistics=statistics.snapshot())]
    calls = {s.labels["function"]: s.value for s in await scrape(server) if s.name == "easynet_calls_total"}
    assert len(calls) == MOST_FUNCTIONS + 1
    assert calls[OTHER] == 20
    assert sum(calls.values()) == len(names)
