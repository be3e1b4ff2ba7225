"""Numbers as people read them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from easynet.core.language import Language, say


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage: 0.1234 gives `12.3%`."""
    return f"{100 * share:,.{digits}f}%"


def signed_percent(share: float | None) -> str:
    """The same with its sign; a dash where there is none."""
    return "–" if share is None else f"{100 * share:+,.1f}%"


@dataclass(frozen=True)
class Money:
    """How amounts that stand together are written: all with the same currency and decimals."""

    currency: str
    """A sign such as `€`, or "" where the data states none."""
    digits: int

    @classmethod
    def like(cls, amounts: Iterable[float], currency: str = "") -> Self:
        """As many decimals as matter for the largest of some amounts."""
        largest = max((abs(a) for a in amounts), default=0.0)
        return cls(currency, 0 if largest >= 100 else 2 if largest >= 1 else 4)

    def plain(self, amount: float) -> str:
        """`€1,234`, and `-€5` below zero."""
        return self._written(amount, "-" if round(amount, self.digits) < 0 else "")

    def signed(self, amount: float) -> str:
        """The same with a plus where it is one."""
        rounded = round(amount, self.digits)
        return self._written(amount, "-" if rounded < 0 else "+" if rounded > 0 else "")

    def _written(self, amount: float, sign: str) -> str:
        size = f"{abs(amount):,.{self.digits}f}"
        if self.currency == "元":
            return f"{sign}{size} 元"
        space = " " if len(self.currency) > 1 else ""
        return f"{sign}{self.currency}{space}{size}"


def measure(value: float) -> str:
    """A number of any kind, with about four digits and never with an exponent where it is large."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def percent_range(interval: Sequence[float]) -> str:
    """Two shares as a range: `81.4–97.6%`."""
    low, high = interval
    return f"{100 * low:.1f}–{100 * high:.1f}%"


def decimals_range(interval: Sequence[float]) -> str:
    """Two plain numbers as a range."""
    low, high = interval
    return f"{low:.3f}–{high:.3f}"


def quoted(names: Iterable[str], language: Language, most: int = 6) -> str:
    """Names in quotes, the first few of them."""
    listed = [repr(name) for name in names]
    more = say(language, " and others", "等") if len(listed) > most else ""
    return say(language, ", ", "、").join(listed[:most]) + more


def shortened(text: str, longest: int = 28) -> str:
    """A text that fits a label."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
