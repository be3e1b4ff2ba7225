"""How calls go, by function: counted at a node, read by everybody who looks at it."""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from typing import Final

from easynet.core.ids import CapabilityName
from easynet.core.offer import FunctionStatistics

BOUNDS_S: Final = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    15.0,
    60.0,
    300.0,
    1200.0,
    3600.0,
)
"""The longest duration that each bucket counts, in seconds; one more bucket counts what is longer."""

LATEST: Final = 20
"""Of so many calls the durations are kept as they were: a bucket alone is too wide where calls are alike."""
_LATEST_WEIGHT: Final = 0.1
"""How much of the moving average the latest call makes up, once there are ten."""
_MOST_CALLS: Final = 2**53
"""Counts above are no counts: floating-point numbers hold whole numbers up to here."""
_NO_BUCKETS: Final = (0,) * (len(BOUNDS_S) + 1)


class CallStatistics:
    """Counts the calls of one node, from one thread.

    Takes about half a microsecond a call, for it is asked at each.
    """

    def __init__(self) -> None:
        self._tally_by_function: dict[CapabilityName, _Tally] = {}

    def record(self, function: CapabilityName, seconds: float, failed: bool) -> None:
        """Count a call that has ended, after running for `seconds`."""
        tally = self._tally_by_function.get(function)
        if tally is None:
            tally = self._tally_by_function[function] = _Tally()
        tally.calls += 1
        if failed:
            tally.errors += 1
        tally.total_s += seconds
        weight = _LATEST_WEIGHT if tally.calls > 10 else 1 / tally.calls
        tally.mean_s += weight * (seconds - tally.mean_s)
        tally.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        tally.latest.append(seconds)

    def snapshot(self) -> dict[CapabilityName, FunctionStatistics]:
        """All that was counted so far, for a heartbeat."""
        return {
            function: FunctionStatistics(
                calls=tally.calls,
                errors=tally.errors,
                total_s=tally.total_s,
                mean_s=tally.mean_s,
                buckets=tuple(tally.buckets),
                latest=tuple(tally.latest),
            )
            for function, tally in self._tally_by_function.items()
        }


class _Tally:
    """The running counts of one function."""

    __slots__ = ("buckets", "calls", "errors", "latest", "mean_s", "total_s")

    def __init__(self) -> None:
        self.calls = 0
        self.errors = 0
        self.total_s = 0.0
        self.mean_s = 0.0
        self.buckets = [*_NO_BUCKETS]
        self.latest: deque[float] = deque(maxlen=LATEST)


def quantile(statistics: FunctionStatistics, q: float) -> float | None:
    """The duration in seconds that a share `q` of the calls did not exceed; `None` where there was none.

    Of few calls, and wherever one of the latest is in the same bucket, it is a duration that was measured.
    Otherwise the calls are taken to be spread evenly within the bucket, as Prometheus does.
    """
    rank, below = q * sum(statistics.buckets), 0
    for number, count in enumerate(statistics.buckets):
        if count and below + count >= rank:
            return _within(number, (rank - below) / count, statistics.latest)
        below += count
    return None


def _within(number: int, share: float, latest: Iterable[float]) -> float:
    """The duration that a share of the calls of one bucket did not exceed."""
    measured = sorted(seconds for seconds in latest if bisect_left(BOUNDS_S, seconds) == number)
    if measured:
        # Rounding must not make three calls of three into the fourth.
        return measured[max(1, math.ceil(share * len(measured) - 1e-9)) - 1]
    lower, upper = (0.0, *BOUNDS_S)[number], (*BOUNDS_S, BOUNDS_S[-1])[number]
    return lower + (upper - lower) * share


def merged(parts: Iterable[FunctionStatistics]) -> FunctionStatistics:
    """Several statistics as one: of several functions, or of one function at several nodes."""
    calls = errors = 0
    total_s = weighted_s = 0.0
    buckets = [*_NO_BUCKETS]
    latest: list[float] = []
    for part in parts:
        calls += part.calls
        errors += part.errors
        total_s += part.total_s
        weighted_s += part.mean_s * part.calls
        for n, count in enumerate(part.buckets):
            buckets[n] += count
        latest += part.latest
    mean_s = weighted_s / calls if calls else 0.0
    return FunctionStatistics(
        calls=calls,
        errors=errors,
        total_s=total_s,
        mean_s=mean_s,
        buckets=tuple(buckets),
        latest=tuple(latest),
    )


def since(earlier: FunctionStatistics | None, now: FunctionStatistics) -> FunctionStatistics:
    """What came to `earlier` until `now`; all of `now` where the counts began anew in between."""
    if earlier is None:
        return now
    before = earlier.buckets or _NO_BUCKETS
    buckets = tuple(n - b for n, b in zip(now.buckets or _NO_BUCKETS, before, strict=True))
    calls, errors = now.calls - earlier.calls, now.errors - earlier.errors
    if min(calls, errors, *buckets) < 0:
        return now
    total_s = max(0.0, now.total_s - earlier.total_s)
    latest = now.latest[-calls:] if calls else ()
    return FunctionStatistics(
        calls=calls, errors=errors, total_s=total_s, mean_s=now.mean_s, buckets=buckets, latest=latest
    )


def is_sound(statistics: FunctionStatistics) -> bool:
    """Whether the numbers can be those of real calls; a node may send anything."""
    calls, errors, buckets = statistics.calls, statistics.errors, statistics.buckets or _NO_BUCKETS
    return (
        0 <= errors <= calls < _MOST_CALLS
        and min(statistics.total_s, statistics.mean_s) >= 0
        and len(buckets) == len(_NO_BUCKETS)
        and min(buckets) >= 0
        and sum(buckets) == (calls if statistics.buckets else 0)
        and len(statistics.latest) <= min(calls, LATEST)
        and min(statistics.latest, default=0.0) >= 0
    )
