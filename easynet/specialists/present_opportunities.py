"""Growth opportunities, for people to read."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Figure, Section, TableView
from easynet.specialists.columns import words_of
from easynet.specialists.comparison import Change, change_words
from easynet.specialists.libraries import require
from easynet.specialists.opportunities import Opportunities, Opportunity
from easynet.specialists.periods import count_of
from easynet.specialists.plots import BLUE, ORANGE, PALE, bars, finished, label
from easynet.specialists.wording import Money, signed_percent

_ROWS = 20
_BARS = 12

_KINDS: dict[str, tuple[str, str]] = {
    "regions": ("Regions", "地区"),
    "products": ("Products", "产品"),
    "pairs": ("Products in regions", "地区 × 产品"),
}

_SINGULAR: dict[str, tuple[str, str]] = {"regions": ("region", "地区"), "products": ("product", "产品")}


@contribute(
    en="Present growth opportunities: regions and products ranked by growth in money, with plots,"
    " saying which changes are not more than chance.",
    zh="展示增长机会：按金额增长排名的地区和产品，配图表，并说明哪些变化与偶然波动无法区分。",
    specialization="reporting",
    role="present",
    tags=("report", "plot", "chart", "opportunities", "ranking", "报告", "图表", "增长机会", "排名", "展示"),
    price=1,
    expected_s=1.0,
)
def present_opportunities(opportunities: Opportunities, language: Language = "en") -> Section:
    """The rankings, the clear growth first, and what is not settled."""
    require("matplotlib")
    t = partial(say, language)
    kinds = {
        "regions": opportunities["regions"],
        "products": opportunities["products"],
        "pairs": opportunities["pairs"],
    }
    shown = {kind: segments for kind, segments in kinds.items() if segments}
    return Section(
        title=t("Growth opportunities", "增长机会"),
        order=10,
        headline=_headline(shown, opportunities, language),
        text=_text(shown, opportunities, language),
        tables=[_table(kind, s, opportunities, language) for kind, s in shown.items()],
        figures=[_figure(kind, s, opportunities, language) for kind, s in shown.items()],
    )


def _headline(
    kinds: dict[str, list[Opportunity]], opportunities: Opportunities, language: Language
) -> list[str]:
    compared, total = opportunities["compared"], opportunities["total"]
    if not kinds:
        words = change_words(total, _money(total, opportunities), language)
        return [
            say(
                language,
                "The data does not tell regions or products apart."
                f" The total changed by {words}, {compared}.",
                f"数据没有区分地区或产品。总额变化 {words}，比较{compared}。",
            )
        ]
    lines: list[str] = []
    for kind in _SINGULAR:
        named = say(language, *_SINGULAR[kind])
        growing = [s for s in kinds.get(kind, []) if s["change"]["is_clear"] and s["change"]["change"] > 0]
        if growing:
            best, column = growing[0], _own_name(kind, opportunities)
            by = column and say(language, f" (by {column!r})", f"（按 {column!r} 列）")
            words = change_words(best["change"], _money(best["change"], opportunities), language)
            lines.append(
                say(
                    language,
                    f"The {named} that grew most is {best['segment']}{by}: {words}, {compared}.",
                    f"增长最多的{named}是 {best['segment']}{by}：{words}，比较{compared}。",
                )
            )
        elif kind in kinds:
            lines.append(
                say(
                    language,
                    f"No {named} grew by more than chance explains, {compared}.",
                    f"没有任何{named}的增长超出偶然波动，比较{compared}。",
                )
            )
    everything = [s for kind in _SINGULAR for s in kinds.get(kind, [])]
    falling = [s for s in everything if s["change"]["is_clear"] and s["change"]["change"] < 0]
    if falling:
        worst = min(falling, key=lambda s: s["change"]["change"])
        words = change_words(worst["change"], _money(worst["change"], opportunities), language)
        lines.append(
            say(
                language,
                f"The largest decline to look into is {worst['segment']}: {words}.",
                f"最值得关注的下滑是 {worst['segment']}：{words}。",
            )
        )
    unclear = [s["segment"] for s in everything if not s["change"]["is_clear"]]
    if unclear:
        listed = say(language, ", ".join(unclear[:6]), "、".join(unclear[:6]))
        more = "" if len(unclear) <= 6 else say(language, " and others", "等")
        lines.append(
            say(
                language,
                f"Not distinguishable from no change: {listed}{more}.",
                f"与“没有变化”无法区分：{listed}{more}。",
            )
        )
    return lines


def _money(change: Change, opportunities: Opportunities) -> Money:
    return Money.like([change["low"], change["high"]], opportunities["currency"])


def _own_name(kind: str, opportunities: Opportunities) -> str:
    """The name of the column, where it says more than "region" or "product": it may hold shops."""
    column = opportunities["columns"].get(kind, "")
    return "" if words_of(column) in ("region", "product", "地区", "产品") else column


def _title(kind: str, opportunities: Opportunities, language: Language) -> str:
    title, column = say(language, *_KINDS[kind]), _own_name(kind, opportunities)
    return say(language, f"{title} ({column})", f"{title}（{column}）") if column else title


def _text(kinds: dict[str, list[Opportunity]], opportunities: Opportunities, language: Language) -> list[str]:
    t = partial(say, language)
    ahead = count_of(opportunities["horizon"], opportunities["grain"], language)
    total = change_words(opportunities["total"], _money(opportunities["total"], opportunities), language)
    text = [
        t(
            f"Compared are {opportunities['compared']}; the total changed by {total}.",
            f"比较的是{opportunities['compared']}；总额变化 {total}。",
        )
    ]
    if not opportunities["currency"]:
        text.append(
            t(
                "The data names no currency, so amounts are shown without one.",
                "数据没有注明货币，因此金额不带货币符号。",
            )
        )
    if kinds:
        false_alarms = 0.05 * opportunities["tested"]
        text += [
            t(
                "Clear means that the 95% interval (block bootstrap) leaves out zero. Of"
                f" {opportunities['tested']}"
                f" segments about {false_alarms:.1f} would look clear by chance alone.",
                f"“明确”指 95% 区间（分块自助法）不含零。在 {opportunities['tested']} 个细分中，"
                f"仅凭偶然约有 {false_alarms:.1f} 个会显得明确。",
            ),
            t(
                f"Expected is what a segment would sell over the next {ahead} if it kept its share of"
                " the forecast total."
                " Past growth shows where to look; it does not say why, or that it goes on.",
                f"“预计”是该细分保持其在预测总额中的占比时，未来 {ahead}的销售额。过去的增长只说明该看哪里，"
                "并不说明原因，也不保证会持续。",
            ),
        ]
    if opportunities["left_out"]:
        text.append(
            t(
                f"{opportunities['left_out']} smaller segments were not looked at.",
                f"有 {opportunities['left_out']} 个较小的细分未分析。",
            )
        )
    return text + opportunities["notes"]


def _verdict(change: Change, language: Language) -> str:
    if not change["is_clear"]:
        return say(language, "not distinguishable from zero", "与零无法区分")
    return (
        say(language, "clear growth", "明确增长")
        if change["change"] > 0
        else say(language, "clear decline", "明确下滑")
    )


def _table(
    kind: str, segments: list[Opportunity], opportunities: Opportunities, language: Language
) -> TableView:
    t = partial(say, language)
    ahead = count_of(opportunities["horizon"], opportunities["grain"], language)
    shown = _shown(segments, _ROWS)
    money = Money.like(
        [s["change"][part] for s in shown for part in ("before", "recent", "change")],
        opportunities["currency"],
    )
    rows: list[list[str | int | float]] = [
        [
            number,
            s["segment"],
            _verdict(s["change"], language),
            money.plain(s["change"]["before"]),
            money.plain(s["change"]["recent"]),
            money.signed(s["change"]["change"]),
            f"{money.signed(s['change']['low'])} … {money.signed(s['change']['high'])}",
            signed_percent(s["change"]["percent"]),
            money.plain(s["expected"]),
        ]
        for number, s in enumerate(shown, 1)
    ]
    return TableView(
        title=_title(kind, opportunities, language),
        columns=[
            "#",
            t("Segment", "细分"),
            t("Verdict", "结论"),
            t("Before", "之前"),
            t("Recent", "最近"),
            t("Change", "变化"),
            t("95% interval", "95% 区间"),
            t("Change %", "变化 %"),
            t(f"Expected, next {ahead}", f"预计（未来 {ahead}）"),
        ],
        rows=rows,
    )


def _shown(segments: list[Opportunity], most: int) -> list[Opportunity]:
    """The first and the last of a ranking: the strongest growth and the strongest decline."""
    if len(segments) <= most:
        return segments
    top = -(-2 * most // 3)
    return segments[:top] + segments[-(most - top) :]


def _figure(
    kind: str, segments: list[Opportunity], opportunities: Opportunities, language: Language
) -> Figure:
    drawn = _shown(segments, _BARS)
    numbers = {s["segment"]: n for n, s in enumerate(_shown(segments, _ROWS), 1)}
    colors = [
        PALE if not s["change"]["is_clear"] else BLUE if s["change"]["change"] > 0 else ORANGE for s in drawn
    ]
    drawing = bars(
        [s["segment"] for s in drawn],
        [s["change"]["change"] for s in drawn],
        x_label=label(language, "Change in money, with 95% interval", "金额变化及 95% 区间"),
        colors=colors,
        intervals=[(s["change"]["low"], s["change"]["high"]) for s in drawn],
        numbers=[numbers[s["segment"]] for s in drawn],
    )
    name = _title(kind, opportunities, language)
    money = Money.like([s["change"]["change"] for s in drawn], opportunities["currency"])
    title = say(language, f"{name}: change in money", f"{name}：金额变化")
    listed = "; ".join(
        f"{numbers[s['segment']]} {s['segment']} {money.signed(s['change']['change'])}" for s in drawn
    )
    alt = say(
        language,
        f"Blue: clear growth; orange: clear decline; pale: not distinguishable from zero. {listed}.",
        f"蓝色：明确增长；橙色：明确下滑；浅色：与零无法区分。{listed}。",
    )
    return finished(drawing, title, alt)
