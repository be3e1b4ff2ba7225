"""Correlations, for people to read."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Figure, Section, TableView
from easynet.specialists.correlations import Correlations
from easynet.specialists.libraries import require
from easynet.specialists.plots import finished, name_label, new_plot

_HEATMAP_COLUMNS = 15


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
