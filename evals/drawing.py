"""Plots as inline SVG: bars over names, and lines over numbers."""

from collections.abc import Callable, Sequence
from math import ceil, floor, log10

from easynet.agents.report_html import Html, el, join
from evals.report import Plot

_WIDTH, _LEFT, _RIGHT, _TOP = 920.0, 236.0, 92.0, 8.0
_ROW, _BAR = 24.0, 14.0
_HEIGHT, _AXIS = 280.0, 44.0
_COLOURS = ("var(--accent)", "var(--good)", "var(--busy)", "var(--bad)", "var(--idle)", "var(--demo)")
_MOST_TICKS = 6


def draw(plot: Plot) -> Html:
    """The plot as a picture, with what it shows as its label."""
    return _bars(plot) if plot.kind == "bars" else _lines(plot)


def _bars(plot: Plot) -> Html:
    """One horizontal bar for each name and series."""
    named = [
        (f"{name}, {series}" if series else str(name), value, colour)
        for (series, points), colour in zip(plot.series.items(), _cycled(len(plot.series)), strict=True)
        for name, value in points
    ]
    place = _scale([value for _, value, _ in named], plot.is_log, _LEFT, _WIDTH - _RIGHT)
    height = _TOP + _ROW * len(named) + 20.0
    drawn = []
    for n, (name, value, colour) in enumerate(named):
        middle = _TOP + _ROW * (n + 0.5)
        end = max(place(value), _LEFT + 1.0)
        bar = {"x": _LEFT, "y": middle - _BAR / 2, "width": end - _LEFT, "height": _BAR, "rx": 2.0}
        drawn += [
            _text(name, _LEFT - 8, middle + 4, "end"),
            el("rect", fill=colour, **bar),
            _text(f"{value:,.2f}".rstrip("0").rstrip("."), end + 6, middle + 4, "start"),
        ]
    drawn.append(
        _text(plot.y + (", logarithmic" if plot.is_log else ""), _LEFT, height - 4, "start", "var(--soft)")
    )
    return _picture(plot, height, drawn)


def _lines(plot: Plot) -> Html:
    """One line a series over a number, with its points and its name at its end."""
    xs = [float(x) for points in plot.series.values() for x, _ in points]
    ys = [y for points in plot.series.values() for _, y in points]
    across = _scale(xs, False, 60.0, _WIDTH - 180.0, from_zero=False)
    up = _scale(ys, plot.is_log, _HEIGHT - _AXIS, _TOP + 10)
    drawn = [
        part
        for tick in _ticks(ys, plot.is_log)
        for part in (
            el("line", x1=60.0, x2=_WIDTH - 180.0, y1=up(tick), y2=up(tick), stroke="var(--line)"),
            _text(f"{tick:g}", 52.0, up(tick) + 4, "end", "var(--soft)"),
        )
    ]
    drawn += [
        _text(f"{x:g}", across(x), _HEIGHT - _AXIS + 18, "middle", "var(--soft)") for x in sorted({*xs})
    ]
    drawn.append(_text(plot.x, (_WIDTH - 120.0) / 2, _HEIGHT - 6, "middle", "var(--soft)"))
    for (name, points), colour in zip(plot.series.items(), _cycled(len(plot.series)), strict=True):
        places = [(across(float(x)), up(y)) for x, y in points]
        path = " ".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(places))
        drawn.append(el("path", d=path, fill="none", stroke=colour, stroke_width=2.0))
        drawn += [el("circle", cx=x, cy=y, r=3.0, fill=colour) for x, y in places]
        if places:
            drawn.append(_text(name, places[-1][0] + 8, places[-1][1] + 4, "start", colour))
    return _picture(plot, _HEIGHT, drawn)


def _picture(plot: Plot, height: float, drawn: Sequence[Html]) -> Html:
    spoken = f"{plot.title}: {plot.y} by {plot.x}"
    return el(
        "svg",
        join(*drawn),
        viewBox=f"0 0 {_WIDTH:g} {height:g}",
        role="img",
        aria_label=spoken,
        style="width:100%;height:auto;font-size:13px",
    )


def _text(words: str, x: float, y: float, anchor: str, fill: str = "var(--ink)") -> Html:
    return el("text", words, x=x, y=y, text_anchor=anchor, fill=fill)


def _cycled(many: int) -> list[str]:
    return [_COLOURS[n % len(_COLOURS)] for n in range(many)]


def _bounds(values: Sequence[float], is_log: bool, from_zero: bool) -> tuple[float, float]:
    if is_log:
        positive = [v for v in values if v > 0] or [1.0]
        lowest, highest = floor(log10(min(positive))), ceil(log10(max(positive)))
        return float(lowest), float(max(highest, lowest + 1))
    low = min(0.0, *values) if from_zero and values else min(values, default=0.0)
    high = max(values, default=1.0)
    return low, high if high > low else low + 1.0


def _scale(
    values: Sequence[float], is_log: bool, start: float, end: float, *, from_zero: bool = True
) -> Callable[[float], float]:
    """Where a value is drawn."""
    low, high = _bounds(values, is_log, from_zero)

    def place(value: float) -> float:
        at = log10(max(value, 10.0**low)) if is_log else value
        return start + (at - low) / (high - low) * (end - start)

    return place


def _ticks(values: Sequence[float], is_log: bool) -> list[float]:
    low, high = _bounds(values, is_log, True)
    if is_log:
        return [10.0**n for n in range(int(low), int(high) + 1)]
    step = 10.0 ** floor(log10(high - low))
    step *= next(f for f in (0.2, 0.5, 1.0, 2.0) if (high - low) / (step * f) <= _MOST_TICKS)
    return [n * step for n in range(ceil(low / step), floor(high / step) + 1)]
