"""How busy a network is: what its nodes said of themselves, looked at again and again."""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import FunctionStatistics, Node
from easynet.fabric.registry import HEARTBEAT_S
from easynet.fabric.telemetry.statistics import is_sound, merged, quantile, since

NodeState = Literal["ready", "draining", "silent"]

_WINDOW_S: Final = 10.0
"""Rates are those of the latest seconds: long enough to be calm, short enough to be news."""
_SILENT_AFTER_S: Final = 2.5 * HEARTBEAT_S

ByFunction = Mapping[CapabilityName, FunctionStatistics]


@dataclass(frozen=True)
class Load:
    """How the calls of a function, a node or a network go."""

    calls_per_s: float | None
    """Calls that ended; `None` as long as it takes two heartbeats to know."""
    errors: int
    """Calls that ended in an error since the nodes started."""
    new_errors: int
    """Of these, the ones of the latest seconds."""
    p50_s: float | None
    p95_s: float | None
    is_recent: bool
    """Whether the durations are those of the latest seconds, or else of all calls since the start."""


@dataclass(frozen=True)
class NodeLoad:
    """How busy a node is."""

    node: Node
    state: NodeState
    silent_s: float
    """Seconds since anything was heard of it."""
    load: Load
    functions: tuple[tuple[CapabilityName, Load], ...]
    """Those that were called, the busiest first."""


@dataclass(frozen=True)
class NetworkLoad:
    """How busy a network is."""

    nodes: tuple[NodeLoad, ...] = ()
    """The busiest first."""
    load: Load = Load(None, 0, 0, None, None, False)

    @property
    def running(self) -> int:
        return sum(n.node.running for n in self.nodes)

    @property
    def waiting(self) -> int:
        return sum(n.node.waiting for n in self.nodes)

    @property
    def concurrency(self) -> int:
        return sum(n.node.concurrency for n in self.nodes)


class LoadMeter:
    """Turns what nodes count since their start into what happens now.

    It goes by the times of their heartbeats, so that it does not matter when one looks.
    """

    def __init__(self) -> None:
        self._history_by_instance: dict[tuple[NodeId, str], _History] = {}

    def look(self, nodes: Sequence[Node], at_s: float) -> NetworkLoad:
        """The load that the nodes of this moment tell of; `at_s` is on any clock that never goes back."""
        instances = {(node.name, node.instance): node for node in nodes}
        self._history_by_instance = {
            instance: self._history_by_instance.get(instance) or _History() for instance in instances
        }
        for instance, history in self._history_by_instance.items():
            history.add(instances[instance], at_s)
        latest = max((node.last_seen_at for node in nodes), default=0.0)
        loads = [
            self._node_load(node, self._history_by_instance[instance], latest, at_s)
            for instance, node in instances.items()
        ]
        histories = self._history_by_instance.values()
        return NetworkLoad(
            nodes=tuple(sorted(loads, key=lambda n: (_order(n.load), -n.node.running, n.node.name))),
            load=_load(
                [s for h in histories for s in h.recent.values()],
                [s for h in histories for s in h.now.values()],
                _sum(n.load.calls_per_s for n in loads),
            ),
        )

    def _node_load(self, node: Node, history: "_History", latest: float, at_s: float) -> NodeLoad:
        # The gateway's clock is not ours: a node is late beside the others, or by what we waited for it.
        silent_s = max(at_s - history.heard_s, latest - node.last_seen_at)
        recent, now = history.recent, history.now
        functions = {
            name: _load([recent[name]], [now[name]], history.rate(recent[name].calls)) for name in now
        }
        calls = sum(s.calls for s in recent.values())
        return NodeLoad(
            node=node,
            state="silent" if silent_s > _SILENT_AFTER_S else "draining" if node.draining else "ready",
            silent_s=silent_s,
            load=_load(recent.values(), now.values(), history.rate(calls)),
            functions=tuple(sorted(functions.items(), key=lambda item: (_order(item[1]), item[0]))),
        )


class _History:
    """The heartbeats of one node within the window, and the last one before it."""

    def __init__(self) -> None:
        self._beats: deque[tuple[float, ByFunction]] = deque()
        self.heard_s = 0.0
        self.recent: ByFunction = {}
        """What was counted within the window; all there is as long as there is no other heartbeat."""

    @property
    def now(self) -> ByFunction:
        return self._beats[-1][1]

    def add(self, node: Node, at_s: float) -> None:
        beats = self._beats
        if beats and node.last_seen_at <= beats[-1][0]:
            return
        self.heard_s = at_s
        beats.append((node.last_seen_at, {f: s for f, s in node.statistics.items() if is_sound(s)}))
        while len(beats) > 2 and beats[1][0] <= beats[-1][0] - _WINDOW_S:
            beats.popleft()
        before = beats[0][1] if len(beats) > 1 else {}
        self.recent = {f: since(before.get(f), s) for f, s in self.now.items()}

    def rate(self, calls: int) -> float | None:
        elapsed_s = self._beats[-1][0] - self._beats[0][0]
        return calls / elapsed_s if elapsed_s > 0 else None


def _load(
    recent: Iterable[FunctionStatistics], now: Iterable[FunctionStatistics], calls_per_s: float | None
) -> Load:
    latest, ever = merged(recent), merged(now)
    is_recent = calls_per_s is not None and latest.calls > 0
    shown = latest if is_recent else ever
    return Load(
        calls_per_s=calls_per_s,
        errors=ever.errors,
        new_errors=latest.errors if calls_per_s is not None else 0,
        p50_s=quantile(shown, 0.5),
        p95_s=quantile(shown, 0.95),
        is_recent=is_recent,
    )


def _sum(rates: Iterable[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None


def _order(load: Load) -> int:
    """The place in the order, in steps of about 40 %, so that lines do not change places for nothing."""
    return -round(2 * math.log2(1 + (load.calls_per_s or 0.0)))
