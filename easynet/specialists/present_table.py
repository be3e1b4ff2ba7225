"""What was found in a table, for people to read."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Figure, Section, TableView
from easynet.specialists.columns import Kind
from easynet.specialists.correlations import Correlations
from easynet.specialists.groups import GroupSummary
from easynet.specialists.libraries import require
from easynet.specialists.outliers import Outliers
from easynet.specialists.plots import BLUE, GREY, ORANGE, bars, finished, label, name_label, new_plot
from easynet.specialists.profile import TableProfile
from easynet.specialists.wording import money, percent

_MOST_COLUMNS = 40
_HEATMAP_COLUMNS = 15
_KIND_NAMES: dict[Kind, tuple[str, str]] = {
    "number": ("number", "数值"),
    "category": ("category", "类别"),
    "date": ("date", "日期"),
    "text": ("text", "文本"),
    "id": ("identifier", "标识符"),
    "constant": ("one value only", "单一取值"),
    "empty": ("empty", "空"),
}


@contribute(
    en="Present a table's profile: its columns, gaps and peculiarities as text, table and plot.",
    zh="展示数据表概况：各列、缺失和特殊之处，配文字、表格和图。",
    specialization="reporting",
    role="present",
    tags=("report", "profile", "data quality", "chart", "报告", "数据概览", "数据质量", "展示"),
    price=1,
    expected_s=0.5,
)
def present_profile(profile: TableProfile, language: Language = "en") -> Section:
    """The table in figures, with what deserves attention on top."""
    require("matplotlib")
    t = partial(say, language)
    columns = profile["columns"]
    gaps = sorted((c for c in columns if c["missing"]), key=lambda c: -c["missing"])
    odd = [c["name"] for c in columns if c["kind"] in ("constant", "empty")]
    missing = percent(profile["missing_share"])
    headline = t(
        f"{profile['rows']:,} rows and {len(columns)} columns; {missing} of all values are missing,"
        f" {profile['duplicate_rows']:,} rows repeat earlier ones.",
        f"共 {profile['rows']:,} 行、{len(columns)} 列；缺失值占 {missing}，"
        f"重复行 {profile['duplicate_rows']:,} 行。",
    )
    text = list(profile["notes"])
    if odd:
        text.append(t(f"Columns that say nothing: {', '.join(odd)}.", f"没有信息量的列：{'、'.join(odd)}。"))
    if len(columns) > _MOST_COLUMNS:
        text.append(t(f"The first {_MOST_COLUMNS} columns are shown.", f"只显示前 {_MOST_COLUMNS} 列。"))
    view = TableView(
        title=t("Columns", "各列"),
        columns=[
            t("Column", "列"), t("Holds", "类型"), t("Missing", "缺失"), t("Different values", "不同取值"),
            t("Values", "取值"),
        ],
        rows=[
            [c["name"], t(*_KIND_NAMES[c["kind"]]), c["missing"], c["unique"], c["summary"]]
            for c in columns[:_MOST_COLUMNS]
        ],
    )  # fmt: skip
    figures: list[Figure] = []
    if gaps:
        shown = gaps[:12]
        drawing = bars(
            [c["name"] for c in shown],
            [100 * c["missing"] / max(1, profile["rows"]) for c in shown],
            x_label=label(language, "Missing, % of rows", "缺失比例（%）"),
            colors=[GREY] * len(shown),
        )
        listed = ", ".join(f"{c['name']} {c['missing']}" for c in shown)
        figures.append(finished(drawing, t("Missing values by column", "各列缺失值"), listed))
    return Section(
        title=t("Data profile", "数据概况"),
        order=80,
        headline=[headline],
        text=text,
        tables=[view],
        figures=figures,
    )


@contribute(
    en="Present correlations between columns: the strongest pairs and a heat map.",
    zh="展示列之间的相关性：最强的相关对和热力图。",
    specialization="reporting",
    role="present",
    tags=("report", "heatmap", "correlation", "chart", "报告", "热力图", "相关性", "展示"),
    price=1,
    expected_s=1.0,
)
def present_correlations(correlations: Correlations, language: Language = "en") -> Section:
    """The strongest pairs, and what a correlation does not say."""
    require("matplotlib", "numpy")
    t = partial(say, language)
    best = correlations["pairs"][0]
    together = t("together", "同向变化") if best["spearman"] > 0 else t("in opposite directions", "反向变化")
    expected = 0.05 * correlations["pairs_seen"]
    view = TableView(
        title=t("Strongest pairs", "最强的相关对"),
        columns=[
            t("First", "第一列"), t("Second", "第二列"), t("Spearman", "斯皮尔曼"),
            t("95% interval", "95% 区间"), t("Pearson", "皮尔逊"), t("Rows", "行数"),
        ],
        rows=[
            [
                p["first"], p["second"], f"{p['spearman']:+.2f}", f"{p['low']:+.2f} … {p['high']:+.2f}",
                f"{p['pearson']:+.2f}", p["rows"],
            ]
            for p in correlations["pairs"]
        ],
    )  # fmt: skip
    return Section(
        title=t("Correlations", "相关性"),
        order=20,
        headline=[
            t(
                f"{best['first']} and {best['second']} move most closely {together}: rank correlation"
                f" {best['spearman']:+.2f} (95% interval {best['low']:+.2f} to {best['high']:+.2f}).",
                f"{best['first']} 与 {best['second']} 关系最密切（{together}）："
                f"秩相关 {best['spearman']:+.2f}"
                f"（95% 区间 {best['low']:+.2f} 至 {best['high']:+.2f}）。",
            )
        ],
        text=[
            t(
                f"{correlations['distinguishable']} of {correlations['pairs_seen']} pairs have an"
                " interval without zero;"
                f" about {expected:.1f} would by chance alone.",
                f"{correlations['pairs_seen']} 对中有 {correlations['distinguishable']} 对的区间不含零；"
                f"仅凭偶然约有 {expected:.1f} 对。",
            ),
            t("A correlation does not say what causes what.", "相关不等于因果。"),
        ],
        tables=[view],
        figures=[_heatmap(correlations, language)],
    )


def _heatmap(correlations: Correlations, language: Language) -> Figure:
    from matplotlib import colormaps  # heavy

    names = correlations["columns"][:_HEATMAP_COLUMNS]
    size = len(names)
    drawing, axes = new_plot(height=max(3.0, 1.6 + 0.27 * size))
    axes.grid(visible=False)
    shades = colormaps["RdBu_r"].resampled(41)  # few colours, so that the palette of the image holds them
    image = axes.imshow(correlations["matrix"][:size, :size], cmap=shades, vmin=-1, vmax=1, aspect="auto")
    labels = [name_label(name, n) for n, name in enumerate(names, 1)]
    axes.set_xticks(range(size), labels, rotation=45, ha="right")
    axes.set_yticks(range(size), labels)
    drawing.colorbar(image, ax=axes, shrink=0.8)
    listed = ", ".join(f"{n}. {name}" for n, name in enumerate(names, 1))
    alt = say(language, f"Columns: {listed}.", f"各列：{listed}。")
    return finished(drawing, say(language, "Rank correlations", "秩相关热力图"), alt)


@contribute(
    en="Present unusual rows of a table: which they are and why.",
    zh="展示数据表中的离群行：是哪些行，以及原因。",
    specialization="reporting",
    role="present",
    tags=("report", "outliers", "unusual", "chart", "报告", "离群", "异常值", "展示"),
    price=1,
    expected_s=0.5,
)
def present_outliers(outliers: Outliers, language: Language = "en") -> Section:
    """The most unusual rows, without a claim that they are wrong."""
    require("matplotlib", "numpy")
    t = partial(say, language)
    flagged, first = outliers["flagged"], outliers["unusual"][0]
    drawing, axes = new_plot(height=3.2)
    axes.hist(outliers["scores"], bins=40, color=BLUE, alpha=0.8)
    axes.axvline(outliers["threshold"], color=ORANGE, linewidth=1.5)
    axes.set_xlabel(
        label(language, "Isolation score (higher is more unusual)", "孤立得分（越高越少见）"), fontsize=9
    )
    axes.set_ylabel(label(language, "Rows", "行数"), fontsize=9)
    figure = finished(
        drawing,
        t("How unusual the rows are", "各行的离群程度"),
        t("Most rows lie left; rows right of the line are flagged.", "多数行在左侧；线右侧的行被标记。"),
    )
    return Section(
        title=t("Unusual rows", "离群行"),
        order=20,
        headline=[
            t(
                f"{flagged} of {outliers['rows_seen']:,} rows are far from the rest; the most unusual is row"
                f" {first['row']}: {first['why']}.",
                f"{outliers['rows_seen']:,} 行中有 {flagged} 行与其余相差很大；"
                f"最突出的是第 {first['row']} 行：{first['why']}。",
            )
        ],
        text=[
            t(
                "Unusual is not wrong: without labels nobody can say how many of these are errors, so"
                " no accuracy is"
                f" claimed. {len(outliers['columns'])} numeric columns were looked at.",
                "少见不等于错误：没有标签就无法知道其中多少是真正的错误，因此不声称任何准确率。"
                f"共考察 {len(outliers['columns'])} 个数值列。",
            )
        ],
        tables=[
            TableView(
                title=t("Most unusual rows", "最少见的行"),
                columns=[t("Row", "行号"), t("Score", "得分"), t("Why", "原因")],
                rows=[[u["row"], f"{u['score']:.3f}", u["why"]] for u in outliers["unusual"]],
            )
        ],
        figures=[figure],
    )


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
    drawing = bars(
        [g["group"] for g in groups[:15]],
        [g["mean"] for g in groups[:15]],
        x_label=label(language, "Mean, with 95% interval", "平均值及 95% 区间"),
        intervals=[(g["low"], g["high"]) for g in groups[:15]],
    )
    listed = "; ".join(f"{n}. {g['group']} {money(g['mean'])}" for n, g in enumerate(groups[:15], 1))
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
                f"{value} by {by}: the mean is highest in {high['group']} ({money(high['mean'])}),"
                f" lowest in {low['group']}"
                f" ({money(low['mean'])}); overall {money(summary['overall_mean'])}.",
                f"按 {by} 的平均 {value}：最高 {high['group']}（{money(high['mean'])}），最低 {low['group']}"
                f"（{money(low['mean'])}）；总体 {money(summary['overall_mean'])}。",
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
                        g["group"], g["rows"], money(g["total"]), money(g["mean"]),
                        f"{money(g['low'])} … {money(g['high'])}", money(g["median"]),
                    ]
                    for g in groups
                ],
            )
        ],
        figures=[finished(drawing, t(f"Mean {value} by {by}", f"各 {by} 的平均 {value}"), listed)],
    )  # fmt: skip
