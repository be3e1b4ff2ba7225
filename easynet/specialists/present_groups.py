"""Groups compared, for people to read."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Section, TableView
from easynet.specialists.groups import GroupSummary
from easynet.specialists.libraries import require
from easynet.specialists.plots import bars, finished, label
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
    """The groups from the highest mean to the lowest."""
    require("matplotlib")
    t = partial(say, language)
    groups, value, by = summary["groups"], summary["value"], summary["group"]
    high, low = groups[0], groups[-1]
    overlap = len(groups) > 1 and high["low"] <= low["high"]
    means = Money.like((g["mean"] for g in groups), summary["currency"]).plain
    sums = Money.like((g["total"] for g in groups), summary["currency"]).plain
    drawing = bars(
        [g["group"] for g in groups[:15]],
        [g["mean"] for g in groups[:15]],
        x_label=label(language, "Mean, with 95% interval", "平均值及 95% 区间"),
        intervals=[(g["low"], g["high"]) for g in groups[:15]],
    )
    listed = "; ".join(f"{n}. {g['group']} {means(g['mean'])}" for n, g in enumerate(groups[:15], 1))
    text = [
        t(
            "The intervals of the highest and the lowest group overlap: the difference may be chance.",
            "最高组与最低组的区间重叠：差异可能出于偶然。",
        )
        if overlap
        else t(
            "The intervals of the highest and the lowest group do not overlap.",
            "最高组与最低组的区间不重叠。",
        )
    ]
    if summary["groups_left_out"]:
        count = summary["groups_left_out"]
        text.append(t(f"{count} smaller groups were left out.", f"有 {count} 个较小的组未列出。"))
    return Section(
        title=t("Comparison of groups", "分组对比"),
        order=20,
        headline=[
            t(
                f"{value} by {by}: the mean is highest in {high['group']} ({means(high['mean'])}),"
                f" lowest in {low['group']} ({means(low['mean'])}); overall"
                f" {means(summary['overall_mean'])}.",
                f"按 {by} 的平均 {value}：最高 {high['group']}（{means(high['mean'])}），"
                f"最低 {low['group']}（{means(low['mean'])}）；总体 {means(summary['overall_mean'])}。",
            )
        ],
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
        figures=[finished(drawing, t(f"Mean {value} by {by}", f"各 {by} 的平均 {value}"), listed)],
    )  # fmt: skip
