"""How sales data was read, for people to check."""

from functools import partial

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Section, TableView
from easynet.specialists.libraries import require
from easynet.specialists.periods import PERIODICITY, count_of
from easynet.specialists.sales import SalesTable, totals
from easynet.specialists.wording import Money

_MOST = 24


@contribute(
    en="Present sales data as it was read: the columns used, what was left out, totals of the periods.",
    zh="展示销售数据的读取方式：所用的列、未使用的部分和各期合计。",
    specialization="reporting",
    role="present",
    tags=("report", "data", "columns", "totals", "报告", "数据", "所用的列", "合计", "展示"),
    price=1,
    expected_s=0.2,
)
def present_sales(sales: SalesTable, language: Language = "en") -> Section:
    """What the figures rest on; what may be misread is in the headline."""
    require("pandas")
    t = partial(say, language)
    periods, grain = sales["periods"], sales["grain"]
    values = totals(sales).tolist()
    money = Money.like(values, sales["currency"])
    unit, length, last = PERIODICITY[grain], count_of(len(periods), grain, language), min(_MOST, len(periods))
    return Section(
        title=t("Data", "数据"),
        order=40,
        headline=sales["cautions"],
        text=[
            t(
                f"{length} of sales; the first begins {periods[0]}, the last {periods[-1]}.",
                f"共 {length}的销售数据；第一期始于 {periods[0]}，最后一期始于 {periods[-1]}。",
            ),
            *sales["notes"],
        ],
        tables=[
            TableView(
                title=t(
                    f"Sales by {unit.en}, the last {last}",
                    f"按{unit.zh.removeprefix('个')}汇总的销售额（最近 {last} 期）",
                ),
                columns=[t("From", "起始日"), t("Total", "合计")],
                rows=[
                    [start, money.plain(value)]
                    for start, value in list(zip(periods, values, strict=True))[-_MOST:]
                ],
            )
        ],
        figures=[],
    )
