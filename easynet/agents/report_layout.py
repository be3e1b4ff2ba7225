"""Where the boxes of a directed graph go: layers by longest path, few crossings, straight edges."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_SWEEPS = 8
_WAYPOINT_WIDTH = 14.0


@dataclass(frozen=True)
class Layout(Generic[K]):
    """Positions across the layers, and the layers themselves; the picture decides which way is down."""

    layer: dict[K, int]
    """0 for what needs nothing."""
    across: dict[K, float]
    """Centre of each box, from 0."""
    routes: dict[tuple[K, K], list[tuple[int, float]]]
    """For each edge, the layers and positions that it passes, ends included."""
    extent: float
    """From the first box's outer edge to the last one's."""

    @property
    def layers(self) -> int:
        return max(self.layer.values(), default=-1) + 1


@dataclass(frozen=True)
class _Waypoint:
    """Where a long edge crosses a layer without stopping."""

    edge: int
    layer: int


def lay_out(before: Mapping[K, Iterable[K]], *, size: float, gap: float) -> Layout[K]:
    """A layout of an acyclic graph, given what comes directly before each key.

    Boxes are `size` wide across the layers, and at least `gap` apart.
    """
    needs = {key: [n for n in dict.fromkeys(sources) if n in before] for key, sources in before.items()}
    layer = layers_of(needs)
    edges = [(source, key) for key, sources in needs.items() for source in sources]
    chains: list[list[K | _Waypoint]] = [
        [a, *(_Waypoint(n, level) for level in range(layer[a] + 1, layer[b])), b]
        for n, (a, b) in enumerate(edges)
    ]
    rows: list[list[K | _Waypoint]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for key, level in layer.items():
        rows[level].append(key)
    up: dict[K | _Waypoint, list[K | _Waypoint]] = {}
    down: dict[K | _Waypoint, list[K | _Waypoint]] = {}
    for chain in chains:
        for above, below in pairwise(chain):
            up.setdefault(below, []).append(above)
            down.setdefault(above, []).append(below)
        for point in chain[1:-1]:
            rows[point.layer if isinstance(point, _Waypoint) else 0].append(point)
    _order(rows, up, down)
    widths = {k: _WAYPOINT_WIDTH if isinstance(k, _Waypoint) else size for row in rows for k in row}
    place = _place(rows, up, down, widths, gap)
    left = min((place[k] - widths[k] / 2 for k in place), default=0.0)
    right = max((place[k] + widths[k] / 2 for k in place), default=0.0)
    row_of = {k: n for n, row in enumerate(rows) for k in row}
    return Layout(
        layer=layer,
        across={k: place[k] - left for k in layer},
        routes={
            edge: _straight([(row_of[k], place[k] - left) for k in chain])
            for edge, chain in zip(edges, chains, strict=True)
        },
        extent=right - left,
    )


def _straight(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The route without bends that are too small to be meant."""
    for n in range(2, len(points) - 1):
        if abs(points[n][1] - points[n - 1][1]) < _WAYPOINT_WIDTH / 2:
            points[n] = (points[n][0], points[n - 1][1])
    return points


def layers_of(needs: Mapping[K, Sequence[K]]) -> dict[K, int]:
    """The length of the longest path to each key. Raises ValueError where the graph has a cycle."""
    waiting = {key: len(sources) for key, sources in needs.items()}
    after: dict[K, list[K]] = {key: [] for key in needs}
    for key, sources in needs.items():
        for source in sources:
            after[source].append(key)
    layer = {key: 0 for key, count in waiting.items() if not count}
    ready = list(layer)
    while ready:
        key = ready.pop()
        for follower in after[key]:
            layer[follower] = max(layer.get(follower, 0), layer[key] + 1)
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    if any(waiting.values()):
        raise ValueError("the graph has a cycle")
    return {key: layer[key] for key in needs}


def _order(
    rows: list[list[K | _Waypoint]],
    up: Mapping[K | _Waypoint, list[K | _Waypoint]],
    down: Mapping[K | _Waypoint, list[K | _Waypoint]],
) -> None:
    """Sort each row by the mean place of its neighbours, sweeping down and up."""
    for sweep in range(_SWEEPS):
        neighbours, order = (up, rows[1:]) if sweep % 2 == 0 else (down, rows[-2::-1])
        rank = {k: n / max(1, len(row) - 1) for row in rows for n, k in enumerate(row)}
        for row in order:
            mean = {
                k: sum(rank[n] for n in near) / len(near) if (near := neighbours.get(k)) else rank[k]
                for k in row
            }
            row.sort(key=mean.__getitem__)
            rank |= {k: n / max(1, len(row) - 1) for n, k in enumerate(row)}


def _place(
    rows: list[list[K | _Waypoint]],
    up: Mapping[K | _Waypoint, list[K | _Waypoint]],
    down: Mapping[K | _Waypoint, list[K | _Waypoint]],
    widths: Mapping[K | _Waypoint, float],
    gap: float,
) -> dict[K | _Waypoint, float]:
    """Positions that keep order and gaps, each as near to the mean of its neighbours as that allows."""
    offsets: dict[K | _Waypoint, float] = {}
    for row in rows:
        edge = 0.0
        for key in row:
            offsets[key] = edge + widths[key] / 2
            edge += widths[key] + gap
    width = max((offsets[row[-1]] + widths[row[-1]] / 2 for row in rows), default=0.0)
    place = {
        k: offsets[k] + (width - offsets[row[-1]] - widths[row[-1]] / 2) / 2 for row in rows for k in row
    }
    for sweep in range(2 * _SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wish = [
                sum(place[n] for n in near) / len(near)
                if (near := [*up.get(k, ()), *down.get(k, ())])
                else place[k]
                for k in row
            ]
            steady = _non_decreasing([w - offsets[k] for w, k in zip(wish, row, strict=True)])
            place |= {k: s + offsets[k] for s, k in zip(steady, row, strict=True)}
    return place


def _non_decreasing(values: Sequence[float]) -> list[float]:
    """The non-decreasing list nearest to `values` in least squares (pool adjacent violators)."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while pools and pools[-1][0] > mean:
            other, weight = pools.pop()
            mean, count = (mean * count + other * weight) / (count + weight), count + weight
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]
