"""When each attempt ran, as a picture: one lane a step, or packed lanes by node where there are many."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, floor, log10

from easynet.agents.report_html import Html, el, join
from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import Attempt, Step
from easynet.agents.wording import format_time, one_line, outcome_label, shorten
from easynet.core.language import Language, say

MOST_LANES = 60
"""Above this, bars are packed by node and have no labels."""
_MOST_ROWS = 80
_WIDTH, _LABEL, _RIGHT = 920.0, 236.0, 92.0
_LANE, _BAR = 26.0, 14.0
_LANE_BESIDE = 20.0
"""Of a second attempt, close below the first."""
_THIN_LANE, _THIN_BAR = 9.0, 6.0
_LEAST_WIDTH = 3.0
"""Of a bar, so that the shortest attempt is seen."""
_LABEL_HEIGHT = 20.0
_AXIS = 26.0


@dataclass(frozen=True)
class _Bar:
    step: Step
    attempt: Attempt
    starts_s: float
    ends_s: float


@dataclass(frozen=True)
class _Lane:
    label: str
    bars: tuple[_Bar, ...]
    note: str = ""
    """Written after the last bar."""
    height: float = _LANE
    bar: float = _BAR


def draw_timeline(account: RunAccount, language: Language) -> Html | None:
    """The attempts on the run's clock as an inline SVG, or `None` where nothing was tried."""
    bars = [
        _Bar(step, a, a.started_s, max(a.started_s, account.now_s if a.ended_s is None else a.ended_s))
        for step in account.steps.values()
        for a in step.sent
    ]
    if not bars:
        return None
    packed = len({b.step.id for b in bars}) > MOST_LANES
    lanes = _by_node(bars) if packed else _by_step(bars, language)
    spoken = _spoken(account, len(bars), language)
    picture = _draw(account, lanes[:_MOST_ROWS], spoken, language)
    caption = _caption(account, packed, len(lanes) > _MOST_ROWS, language)
    return el("figure", picture, el("figcaption", caption), class_="picture")


def _by_step(bars: Sequence[_Bar], language: Language) -> list[_Lane]:
    lanes: dict[str, list[_Bar]] = {}
    for bar in sorted(bars, key=lambda b: b.starts_s):
        lanes.setdefault(bar.step.id, []).append(bar)
    return [
        _Lane(
            label=own[0].step.title if n == 0 else "",
            bars=tuple(row),
            note=format_time(max(b.ends_s for b in own) - own[0].starts_s, language) if n == 0 else "",
            height=_LANE if n == 0 else _LANE_BESIDE,
        )
        for own in lanes.values()
        for n, row in enumerate(_beside(own))
    ]


def _beside(bars: Sequence[_Bar]) -> list[list[_Bar]]:
    """Rows in which bars, given by their starts, do not overlap, as few as possible."""
    rows: list[list[_Bar]] = []
    for bar in bars:
        free = next((row for row in rows if row[-1].ends_s <= bar.starts_s), None)
        if free is None:
            rows.append([bar])
        else:
            free.append(bar)
    return rows


def _by_node(bars: Sequence[_Bar]) -> list[_Lane]:
    """Rows in which bars of one node do not overlap, as few as possible."""
    by_node: dict[str, list[_Bar]] = {}
    for bar in sorted(bars, key=lambda b: b.starts_s):
        by_node.setdefault(bar.attempt.node, []).append(bar)
    rows = {node: _beside(own) for node, own in by_node.items()}
    return [
        _Lane(
            label=node if n == 0 else "",
            bars=tuple(row),
            height=_THIN_LANE if n + 1 < len(own) else max(_THIN_LANE * 1.7, _LABEL_HEIGHT - n * _THIN_LANE),
            bar=_THIN_BAR,
        )
        for node, own in sorted(rows.items())
        for n, row in enumerate(own)
    ]


@dataclass(frozen=True)
class _Axis:
    """The stretch of the run's clock that is drawn: from the first attempt on, without the planning."""

    begins_s: float
    ends_s: float

    @property
    def scale(self) -> float:
        return (_WIDTH - _LABEL - _RIGHT) / (self.ends_s - self.begins_s)

    def x(self, at_s: float) -> float:
        return _LABEL + (at_s - self.begins_s) * self.scale


def _axis(account: RunAccount, lanes: Sequence[_Lane]) -> _Axis:
    begins = min(b.starts_s for row in lanes for b in row.bars)
    ends = max([account.now_s, *(b.ends_s for row in lanes for b in row.bars)])
    return _Axis(begins, ends if ends > begins else begins + 1.0)


