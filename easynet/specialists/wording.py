"""Numbers as people read them."""

from collections.abc import Sequence


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage: 0.1234 gives `12.3%`."""
    return f"{100 * share:.{digits}f}%"


def signed_percent(share: float | None) -> str:
    """The same with its sign; a dash where there is none."""
    return "–" if share is None else f"{100 * share:+.1f}%"


def money(amount: float) -> str:
    """An amount without a currency, with as many digits as matter."""
    digits = 0 if abs(amount) >= 100 else 2
    return f"{amount:,.{digits}f}"


def signed_money(amount: float) -> str:
    """The same with its sign."""
    digits = 0 if abs(amount) >= 100 else 2
    return f"{amount:+,.{digits}f}"


def percent_range(interval: Sequence[float]) -> str:
    """Two shares as a range: `81.4–97.6%`."""
    low, high = interval
    return f"{100 * low:.1f}–{100 * high:.1f}%"


def decimals_range(interval: Sequence[float]) -> str:
    """Two plain numbers as a range."""
    low, high = interval
    return f"{low:.3f}–{high:.3f}"


def shortened(text: str, longest: int = 28) -> str:
    """A text that fits a label."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
