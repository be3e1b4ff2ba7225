"""The sales trend, for people to read."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Figure, Section
from easynet.specialists.comparison import change_words, size_words
from easynet.specialists.libraries import require
from easynet.specialists.periods import PERIODICITY
from easynet.specialists.plots import (
    BLUE,
    GREY,
    PALE,
    finished,
    label,
    name_label,
    new_plot,
    time_axis,
)
from easynet.specialists.trend import Trend
from easynet.specialists.wording import Money, signed_percent


@contribute(
    en="Present the sales trend: the course over time, growth and seasonal pattern as text and plots.",
    zh="展示销售趋势：随时间的走势、增长和季节规律，配文字和图表。",
    specialization="reporting",
    role="present",
    tags=("report", "plot", "chart", "trend", "报告", "图表", "趋势图", "展示"),
    price=1,
    expected_s=1.0,
)
def present_trend(trend: Trend, language: Language = "en") -> Section:
    """How the total has developed, and in which season it is strong."""
    require("matplotlib", "pandas")
    t = partial(say, language)
    change = trend["change"]
    money = Money.like([change["low"], change["high"]], trend["currency"])
    if change["is_clear"]:
        words = size_words(change, money, language)
        headline = t(
            f"Total sales {'grew' if change['change'] > 0 else 'fell'} by {words}, {trend['compared']}.",
            f"总销售额{'增长' if change['change'] > 0 else '下降'} {words}，比较{trend['compared']}。",
        )
    else:
        words = change_words(change, money, language)
        headline = t(
            f"The change of total sales cannot be told from chance: {words}, {trend['compared']}.",
            f"总销售额的变化与偶然波动无法区分：{words}，比较{trend['compared']}。",
        )
    figures = [_course(trend, language)]
    text: list[str] = []
    if trend["seasonal_strength"] is not None:
        text.append(_season_words(trend, trend["seasonal_strength"], language))
        if trend["seasonal_strength"] >= 0.3:
            figures.append(_season(trend, language))
    text.extend(trend["notes"])
    return Section(
        title=t("Sales trend", "销售趋势"),
        order=20,
        headline=[headline],
        text=text,
        tables=[],
        figures=figures,
    )


def _season_words(trend: Trend, strength: float, language: Language) -> str:
    if strength < 0.3:
        return say(
            language,
            f"There is no marked season (strength {strength:.2f} of 1).",
            f"没有明显的季节规律（强度 {strength:.2f}，最大为 1）。",
        )
    by_effect = sorted(trend["seasons"], key=lambda s: s["effect"])
    weak, strong = by_effect[0], by_effect[-1]
    return say(
        language,
        f"Sales have a season (strength {strength:.2f} of 1): {strong['name']} is strongest"
        f" ({signed_percent(strong['effect'])} against the average), {weak['name']} weakest"
        f" ({signed_percent(weak['effect'])}).",
        f"销售有季节规律（强度 {strength:.2f}，最大为 1）：{strong['name']}最旺（比平均"
        f" {signed_percent(strong['effect'])}），"
        f"{weak['name']}最淡（{signed_percent(weak['effect'])}）。",
    )


def _course(trend: Trend, language: Language) -> Figure:
    import pandas as pd  # heavy

    starts = pd.DatetimeIndex(trend["periods"]).to_pydatetime()
    drawing, axes = new_plot()
    axes.plot(starts, trend["values"], color=PALE, linewidth=1.4, label=label(language, "sales", "销售额"))
    axes.plot(starts, trend["level"], color=BLUE, linewidth=2.2, label=label(language, "trend", "趋势"))
    axes.legend(frameon=False, fontsize=9)
    time_axis(axes)
    unit = PERIODICITY[trend["grain"]]
    first, last = trend["level"][0], trend["level"][-1]
    money = Money.like([first, last], trend["currency"])
    title = say(language, f"Total sales per {unit.en}", f"每{unit.zh.removeprefix('个')}总销售额")
    alt = say(
        language,
        f"Sales from {trend['periods'][0]} to {trend['periods'][-1]}; the trend goes from"
        f" {money.plain(first)} to {money.plain(last)}.",
        f"从 {trend['periods'][0]} 到 {trend['periods'][-1]} 的销售额；趋势从"
        f" {money.plain(first)} 变为 {money.plain(last)}。",
    )
    return finished(drawing, title, alt)


def _season(trend: Trend, language: Language) -> Figure:
    drawing, axes = new_plot(height=3.0)
    names = [name_label(s["name"], n) for n, s in enumerate(trend["seasons"], 1)]
    effects = [100 * s["effect"] for s in trend["seasons"]]
    axes.bar(range(len(names)), effects, color=[BLUE if e >= 0 else GREY for e in effects], width=0.65)
    axes.set_xticks(range(len(names)), [name.removeprefix("#") for name in names])
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_ylabel(label(language, "% against the average", "相对平均 %"), fontsize=9)
    title = say(language, "Seasonal pattern", "季节规律")
    listed = ", ".join(f"{s['name']} {signed_percent(s['effect'])}" for s in trend["seasons"])
    return finished(drawing, title, listed)
