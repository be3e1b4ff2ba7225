"""When a node is free."""

from bisect import insort
from math import inf


class Timetable:
    """The free times of a node that runs several calls at once, in seconds from the start of the run."""

    def __init__(self, slots: int) -> None:
        self._gaps: list[tuple[float, float]] = [(0.0, inf)] * max(1, slots)
        """Free stretches of all slots, by their start; which slot one belongs to does not matter."""

    def earliest(self, ready_s: float, duration_s: float) -> float:
        """The first time, not before `ready_s`, at which a slot is free for `duration_s`."""
        return max(ready_s, self._gaps[self._first(ready_s, duration_s)][0])

    def take(self, ready_s: float, duration_s: float) -> float:
        """Occupy a slot at the `earliest` time, and return that."""
        index = self._first(ready_s, duration_s)
        free_from, free_to = self._gaps[index]
        starts_s = max(ready_s, free_from)
        ends_s = starts_s + duration_s
        if ends_s == starts_s:
            return starts_s
        del self._gaps[index]
        if starts_s > free_from:
            insort(self._gaps, (free_from, starts_s))
        if free_to > ends_s:
            insort(self._gaps, (ends_s, free_to))
        return starts_s

    def _first(self, ready_s: float, duration_s: float) -> int:
        # Gaps are in order of their start, so the first that fits starts earliest; the last is endless.
        for index, (free_from, free_to) in enumerate(self._gaps):
            if max(ready_s, free_from) + duration_s <= free_to:
                return index
        raise AssertionError("every slot is free in the end")
