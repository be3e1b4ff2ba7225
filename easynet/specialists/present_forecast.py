"""The sales forecast, for people to read."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Figure, Section, TableView
from easynet.specialists.forecast import Forecast, ForecastCheck
from easynet.specialists.forecasters import forecaster_name
from easynet.specialists.libraries import require
from easynet.specialists.periods import PERIODICITY, count_of
from easynet.specialists.plots import (
    BLUE,
    GREY,
    ORANGE,
    finished,
    label,
    new_plot,
    time_axis,
)
from easynet.specialists.wording import Money, percent


@contribute(
    en="Present the sales forecast: the coming periods with their range, and how wrong the method was"
    " before.",
    zh="展示销售预测：未来各期的预测值和区间，以及该方法以往的误差。",
    specialization="reporting",
    role="present",
    tags=("report", "plot", "chart", "forecast", "报告", "图表", "预测图", "展示"),
    price=1,
    expected_s=1.0,
)
def present_forecast(forecast: Forecast, check: ForecastCheck, language: Language = "en") -> Section:
    """The forecast beside its measured error."""
    require("matplotlib", "pandas")
    t = partial(say, language)
    m, method = check["metrics"], forecaster_name(forecast["method"], language)
    ahead = count_of(len(forecast["mean"]), forecast["grain"], language)
    asked = forecast["asked"] and t(
        f" (you asked for {forecast['asked']})", f"（您要求的是 {forecast['asked']}）"
    )
    window = count_of(check["periods"], forecast["grain"], language)
    sums = [sum(forecast[k]) for k in ("mean", "low", "high")]
    total, low, high = map(Money.like(sums, forecast["currency"]).plain, sums)
    inside = t(
        f"{check['inside']} of {window} lay inside the 90% range",
        f"{window}中有 {check['inside']} 期落在 90% 区间内",
    )
    return Section(
        title=t("Sales forecast", "销售预测"),
        order=30,
        headline=[
            t(
                f"Forecast for the next {ahead}{asked}: {total} in total, by the method: {method}.",
                f"未来 {ahead}{asked}的预测：合计 {total}，方法：{method}。",
            ),
            t(
                f"On the last {window}, which it had not seen, it was wrong by {percent(m['wape'])};"
                f" {_against(forecast, m, language)}; {inside}.",
                f"在未参与选择的最近 {window}上，误差为 {percent(m['wape'])}；"
                f"{_against(forecast, m, language)}；{inside}。",
            ),
        ],
        text=[
            t(
                f"Method chosen by the error on {forecast['origins']} earlier window(s). One test window"
                " is one draw:"
                " the next may be better or worse.",
                f"方法根据之前 {forecast['origins']} 个时间窗的误差选出。一个测试窗只是一次抽样："
                "下一次可能更好，也可能更差。",
            ),
            t(
                "The 90% range of each period should hold nine of ten values. If every period ended at the"
                f" edge of its range, the total would lie between {low} and {high}.",
                f"每期的 90% 区间应包含十分之九的取值。若每期都落在区间边缘，合计将在 {low} 与 {high} 之间。",
            ),
            *forecast["notes"],
        ],
        tables=[_ahead(forecast, language), _tried(forecast, language)],
        figures=[_forecast_figure(forecast, language)],
    )


def _against(forecast: Forecast, metrics: dict[str, float], language: Language) -> str:
    """How that compares with the simple rule that did best before."""
    if forecast["method"] == forecast["baseline"]:
        return say(
            language, "no elaborate method did better in the back-test", "回测中没有更复杂的方法优于它"
        )
    rule, error = forecaster_name(forecast["baseline"], language), percent(metrics["baseline_wape"])
    if metrics["wape"] < metrics["baseline_wape"]:
        return say(
            language,
            f"the best simple rule ({rule}) was wrong by {error}",
            f"最好的简单规则（{rule}）误差为 {error}",
        )
    return say(
        language,
        f"that is no better than the {error} of the best simple rule ({rule})",
        f"并不优于最好的简单规则（{rule}）的 {error}",
    )


def _ahead(forecast: Forecast, language: Language) -> TableView:
    money = Money.like(forecast["mean"] + forecast["high"], forecast["currency"]).plain
    triples = zip(
        forecast["future_periods"], forecast["mean"], forecast["low"], forecast["high"], strict=True
    )
    return TableView(
        title=say(language, "The coming periods", "未来各期"),
        columns=[
            say(language, "From", "起始日"),
            say(language, "Forecast", "预测"),
            say(language, "Low", "下限"),
            say(language, "High", "上限"),
        ],
        rows=[[start, money(mean), money(low), money(high)] for start, mean, low, high in triples],
    )


def _tried(forecast: Forecast, language: Language) -> TableView:
    return TableView(
        title=say(language, "Methods compared in the back-test", "回测中比较的方法"),
        columns=[
            say(language, "Method", "方法"),
            say(language, "Error (WAPE, share of sales)", "误差（WAPE，占销售额）"),
        ],
        rows=[[forecaster_name(m["method"], language), percent(m["wape"])] for m in forecast["tried"]],
    )


def _forecast_figure(forecast: Forecast, language: Language) -> Figure:
    import pandas as pd  # heavy

    seen = PERIODICITY[forecast["grain"]].season + 4 * len(forecast["mean"])
    starts = pd.DatetimeIndex(forecast["periods"]).to_pydatetime()[-seen:]
    tested = pd.DatetimeIndex(forecast["test_periods"]).to_pydatetime()
    ahead = pd.DatetimeIndex(forecast["future_periods"]).to_pydatetime()
    drawing, axes = new_plot()
    axes.plot(
        starts,
        forecast["history"][-seen:],
        color=GREY,
        linewidth=1.4,
        label=label(language, "sales", "销售额"),
    )
    axes.plot(
        tested, forecast["test_predicted"], color=ORANGE, linewidth=1.6, linestyle="--",
        label=label(language, "forecast of the test window", "测试窗的预测"),
    )  # fmt: skip
    axes.fill_between(ahead, forecast["low"], forecast["high"], color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(
        ahead, forecast["mean"], color=BLUE, linewidth=2.2, marker="o" if len(ahead) == 1 else "",
        label=label(language, "forecast", "预测"),
    )  # fmt: skip
    axes.legend(frameon=False, fontsize=9)
    time_axis(axes)
    first, last = forecast["mean"][0], forecast["mean"][-1]
    money = Money.like([first, last], forecast["currency"]).plain
    title = say(language, "Sales, test of the method and forecast", "销售额、方法检验与预测")
    alt = say(
        language,
        f"From {money(first)} to {money(last)} over the coming periods.",
        f"未来各期从 {money(first)} 到 {money(last)}。",
    )
    return finished(drawing, title, alt)
