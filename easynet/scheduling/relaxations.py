"""What a plan that does not fit its budget and deadline would have to be allowed: the least that would do.

It is true of the scheduler itself: with the limit named it finds a schedule, and with one credit less it
finds none. So it is looked for among the schedules that it makes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf

from easynet.core.errors import EasyNetError, Infeasible, OverBudget
from easynet.core.quantities import format_credits
from easynet.core.relaxation import Relaxation
from easynet.core.schedule import Schedule

_STEPS = range(-6, 7)
_RATIO = 4.0
"""The trade-offs tried lie a factor of four apart, over seven orders of magnitude."""

Assign = Callable[[int | None, float], Schedule]
"""A schedule that spends at most so much beyond the cheapest offers; a credit weighs so many seconds."""


@dataclass(frozen=True)
class Market:
    """The schedules that can be had for a plan."""

    assign: Assign
    cheapest: int
    """Credits of the cheapest offers of all subtasks."""
    typical: float
    """Seconds of an offer for each credit of it, in the mean."""

    def greedy(self, budget: int | None) -> Schedule:
        """Each subtask as early as the budget allows, the longest chain first."""
        return self.assign(None if budget is None else budget - self.cheapest, 0.0)

    @cached_property
    def compromises(self) -> tuple[Schedule, ...]:
        """From the fastest to the cheapest, whatever the limits are."""
        weights = (0.0, *(self.typical * _RATIO**n for n in _STEPS), inf)
        return tuple(self.assign(None, weight) for weight in weights)

    def within(self, budget: int | None, deadline_s: float | None) -> Schedule | None:
        """A schedule that keeps both limits, where one is found."""
        if budget is not None and budget < self.cheapest:
            return None
        greedy = self.greedy(budget)
        if deadline_s is None or greedy.duration_s <= deadline_s:
            return greedy
        kept = [s for s in self._affordable(budget) if s.duration_s <= deadline_s]
        return min(kept, key=lambda s: (s.duration_s, s.price), default=None)

    def least_s(self, budget: int | None) -> float:
        """The least deadline with which `within` finds a schedule, where the budget suffices for any."""
        return min(s.duration_s for s in (self.greedy(budget), *self._affordable(budget)))

    def least_budget(self, deadline_s: float | None, short: int) -> int | None:
        """The least budget with which `within` finds a schedule, where it finds none with `short` credits.

        Found by bisection: with one credit less there is none. `None` where money does not help.
        """
        if deadline_s is None:
            return self.cheapest
        enough = min((s.price for s in self.compromises if s.duration_s <= deadline_s), default=None)
        if enough is None:
            return None
        too_little = max(short, self.cheapest - 1)
        while enough - too_little > 1:
            middle = (too_little + enough) // 2
            if self.greedy(middle).duration_s <= deadline_s:
                enough = middle
            else:
                too_little = middle
        return enough

    def _affordable(self, budget: int | None) -> tuple[Schedule, ...]:
        return tuple(s for s in self.compromises if budget is None or s.price <= budget)


def refusal(market: Market, budget: int | None, spent: int, deadline_s: float | None) -> EasyNetError:
    """Why there is no schedule, with the least limits that would do: OverBudget or Infeasible.

    `budget` is that of the whole run, of which `spent` is gone.
    """
    left = None if budget is None else budget - spent
    is_dear = left is not None and left < market.cheapest
    enough = None if left is None else market.least_budget(deadline_s, left)
    found = [] if enough is None else [Relaxation(budget=spent + enough)]
    if is_dear:
        if enough is None:
            both = Relaxation(budget=spent + market.cheapest, time_s=market.least_s(market.cheapest))
            found.append(both)
        least = market.cheapest if enough is None else enough
        error = _too_dear(least, budget or 0, spent, found, is_late=least > market.cheapest)
    else:
        needed_s = market.least_s(left)
        found.append(Relaxation(time_s=needed_s))
        found.sort(key=lambda r: _change(r, budget, deadline_s))
        error = _too_slow(needed_s, deadline_s or 0.0, found)
    error.relaxations = tuple(found)
    return error


def _change(relaxation: Relaxation, budget: int | None, deadline_s: float | None) -> float:
    """How many times a limit it is."""
    money = 1.0 if relaxation.budget is None else relaxation.budget / max(1, budget or 0)
    time = 1.0 if relaxation.time_s is None else relaxation.time_s / max(0.001, deadline_s or 0.0)
    return money * time


# ── in words ────────────────────────────────────────────────────────────────────────────────────


def _too_dear(
    needed: int, budget: int, spent: int, found: list[Relaxation], *, is_late: bool
) -> EasyNetError:
    plan, plan_zh = ("the rest of the plan", "计划的其余部分") if spent else ("the plan", "计划")
    of, of_zh = (f", of which {format_credits(spent)} are spent", f"，已花费 {format_credits(spent, 'zh')}")
    in_time, in_time_zh = (" to end in time", "按期完成") if is_late else ("", "")
    return OverBudget(
        f"{plan} costs at least {format_credits(needed)}{in_time}; the budget is {format_credits(budget)}"
        + of * bool(spent),
        hint=_hint(found),
        zh=f"{plan_zh}{in_time_zh}至少需要 {format_credits(needed, 'zh')}，而预算是"
        f" {format_credits(budget, 'zh')}{of_zh * bool(spent)}",
        hint_zh=_hint_zh(found),
    )


def _too_slow(needed_s: float, allowed_s: float, found: list[Relaxation]) -> EasyNetError:
    if allowed_s <= 0:
        return Infeasible(
            f"the deadline has passed, and what is left takes about {_seconds(f'{ceil(needed_s)}')}",
            hint=_hint(found, " from now"),
            zh=f"期限已过，其余部分约需 {ceil(needed_s)} 秒",
            hint_zh=_hint_zh(found, "从现在起的 "),
        )
    needed, allowed = _told_apart(needed_s, allowed_s)
    verb = "is" if allowed == "1" else "are"
    return Infeasible(
        f"the plan takes about {_seconds(needed)} at best; {_seconds(allowed)} {verb} allowed",
        hint=_hint(found),
        zh=f"计划最快约需 {needed} 秒，而期限是 {allowed} 秒",
        hint_zh=_hint_zh(found),
    )


def _hint(found: list[Relaxation], since: str = "") -> str:
    ways: list[str] = []
    for limits in found:
        money = [] if limits.budget is None else [f"a budget of {format_credits(limits.budget)}"]
        time = [] if limits.time_s is None else [f"a deadline of {_seconds(f'{ceil(limits.time_s)}')}{since}"]
        ways.append(" with ".join((*money, *time)))
    first, *others = ways
    return f"{first[0].upper()}{first[1:]} would do{''.join(f', or {way}' for way in others)}."


def _hint_zh(found: list[Relaxation], since: str = "") -> str:
    ways: list[str] = []
    for limits in found:
        money = [] if limits.budget is None else [f"预算达到 {format_credits(limits.budget, 'zh')}"]
        time = [] if limits.time_s is None else [f"期限放宽到{since or ' '}{ceil(limits.time_s)} 秒"]
        ways.append("，并且".join((*money, *time)))
    return f"{'，或者'.join(ways)}即可。"


def _seconds(number: str) -> str:
    return f"{number} second{'s' * (number != '1')}"


def _told_apart(*seconds: float) -> tuple[str, ...]:
    """The times with one decimal, or with as many as it takes to see that they differ."""
    for places in (1, 2, 3):
        shown = tuple(f"{s:.{places}f}".rstrip("0").rstrip(".") for s in seconds)
        if len({*shown, "0"}) > len(seconds):
            return shown
    return tuple(f"{s:g}" for s in seconds)
