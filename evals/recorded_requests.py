"""The requests whose runs are recorded: in two languages, over nine fields of work."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from evals import recorded_inputs as give
from evals.recorded_inputs import Inputs


@dataclass(frozen=True)
class Request:
    """One run to be recorded."""

    name: str
    """Of its file: the field of work, what it is about, the language."""
    text: str
    inputs: Inputs = field(default_factory=dict[str, JsonValue])
    constraints: Mapping[str, str | int | float] = field(default_factory=dict[str, str | int | float])
    is_redacted: bool = False


SALES: Inputs = {"data": "sales.csv"}
PATIENTS: Inputs = {"data": "patients.csv"}
ORDERS: Inputs = {"data": "orders.csv"}
HOUSE: Inputs = {**give.meter(3), **give.TARIFFS, **give.temperatures(3, 60), "area_m2": 120}

REQUESTS: tuple[Request, ...] = (
    Request("logistics-route-en", "find the shortest delivery route", give.stops(1)),
    Request("logistics-route-zh", "求最短的配送路线", give.stops(2)),
    Request("logistics-plan-en", "plan our deliveries for tomorrow", give.stops(3, 12)),
    Request("logistics-plan-zh", "制定明天的配送计划", give.stops(4, 12), {"deadline": "5 minutes"}),
    Request(
        "logistics-vans-en",
        "pack the parcels into vans and group the stops into zones",
        {**give.stops(5), "capacity_kg": 150},
    ),
    Request("logistics-fuel-zh", "估算配送路线的油耗", give.stops(6)),
    Request("text-profile-en", "write a full profile of this text", {"text": give.ENGLISH}),
    Request("text-profile-zh", "给出这段文本的完整画像", {"text": give.CHINESE}),
    Request("text-summary-en", "summarise this text", {"text": give.ENGLISH}, {"budget": "60 credits"}),
    Request("text-keywords-zh", "提取这段文本的关键词，并判断文本的情绪", {"text": give.CHINESE}),
    Request("text-language-en", "detect the language of this text", {"text": give.GERMAN}),
    Request("text-readability-zh", "衡量这段文本的易读性，估算阅读时间", {"text": give.ENGLISH}),
    Request("finance-portfolio-en", "assess the risk of my share portfolio", give.prices(1)),
    Request("finance-portfolio-zh", "评估我的股票投资组合的风险", give.prices(2), {"budget": "$2"}),
    Request("finance-loan-en", "compare the ways to repay my loan", give.loan(240_000, 0.036, 20)),
    Request("finance-loan-zh", "比较贷款的还款方式，哪种利息更少", give.loan(600_000, 0.041, 25)),
    Request("finance-currency-en", "convert these amounts into one currency", give.money()),
    Request("finance-drawdown-zh", "找出每只股票的最大回撤，模拟股票一个月的风险价值", give.prices(3)),
    Request("energy-plan-en", "make an energy plan for our household", HOUSE),
    Request("energy-plan-zh", "制定家庭能源方案", {**HOUSE, **give.meter(4)}, {"deadline": "10 minutes"}),
    Request("energy-tariff-en", "compare the electricity tariffs", {**give.meter(5), **give.TARIFFS}),
    Request("energy-battery-zh", "选择太阳能电池的容量", give.meter(6)),
    Request("energy-cold-en", "count the heating degree days and find the cold spells", give.temperatures(4)),
    Request("energy-peak-zh", "找出家庭的用电峰值，测算基础负荷", give.meter(7)),
    Request("geometry-survey-en", "survey our building site", give.points(1)),
    Request("geometry-survey-zh", "勘测我们的场地", give.points(2), {"budget": "$3"}),
    Request("geometry-circle-en", "find the smallest circle that encloses the points", give.points(3)),
    Request("geometry-hull-zh", "测量这些点的凸包的面积和周长", give.points(4)),
    Request("geometry-mesh-en", "triangulate the points and find the closest pair", give.points(5)),
    Request("geometry-cables-zh", "用最短的线缆把所有点连起来", give.points(6)),
    Request("school-week-en", "publish the week plan of our school", give.lessons(1)),
    Request("school-week-zh", "发布学校周课表", give.lessons(2, 3)),
    Request("school-timetable-en", "make a school timetable", give.lessons(3, 5), is_redacted=True),
    Request("project-forecast-en", "forecast when the project will be done", give.tasks(1)),
    Request("project-forecast-zh", "预测项目什么时候完工", give.tasks(2, 14), is_redacted=True),
    Request("project-path-zh", "求项目的关键路径", give.tasks(3)),
    Request("medical-detector-en", "train a medical anomaly detector"),
    Request("medical-detector-zh", "训练一个医疗异常检测模型"),
    Request(
        "medical-patients-en",
        "train an anomaly detector on my patient records",
        {**PATIENTS, "target": "diagnosis", "normal": "healthy"},
        {"privacy": "high"},
        is_redacted=True,
    ),
    Request("sales-growth-en", "find growth opportunities in my sales data", SALES),
    Request("sales-growth-zh", "找出销售数据里的增长机会", SALES, is_redacted=True),
    Request("sales-trend-en", "what is the trend of our sales", SALES),
    Request("sales-forecast-zh", "预测未来8周的销售额", SALES),
    Request("table-overview-en", "describe this table", ORDERS),
    Request("table-outliers-zh", "找出表里的异常值", ORDERS),
    Request("table-groups-en", "average amount per city", ORDERS),
    Request("table-correlations-zh", "分析各列之间的相关性", ORDERS),
)
