"""Groups compared, for people to read."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Section, TableView
from easynet.specialists.groups import GroupFigures, GroupSummary
from easynet.specialists.libraries import require
from easynet.specialists.plots import bars, finished, label
from easynet.specialists.statistic import Statistic, statistic_name
from easynet.specialists.wording import Money


@contribute(
    en="Present a summary by group: totals and means of each group, compared in a plot.",
    zh="展示分组汇总：各组的合计与平均值，配对比图。",
    specialization="reporting",
    role="present",
    tags=("report", "groups", "comparison", "chart", "报告", "分组", "对比图", "展示"),
    price=1,
    expected_s=0.5,
)
def present_groups(summary: GroupSummary, language: Language = "en") -> Section:
    """The groups from the highest to the lowest total, mean or median."""
    require("matplotlib")
    t = partial(say, language)
    groups, value, by, ranked = summary["groups"], summary["value"], summary["group"], summary["statistic"]
    named = statistic_name(ranked, language)
    means = Money.like((g["mean"] for g in groups), summary["currency"]).plain
    sums = Money.like((g["total"] for g in groups), summary["currency"]).plain
    write = sums if ranked == "total" else means
    axis = {
        "total": label(language, "Total", "合计"),
        "mean": label(language, "Mean, with 95% interval", "平均值及 95% 区间"),
        "median": label(language, "Median", "中位数"),
    }
    drawing = bars(
        [g["group"] for g in groups[:15]],
        [g[ranked] for g in groups[:15]],
        x_label=axis[ranked],
        intervals=[(g["low"], g["high"]) for g in groups[:15]] if ranked == "mean" else None,
    )
    listed = "; ".join(f"{n}. {g['group']} {write(g[ranked])}" for n, g in enumerate(groups[:15], 1))
    text = _difference(groups, language)
    if summary["groups_left_out"]:
        count = summary["groups_left_out"]
        text.append(t(f"{count} smaller groups were left out.", f"有 {count} 个较小的组未列出。"))
    return Section(
        title=t("Comparison of groups", "分组对比"),
        order=20,
        headline=[_headline(summary, language)],
        text=text,
        tables=[
            TableView(
                title=t(f"{value} by {by}", f"按 {by} 汇总 {value}"),
                columns=[
                    by, t("Rows", "行数"), t("Total", "合计"), t("Mean", "平均"),
                    t("95% interval", "95% 区间"), t("Median", "中位数"),
                ],
                rows=[
                    [
                        g["group"], f"{g['rows']:,}", sums(g["total"]), means(g["mean"]),
                        f"{means(g['low'])} … {means(g['high'])}", means(g["median"]),
                    ]
                    for g in groups
                ],
            )
        ],
        figures=[finished(drawing, t(f"{value} by {by}: {named}", f"各 {by} 的 {value}：{named}"), listed)],
    )  # fmt: skip


def _headline(summary: GroupSummary, language: Language) -> str:
    groups, value, by, ranked = summary["groups"], summary["value"], summary["group"], summary["statistic"]
    high, low, named = groups[0], groups[-1], statistic_name(ranked, language)
    sums = Money.like((g["total"] for g in groups), summary["currency"]).plain
    means = Money.like((g["mean"] for g in groups), summary["currency"]).plain

    def figures(total: float, mean: float, median: float) -> str:
        written: dict[Statistic, str] = {"total": sums(total), "mean": means(mean), "median": means(median)}
        others: list[Statistic] = [s for s in ("total", "mean") if s != ranked]
        return say(language, ", ", "，").join(
            f"{statistic_name(s, language)} {written[s]}" for s in (ranked, *others)
        )

    highest = figures(high["total"], high["mean"], high["median"])
    lowest = figures(low["total"], low["mean"], low["median"])
    overall = figures(summary["overall_total"], summary["overall_mean"], summary["overall_median"])
    return say(
        language,
        f"{value} by {by}: the {named} is highest in {high['group']} ({highest}),"
        f" lowest in {low['group']} ({lowest}); overall {overall}.",
        f"按 {by} 的 {value}：{named}最高的是 {high['group']}（{highest}），"
        f"最低的是 {low['group']}（{lowest}）；总体{overall}。",
    )


def _difference(groups: list[GroupFigures], language: Language) -> list[str]:
    """Whether the first and the last group differ in their means by more than chance."""
    if len(groups) < 2:
        return []
    first, last = groups[0], groups[-1]
    if first["low"] <= last["high"] and last["low"] <= first["high"]:
        return [
            say(
                language,
                f"The intervals of the means of {first['group']} and {last['group']} overlap: the difference"
                " of the means may be chance.",
                f"{first['group']} 与 {last['group']} 的平均值区间重叠：平均值的差异可能出于偶然。",
            )
        ]
    return [
        say(
            language,
            f"The intervals of the means of {first['group']} and {last['group']} do not overlap.",
            f"{first['group']} 与 {last['group']} 的平均值区间不重叠。",
        )
    ]
