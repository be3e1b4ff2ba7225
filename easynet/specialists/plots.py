"""Quiet plots, drawn without pyplot so that they may be made in any thread."""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from easynet.core.language import Language, say
from easynet.core.report import Figure
from easynet.specialists.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

BLUE, ORANGE, GREY, PALE = "#2f6690", "#d1603d", "#7d8891", "#c9d3da"
_INK = "#39424a"
_SIZE_INCHES = (7.0, 4.0)
_DPI = 120
_COLORS = 256
_CJK_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
    "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Hiragino Sans GB", "Heiti SC", "SimHei",
    "SimSun", "Arial Unicode MS", "Noto Sans CJK JP",
)  # fmt: skip
# matplotlib's fonts and text layout share state between figures.
_drawing = Lock()


@cache
def font_families() -> tuple[str, ...]:
    """The fonts to draw with: the one that comes with matplotlib, and one with Chinese where installed."""
    from matplotlib import font_manager  # heavy

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", *[name for name in _CJK_FONTS if name in installed][:1])


@cache
def _characters() -> frozenset[int]:
    from matplotlib import font_manager  # heavy

    known: set[int] = set()
    for family in font_families():
        font = font_manager.get_font(font_manager.findfont(family))
        known.update(int(code) for code in font.get_charmap())
    return frozenset(known)


def can_draw(text: str) -> bool:
    """Whether the installed fonts have every character of a text."""
    return all(ord(c) in _characters() for c in text)


def label(language: Language, en: str, zh: str) -> str:
    """The text in `language` where it can be drawn, otherwise in English."""
    text = say(language, en, zh)
    return text if can_draw(text) else en


def name_label(name: str, number: int) -> str:
    """A name from the data as a plot can show it, or its number in the table beside the plot."""
    short = shortened(name)
    # A pair of dollar signs would be read as a formula.
    return short.replace("$", r"\$") if can_draw(short) else f"#{number}"


def new_plot(height: float = _SIZE_INCHES[1]) -> "tuple[Drawing, Axes]":
    """An empty plot in the style of the report."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # heavy
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(_SIZE_INCHES[0], height), dpi=_DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(drawing)
    axes = drawing.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE)
    axes.tick_params(colors=_INK, labelsize=9, color=PALE)
    axes.grid(visible=True, axis="y", color="#edf1f3", linewidth=0.8)
    axes.set_axisbelow(True)
    return drawing, axes


def finished(drawing: "Drawing", title: str, alt: str) -> Figure:
    """The plot as a PNG with its title and its description."""
    from matplotlib.text import Text  # heavy
    from PIL import Image

    with _drawing:
        for text in drawing.findobj(Text):
            text.set_fontfamily(list(font_families()))
            text.set_color(_INK)
        drawn = BytesIO()
        drawing.savefig(drawn, format="png")
    # A plot has few colours; with a palette it takes a third of the space.
    small = BytesIO()
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(colors=_COLORS).save(small, format="png", optimize=True)
    return Figure(title=title, alt=alt, png=small.getvalue())


def bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    x_label: str,
    colors: Sequence[str] | None = None,
    intervals: Sequence[tuple[float, float]] | None = None,
    numbers: Sequence[int] | None = None,
) -> "Drawing":
    """Horizontal bars, the first on top; with whiskers where intervals are given.

    A name that cannot be drawn is replaced by its number, which counts from 1 unless given.
    """
    drawing, axes = new_plot(height=max(2.2, 0.9 + 0.3 * len(names)))
    places = list(range(len(names)))
    axes.barh(places, list(values), color=list(colors) if colors else BLUE, height=0.62)
    if intervals:
        below = [max(0.0, v - low) for v, (low, _) in zip(values, intervals, strict=True)]
        above = [max(0.0, high - v) for v, (_, high) in zip(values, intervals, strict=True)]
        axes.errorbar(values, places, xerr=[below, above], fmt="none", ecolor=_INK, elinewidth=1, capsize=2.5)
    shown = numbers or range(1, len(names) + 1)
    axes.set_yticks(places, [name_label(name, n) for name, n in zip(names, shown, strict=True)])
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color="#edf1f3", linewidth=0.8)
    axes.set_xlabel(x_label, fontsize=9)
    thousands(axes, "x")
    return drawing


def thousands(axes: "Axes", which: str) -> None:
    """Write large numbers on an axis as 1,200 or 3.4M."""
    from matplotlib.ticker import FuncFormatter  # heavy

    def written(value: float, _: int) -> str:
        size = abs(value)
        if size >= 1e9:
            return f"{value / 1e9:g}B"
        if size >= 1e6:
            return f"{value / 1e6:g}M"
        return f"{value:,.0f}" if size >= 1000 else f"{value:g}"

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(written))


def time_axis(axes: "Axes") -> None:
    """Dates along the bottom, amounts from zero up."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # heavy

    locator: Any = cast("Any", AutoDateLocator)(maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(cast("Any", ConciseDateFormatter)(locator))
    thousands(axes, "y")
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
