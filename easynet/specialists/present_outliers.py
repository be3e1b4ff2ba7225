"""Unusual rows, for people to read."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Section, TableView
from easynet.specialists.libraries import require
from easynet.specialists.outliers import Outliers
from easynet.specialists.plots import BLUE, ORANGE, finished, label, new_plot


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