def _draw(account: RunAccount, lanes: Sequence[_Lane], spoken: str, language: Language) -> Html:
    axis = _axis(account, lanes)
    tops = list(accumulate((row.height for row in lanes), initial=0.0))
    height = tops[-1]
    return el(
        "div",
        el(
            "svg",
            el("title", spoken),
            *(_tick(at, axis.x(at), height, language) for at in ticks(axis.begins_s, axis.ends_s)),
            *(_break(axis.x(at), height, language) for at in account.breaks_s if at >= axis.begins_s),
            *(_lane(row, top, axis, language) for row, top in zip(lanes, tops, strict=False)),
            role="img",
            viewBox=f"0 0 {_WIDTH:.0f} {height + _AXIS:.0f}",
            width=_WIDTH,
            height=height + _AXIS,
            style=f"min-width:{0.72 * _WIDTH:.0f}px",
        ),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label=spoken,
    )


def ticks(begins_s: float, ends_s: float) -> list[float]:
    """Round times within the stretch, about six of them."""
    rough = (ends_s - begins_s) / 6
    power = 10.0 ** floor(log10(rough)) if rough > 0 else 1.0
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough * 0.999)
    first, last = ceil(begins_s / step - 1e-9), floor(ends_s / step + 1e-9)
    return [round(n * step, 9) for n in range(first, last + 1)]


def _tick(at_s: float, x: float, height: float, language: Language) -> Html:
    return join(
        el("line", x1=x, x2=x, y1=0, y2=height, class_="grid"),
        el("text", say(language, f"{at_s:g} s", f"{at_s:g} 秒"), x=x, y=height + 18, class_="tick"),
    )


def _break(x: float, height: float, language: Language) -> Html:
    label = say(language, "Interrupted here and resumed later", "在此中断，之后继续")
    return el("g", el("title", label), el("line", x1=x, x2=x, y1=0, y2=height, class_="break"))


def _lane(row: _Lane, top: float, axis: _Axis, language: Language) -> Html:
    middle = top + min(row.height, _LANE if row.note else _THIN_LANE) / 2
    after = max(max(axis.x(b.ends_s), axis.x(b.starts_s) + _LEAST_WIDTH) for b in row.bars) + 7
    label = shorten(one_line(row.label), 32)
    return el(
        "g",
        el("text", label, x=0, y=middle + 4, class_="lane-label") if label else None,
        *(_bar(b, middle - row.bar / 2, row.bar, axis, language) for b in row.bars),
        el("text", row.note, x=after, y=middle + 4, class_="lane-note") if row.note else None,
    )


def _bar(bar: _Bar, top: float, height: float, axis: _Axis, language: Language) -> Html:
    is_question = bar.attempt.outcome in ("asked", "answered")
    problem = "" if is_question or not bar.attempt.problem else one_line(bar.attempt.problem.message)
    words = [
        one_line(bar.step.title),
        one_line(bar.attempt.node),
        outcome_label(bar.attempt.outcome, language),
        format_time(bar.ends_s - bar.starts_s, language),
        shorten(problem, 160),
    ]
    shape = el(
        "rect",
        x=axis.x(bar.starts_s),
        y=top,
        width=max(_LEAST_WIDTH, (bar.ends_s - bar.starts_s) * axis.scale),
        height=height,
        rx=height / 5,
        class_=f"outcome-{bar.attempt.outcome}",
    )
    return el("g", el("title", " · ".join(w for w in words if w)), shape)


def _caption(account: RunAccount, packed: bool, cut: bool, language: Language) -> str:
    outcomes = {a.outcome for s in account.steps.values() for a in s.sent}
    parts = [
        say(language, "Each bar is one call, in the rows of its node.", "每一条是一次调用，按节点排列。")
        if packed
        else say(
            language, "Each bar is one attempt of a step on a node.", "每一条是某个步骤在节点上的一次尝试。"
        )
    ]
    if "confirmed" in outcomes:
        parts.append(say(language, "Pale green: came to the same result.", "浅绿色：得到相同结果。"))
    if "failed" in outcomes:
        parts.append(say(language, "Red: failed.", "红色：失败。"))
    if outcomes & {"asked", "answered"}:
        parts.append(say(language, "Amber: asked a question.", "琥珀色：提出了问题。"))
    if outcomes & {"stopped", "superseded"}:
        parts.append(
            say(language, "Grey: stopped, or another attempt was faster.", "灰色：已停止，或另一次尝试更快。")
        )
    if account.breaks_s:
        parts.append(
            say(
                language,
                "Dashed line: interrupted, and resumed later; the pause is left out.",
                "虚线：在此中断，之后继续；停顿时间已省略。",
            )
        )
    if cut:
        parts.append(say(language, "Further rows are left out.", "其余各行已省略。"))
    return (" " if language == "en" else "").join(parts)


def _spoken(account: RunAccount, attempts: int, language: Language) -> str:
    took = format_time(account.now_s, language)
    return say(
        language,
        f"Timeline of {attempts} attempts over {took}. The table below lists the same steps.",
        f"{took}内 {attempts} 次尝试的时间线。下方表格列出相同的步骤。",
    )
