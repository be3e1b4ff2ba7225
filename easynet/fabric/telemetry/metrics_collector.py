"""A network in the words of Prometheus. Needs the extra `metrics`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from easynet.core.offer import FunctionStatistics, Node
from easynet.fabric.telemetry.metrics import GatewayNumbers
from easynet.fabric.telemetry.statistics import BOUNDS_S, is_sound, merged

_LIMITS: Final = (*(str(bound) for bound in BOUNDS_S), "+Inf")
_MOST: Final = 2**53
"""A node may send any number; larger ones are none that it could mean."""

MOST_FUNCTIONS: Final = 100
"""Of one node that are told apart."""
OTHER: Final = "_other"
"""What the rest of them are counted under."""

Look = Callable[[], tuple[list[Node], GatewayNumbers] | None]


class NetworkCollector:
    """Looks at the network at each scrape, and keeps nothing."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> Iterable[Metric]:
        """All metrics; where the gateway does not answer, nothing but that it does not."""
        seen = self._look()
        yield GaugeMetricFamily(
            "easynet_up", "1 where the gateway answered, 0 where it did not.", value=float(seen is not None)
        )
        if seen is not None:
            nodes, numbers = seen
            yield from _of_nodes(nodes)
            yield from _of_calls(nodes)
            yield from _of_gateway(numbers)


def _of_nodes(nodes: list[Node]) -> Iterator[Metric]:
    yield GaugeMetricFamily("easynet_nodes", "Nodes on the network.", value=len(nodes))
    figures: tuple[tuple[str, str, Callable[[Node], float]], ...] = (
        ("running", "Calls that a node runs.", lambda n: _bounded(n.running)),
        ("waiting", "Calls that wait at a node.", lambda n: _bounded(n.waiting)),
        ("concurrency", "Calls that a node runs at most.", lambda n: _bounded(n.concurrency)),
        ("draining", "1 where a node takes nothing new.", lambda n: float(n.draining)),
        ("last_seen_timestamp_seconds", "When a node was last heard of.", lambda n: n.last_seen_at),
    )
    for name, words, figure in figures:
        gauge = GaugeMetricFamily(f"easynet_node_{name}", words, labels=["node"])
        for node in nodes:
            gauge.add_metric([_label(node.name)], figure(node))
        yield gauge


def _of_calls(nodes: list[Node]) -> Iterator[Metric]:
    labels = ["node", "function"]
    calls = CounterMetricFamily("easynet_calls", "Calls that ended.", labels=labels)
    errors = CounterMetricFamily("easynet_call_errors", "Calls that ended in an error.", labels=labels)
    seconds = HistogramMetricFamily(
        "easynet_call_seconds", "Seconds that calls ran, without waiting.", labels=labels
    )
    for node in nodes:
        for function, statistics in _believable(node).items():
            values = [_label(node.name), _label(function)]
            calls.add_metric(values, statistics.calls)
            errors.add_metric(values, statistics.errors)
            if statistics.buckets:
                heights = zip(_LIMITS, accumulate(statistics.buckets), strict=True)
                seconds.add_metric(values, [*heights], sum_value=statistics.total_s)
    yield from (calls, errors, seconds)


def _believable(node: Node) -> Mapping[str, FunctionStatistics]:
    """The counts of functions that the node offers: it could name any number of others.

    Each is a series of its own, so of a great many the later ones are counted together. Their place among
    those on offer decides, so that a function is counted in one place all the time.
    """
    offered = [capability.name for capability in node.capabilities]
    told = node.statistics
    sound: dict[str, FunctionStatistics] = {f: told[f] for f in offered if f in told and is_sound(told[f])}
    if rest := [sound.pop(f) for f in offered[MOST_FUNCTIONS:] if f in sound]:
        sound[OTHER] = merged(rest)
    return sound


def _of_gateway(numbers: GatewayNumbers) -> Iterator[Metric]:
    prefix = "easynet_gateway"
    yield GaugeMetricFamily(f"{prefix}_connections", "Nodes and clients connected.", numbers.connections)
    yield GaugeMetricFamily(
        f"{prefix}_server_memory_bytes", "Memory of the NATS server.", numbers.server_memory_bytes
    )
    yield CounterMetricFamily(
        f"{prefix}_slow_consumers", "Connections cut because they did not read.", numbers.slow_consumers
    )
    messages = {"in": numbers.messages_in, "out": numbers.messages_out}
    yield _counter(f"{prefix}_messages", "Messages of the NATS server.", "direction", messages)
    volume = {"in": numbers.bytes_in, "out": numbers.bytes_out}
    yield _counter(f"{prefix}_bytes", "Bytes of the NATS server.", "direction", volume)
    yield _counter(f"{prefix}_rejections", "Requests refused.", "reason", numbers.rejections)
    jobs = GaugeMetricFamily("easynet_jobs", "Jobs that the gateway keeps.", labels=["state"])
    for state, count in numbers.jobs.items():
        jobs.add_metric([_label(state)], count)
    yield jobs


def _counter(name: str, words: str, label: str, counts: Mapping[str, int]) -> Metric:
    counter = CounterMetricFamily(name, words, labels=[label])
    for value, count in counts.items():
        counter.add_metric([_label(value)], count)
    return counter


def _bounded(count: int) -> float:
    return float(min(max(count, 0), _MOST))


def _label(text: str) -> str:
    """`text` without halves of characters, which no encoding can write."""
    return text.encode("utf-8", "replace").decode("utf-8")
