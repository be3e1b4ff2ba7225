"""A small made-up catalogue that has every shape a planner meets."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from easynet.core.capability import Capability, Parameter, Role, TypeRef
from easynet.core.ids import CapabilityName
from easynet.core.intent import ParsedIntent
from easynet.core.language import language_of
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.planner import PlanRequest, PlanResult

RECORDS = {
    "Loaded": {"table": "RawTable", "source": "DataSource"},
    "Split": {"train": "TrainRows", "test": "TestRows", "rows": "int"},
    "Report": {"sections": "list[Section]", "source": "DataSource"},
}


def type_of(text: str) -> TypeRef:
    """`list[Section]` or `Loaded`, with the fields that `RECORDS` states."""
    many = re.fullmatch(r"list\[(\w+)\]", text)
    name = many[1] if many else text
    fields = {k: type_of(v) for k, v in RECORDS.get(name, {}).items()}
    return TypeRef(name=name, many=bool(many), fields=fields)


def capability(signature: str, en: str = "", zh: str = "", **stated: Any) -> Capability:
    """A capability written like a function: `clean(table: RawTable, deep?: bool) -> CleanTable`."""
    match = re.fullmatch(r"(\w+)\((.*)\) -> (\S+)", signature)
    assert match, signature
    parameters = [p.split(": ") for p in match[2].split(", ") if p]
    description = {k: v for k, v in (("en", en), ("zh", zh)) if v}
    return Capability(
        name=CapabilityName(match[1]),
        description=description or {"en": match[1].replace("_", " ")},
        parameters=tuple(
            Parameter(name=name.rstrip("?"), type=type_of(kind), required=not name.endswith("?"))
            for name, kind in parameters
        ),
        output=type_of(match[3]),
        **stated,
    )


SMALL = (
    capability(
        "load_table(data: File, language?: str) -> Loaded",
        "Load a table from the user's own CSV file.",
        "从用户的 CSV 文件读取数据表。",
        tags=("csv", "file", "data", "数据", "文件"),
    ),
    capability(
        "flower_demo_data() -> Loaded",
        "Demo data: petals and sepals of iris flowers as a table.",
        "演示数据：鸢尾花花瓣与花萼的测量表格。",
        tags=("flower", "iris", "botany", "garden", "picture", "花卉", "植物", "图片"),
        role=Role.SAMPLE,
    ),
    capability(
        "clean_table(table: RawTable, language?: str) -> CleanTable",
        "Clean a table: drop empty and repeated rows.",
        "清洗数据表，去掉空行和重复行。",
    ),
    capability(
        "describe_table(table: CleanTable, source: DataSource) -> Summary",
        "Describe a table: what each column holds.",
        "描述数据表：每一列的内容概览。",
    ),
    capability(
        "split_rows(table: CleanTable, target?: str) -> Split",
        "Split the rows of a table into train and test rows.",
        "把数据表划分为训练集和测试集。",
    ),
    capability(
        "train_tree(train: TrainRows) -> Classifier",
        "Train a decision tree classifier that recognises classes of things.",
        "训练决策树分类模型，识别类别。",
        tags=("classify", "classifier", "分类"),
    ),
    capability(
        "train_forest(train: TrainRows, trees?: int) -> Classifier",
        "Train a random forest classifier that recognises classes of things.",
        "训练随机森林分类模型，识别类别。",
        tags=("classify", "classifier", "分类"),
        price=3,
    ),
    capability(
        "shuffle_weights(train: TrainRows) -> Classifier",
        "Ocean salinity by lottery.",
        tags=("ocean",),
    ),
    capability(
        "train_spam_filter(mail: Mailbox) -> Classifier",
        "Train a spam filter, a classifier of mail.",
        "训练垃圾邮件分类模型。",
    ),
    capability("load_mail(mailbox: File) -> Mailbox", "Load mail from a mailbox file.", "读取邮箱文件。"),
    capability(
        "choose_classifier(candidates: list[Classifier], test: TestRows) -> ChosenClassifier",
        "Choose the best classifier.",
        "选出最好的分类模型。",
        role=Role.CHOOSE,
    ),
    capability(
        "grade_classifier(classifier: ChosenClassifier, test: TestRows) -> Grade",
        "Measure how good a classifier is.",
        "评估分类模型的准确率。",
        role=Role.CHECK,
    ),
    capability("show_grade(grade: Grade) -> Section", "Show the grade.", "展示评估结果。", role=Role.PRESENT),
    capability(
        "show_summary(summary: Summary) -> Section",
        "Show the summary of a table.",
        "展示表格概览。",
        role=Role.PRESENT,
    ),
    capability(
        "write_report(sections: list[Section], source: DataSource) -> Report",
        "Write a report.",
        "撰写报告。",
        role=Role.PRESENT,
    ),
    capability(
        "add(a: int, b: int) -> int", "Add two numbers: their sum.", "两个数相加求和。", tags=("plus",)
    ),
    capability("forecast_tides(harbour: str, horizon?: int) -> Tides", "Forecast tides.", "预测潮汐。"),
    capability("echo(text: str) -> str", "Echo a text as it is.", "原样复读文本。"),
)
"""Trees and forests, tides and sums."""


@pytest.fixture
def small() -> tuple[Capability, ...]:
    return SMALL


Plan = Callable[..., Any]


async def plan_with(
    catalogue: Sequence[Capability], text: str, goal: str = "", avoid: Sequence[str] = (), **inputs: Any
) -> PlanResult:
    """What the planner makes of a sentence."""
    parsed = ParsedIntent(text=text, language=language_of(text), inputs=inputs)
    failed = tuple(map(CapabilityName, avoid))
    request = PlanRequest(parsed=parsed, goal=goal, catalogue=tuple(catalogue), avoid=failed)
    return await CataloguePlanner().plan(request)


@pytest.fixture
def plan() -> Plan:
    """`await plan(catalogue, sentence, **inputs)`."""
    return plan_with


@pytest.fixture
def make() -> Callable[..., Capability]:
    """`make("train(rows: Rows) -> Model", "Train.")`: a capability written like a function."""
    return capability
