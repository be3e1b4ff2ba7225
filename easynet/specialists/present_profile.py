"""A table's profile, for people to read."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Figure, Section, TableView
from easynet.specialists.columns import Kind
from easynet.specialists.libraries import require
from easynet.specialists.plots import GREY, bars, finished, label
from easynet.specialists.profile import TableProfile
from easynet.specialists.wording import percent, quoted

_MOST_COLUMNS = 40
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
        headline=[_headline(profile, language)],
        text=text,
        tables=[view],
        figures=figures,
    )


def _headline(profile: TableProfile, language: Language) -> str:
    columns, dates, missing = profile["columns"], profile["dates"], profile["missing"]
    named = quoted((c["name"] for c in columns), language)
    between = dates and say(
        language, f", from {dates[0]} to {dates[1]}", f"，日期从 {dates[0]} 至 {dates[1]}"
    )
    share = percent(profile["missing_share"]) if profile["missing_share"] >= 0.001 else "<0.1%"
    gaps = say(language, f"{missing:,} values are missing ({share})", f"缺失 {missing:,} 个值（{share}）")
    copies = profile["duplicate_rows"]
    repeated = say(language, f", {copies:,} rows repeat earlier ones", f"，{copies:,} 行与前面的行重复")
    return say(
        language,
        f"{profile['rows']:,} rows and {len(columns)} columns ({named}){between or ''};"
        f" {gaps if missing else 'no gaps'}{repeated if copies else ''}.",
        f"共 {profile['rows']:,} 行、{len(columns)} 列（{named}）{between or ''}；"
        f"{gaps if missing else '没有缺失'}{repeated if copies else ''}。",
    )
