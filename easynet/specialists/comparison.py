"""Recent sales against the same length before, and whether the difference is more than chance.

The interval comes from a circular block bootstrap (Politis and Romano 1992): neighbouring periods depend on
each other, so blocks of them are resampled.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.language import Language, say
from easynet.specialists.periods import PERIODICITY, Grain, count_of
from easynet.specialists.wording import Money, percent, signed_percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REPEATS = 2000
_SEED = 3


class Change(TypedDict):
    """How much a recent stretch differs from an earlier one."""

    before: float
    recent: float
    change: float
    """In money."""
    low: float
    high: float
    """95 % interval of the change."""
    percent: float | None
    """Absent where nothing was sold before."""
    percent_low: float | None
    percent_high: float | None
    is_clear: bool
    """The interval leaves out zero."""


@dataclass(frozen=True)
class Comparison:
    """Which stretches of a series are compared."""

    length: int
    lag: int
    """Periods between a recent period and the one it is compared with."""
    is_year_before: bool
    """The same season is compared; otherwise the season cannot be told from growth."""
    block: int

    def words(self, grain: Grain, language: Language) -> str:
        """The comparison as a phrase: "the last 52 weeks against the 52 weeks before"."""
        length = count_of(self.length, grain, language)
        if self.is_year_before and self.length < self.lag:
            return say(
                language,
                f"the last {length} against the same {length} a year before",
                f"最近 {length}与去年同期",
            )
        return say(
            language, f"the last {length} against the {length} before", f"最近 {length}与之前的 {length}"
        )


def comparison_for(periods: int, grain: Grain) -> Comparison:
    """A year against the year before where there is one; else what part of a year there is; else two"
    " halves."""
    rhythm = PERIODICITY[grain]
    year, block = rhythm.per_year, rhythm.block
    if periods >= 2 * year:
        return Comparison(year, year, True, block)
    if periods - year >= max(2 * block, year // 4):
        return Comparison(periods - year, year, True, block)
    half = periods // 2
    if grain == "day" and half >= 7:
        half -= half % 7  # whole weeks, so that both sides have the same weekdays
    return Comparison(half, half, False, min(block, max(1, half // 3)))


def compare(values: "NDArray[np.float64]", comparison: Comparison) -> Change:
    """The change between the two stretches at the end of `values`, with its interval."""
    import numpy as np  # heavy
    from scipy.special import stdtrit

    length, lag = comparison.length, comparison.lag
    recent = values[len(values) - length :]
    before = values[len(values) - length - lag : len(values) - lag]
    random = np.random.default_rng(_SEED)
    places = _blocks(length, comparison.block, random)
    # The same weeks of two years belong together; two halves of a year do not.
    other = places if comparison.is_year_before else _blocks(length, comparison.block, random)
    recents, befores = recent[places].sum(axis=1), before[other].sum(axis=1)
    change = float(recent.sum() - before.sum())
    # A bootstrap of few blocks is too narrow; n / (n - 1) and Student's t in place of the normal widen it.
    blocks = max(2.0, length / comparison.block)
    freedom = blocks - 1 if comparison.is_year_before else 2 * (blocks - 1)
    wider = float(np.sqrt(blocks / (blocks - 1)) * stdtrit(freedom, 0.975) / 1.959964)
    low, high = _interval(recents - befores, change, wider)
    percent = percent_low = percent_high = None
    if before.sum() > 0 and bool((befores > 0).all()):
        percent = float(recent.sum() / before.sum() - 1)
        percent_low, percent_high = _interval(recents / befores - 1, percent, wider)
    return Change(
        before=float(before.sum()),
        recent=float(recent.sum()),
        change=change,
        low=low,
        high=high,
        percent=percent,
        percent_low=percent_low,
        percent_high=percent_high,
        is_clear=low > 0 or high < 0,
    )


def _blocks(length: int, block: int, random: "np.random.Generator") -> "NDArray[np.int64]":
    """For each repeat, places in a stretch, drawn in blocks that wrap around its end."""
    import numpy as np  # heavy

    count = -(-length // block)
    starts = random.integers(0, length, size=(_REPEATS, count, 1))
    places = (starts + np.arange(block)) % length
    return places.reshape(_REPEATS, -1)[:, :length].astype(np.int64)


def _interval(drawn: "NDArray[np.float64]", estimate: float, wider: float) -> tuple[float, float]:
    import numpy as np  # heavy

    low, high = np.quantile(drawn, (0.025, 0.975))
    return estimate + wider * (float(low) - estimate), estimate + wider * (float(high) - estimate)


def change_words(change: Change, money: Money, language: Language) -> str:
    """A change with its interval: "+23,003 (+16.9%, 95% interval +20,617 to +25,459)"."""
    share = "" if change["percent"] is None else signed_percent(change["percent"]) + say(language, ", ", "，")
    low, high = money.signed(change["low"]), money.signed(change["high"])
    return say(
        language,
        f"{money.signed(change['change'])} ({share}95% interval {low} to {high})",
        f"{money.signed(change['change'])}（{share}95% 区间 {low} 至 {high}）",
    )


def size_words(change: Change, money: Money, language: Language) -> str:
    """How large a clear change is, after "grew by" or "fell by": "23,003 (16.9%, 95% interval ...)"."""
    share = "" if change["percent"] is None else percent(abs(change["percent"])) + say(language, ", ", "，")
    low, high = (money.plain(size) for size in sorted((abs(change["low"]), abs(change["high"]))))
    size = money.plain(abs(change["change"]))
    return say(
        language,
        f"{size} ({share}95% interval {low} to {high})",
        f"{size}（{share}95% 区间 {low} 至 {high}）",
    )
