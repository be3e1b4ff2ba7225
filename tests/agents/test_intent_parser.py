"""Understanding intents: constraints from fields and from sentences, in English and Chinese."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.agents.intent_parser import parse_intent
from easynet.core.errors import InvalidIntent, InvalidQuantity, UsageError
from easynet.core.intent import Intent, ParsedIntent, Privacy


def parsed(text: str, **fields: Any) -> ParsedIntent:
    return parse_intent(Intent.from_text(text, **fields))


def limits(intent: ParsedIntent) -> dict[str, Any]:
    """The constraints that were found, in short."""
    r = intent.requirements
    found = {
        "budget": r.budget,
        "deadline": r.deadline_s,
        "memory": r.memory_bytes and str(r.memory_bytes),
        "private": r.privacy is Privacy.HIGH or None,
        **{name: str(bound) for name, bound in r.quality.items()},
    }
    return {name: value for name, value in found.items() if value is not None}


ENGLISH: list[tuple[str, str, dict[str, Any]]] = [
    (
        "train X under $5 in 10 minutes with accuracy above 95%",
        "train X",
        {"budget": 500, "deadline": 600, "accuracy": ">0.95"},
    ),
    (
        "train a detector, >95% accurate, <2h, 8GB+ memory",
        "train a detector",
        {"deadline": 7200, "memory": ">=8e+09", "accuracy": ">0.95"},
    ),
    (
        "within 10 minutes and under $5, train a detector",
        "train a detector",
        {"budget": 500, "deadline": 600},
    ),
    (
        "train a medical anomaly detector. Budget: $5. Deadline: 10 minutes.",
        "train a medical anomaly detector.",
        {"budget": 500, "deadline": 600},
    ),
    (
        "Train it in under 2h, spending at most 3 dollars",
        "Train it",
        {"budget": 300, "deadline": 7200},
    ),
    ("describe this table with a budget of $3", "describe this table", {"budget": 300}),
    ("describe this table for at most 50 credits", "describe this table", {"budget": 50}),
    ("describe this table for less than 2 dollars", "describe this table", {"budget": 200}),
    ("describe this table, 5 dollars max", "describe this table", {"budget": 500}),
    ("describe this table on a $5 budget", "describe this table", {"budget": 500}),
    ("train a detector in half an hour", "train a detector", {"deadline": 1800}),
    ("train a detector in an hour and a half", "train a detector", {"deadline": 5400}),
    ("train a detector within 1 day", "train a detector", {"deadline": 86_400}),
    ("finish within 2 weeks: forecast demand", "forecast demand", {"deadline": 1_209_600}),
    ("train a detector in less than 90 seconds", "train a detector", {"deadline": 90}),
    (
        "forecast my sales for the next 8 weeks within 2 hours",
        "forecast my sales for the next 8 weeks",
        {"deadline": 7200},
    ),
    ("train a detector with at least 8GB of RAM", "train a detector", {"memory": ">=8e+09"}),
    ("train a detector, memory: 16 GiB", "train a detector", {"memory": ">=1.71799e+10"}),
    (
        "train a detector with 90% recall and 80% precision",
        "train a detector",
        {"recall": ">=0.9", "precision": ">=0.8"},
    ),
    ("train a detector with AUC over 0.9", "train a detector", {"auc": ">0.9"}),
    ("train a detector with an F1 score of at least 0.8", "train a detector", {"f1": ">=0.8"}),
    ("forecast sales with wape below 10%", "forecast sales", {"wape": "<0.1"}),
    ("forecast sales with wape 10%", "forecast sales", {"wape": "<=0.1"}),
    ("forecast sales with an error under 5%", "forecast sales", {"error": "<0.05"}),
    ("keep the data private and train a detector", "train a detector", {"private": True}),
    ("find anomalies, do not upload my data anywhere", "find anomalies", {"private": True}),
    ("describe this table and don't share it", "describe this table", {"private": True}),
    ("describe this table privately", "describe this table", {"private": True}),
    ("describe my confidential table", "describe my confidential table", {"private": True}),
]
CHINESE: list[tuple[str, str, dict[str, Any]]] = [
    (
        "预算5美元以内，10分钟内完成，准确率至少95%，训练一个异常检测模型",
        "训练一个异常检测模型",
        {"budget": 500, "deadline": 600, "accuracy": ">=0.95"},
    ),
    (
        "训练一个异常检测模型，预算5美元以内，10分钟内完成，准确率至少95%",
        "训练一个异常检测模型",
        {"budget": 500, "deadline": 600, "accuracy": ">=0.95"},
    ),
    ("用不超过500积分训练一个模型", "训练一个模型", {"budget": 500}),
    ("花费不超过5美元训练一个检测器", "训练一个检测器", {"budget": 500}),
    ("花5美元以内训练一个检测器", "训练一个检测器", {"budget": 500}),
    ("带有5美元预算的检测器", "检测器", {"budget": 500}),
    ("两小时内训练一个医学模型", "训练一个医学模型", {"deadline": 7200}),
    ("在半小时之内完成训练异常检测模型", "训练异常检测模型", {"deadline": 1800}),
    ("一天内完成销售预测", "销售预测", {"deadline": 86_400}),
    ("限时10分钟，训练一个检测器", "训练一个检测器", {"deadline": 600}),
    ("训练时间不超过10分钟，训练一个检测器", "训练一个检测器", {"deadline": 600}),
    ("至少8GB内存，训练模型", "训练模型", {"memory": ">=8e+09"}),
    ("训练模型，内存不少于16GB", "训练模型", {"memory": ">=1.6e+10"}),
    ("准确率95%以上的检测模型", "检测模型", {"accuracy": ">=0.95"}),
    ("95%以上准确率的检测模型", "检测模型", {"accuracy": ">=0.95"}),
    ("训练模型，召回率不低于九成", "训练模型", {"recall": ">=0.9"}),
    ("训练模型，灵敏度超过百分之九十", "训练模型", {"sensitivity": ">0.9"}),
    ("预测销售额，误差不超过10%", "预测销售额", {"error": "<=0.1"}),
    ("训练检测器，注意保护隐私", "训练检测器", {"private": True}),
    ("数据不要外传，找出异常", "找出异常", {"private": True}),
    ("分析患者隐私数据", "分析患者隐私数据", {"private": True}),
]
NO_CONSTRAINTS = [
    "forecast the next 8 weeks",
    "forecast my sales for the next 8 weeks",
    "top 10 products",
    "sales 2024",
    "describe this table in 2024",
    "errors in the last 10 minutes",
    "count the requests in the last 10 minutes",
    "requests over the past 2 hours",
    "group sales every 10 minutes",
    "resample to 10-minute averages",
    "predict readmission within 30 days",
    "find products under $5",
    "list orders below $100 in my table",
    "customers who spend less than $100",
    "summarise customers by revenue above $100",
    "analyse a 5GB file",
    "only use 3 folds",
    "find growth opportunities in private equity deals",
    "the accuracy dropped in 2023, find out why",
    "describe table 5",
    "预测未来8周的销售额",
    "预测未来8周内的销售额",
    "过去两小时内的异常",
    "最近10分钟的错误",
    "前10名产品",
    "2024年销售额",
    "价格低于5美元的商品",
    "每10分钟汇总一次",
]


@pytest.mark.parametrize(("text", "rest", "found"), ENGLISH + CHINESE)
def test_constraints_are_read_and_cut_out_of_the_sentence(
    text: str, rest: str, found: dict[str, Any]
) -> None:
    intent = parsed(text)
    assert (intent.text, limits(intent)) == (rest, found)


@pytest.mark.parametrize("text", NO_CONSTRAINTS)
def test_numbers_that_limit_nothing_stay_in_the_sentence(text: str) -> None:
    intent = parsed(text)
    assert (intent.text, limits(intent)) == (text, {})


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("train a detector", "en"),
        ("训练一个检测器", "zh"),
        ("训练一个能检测异常的AI模型", "zh"),
        ("用CSV训练模型", "zh"),
    ],
)
def test_the_language_is_recognised(text: str, language: str) -> None:
    assert parsed(text).language == language


def test_an_english_goal_does_not_change_the_language_of_a_chinese_description() -> None:
    intent = Intent(goal="train_anomaly_detector", description="检测异常")
    assert parse_intent(intent).language == "zh"
    assert parse_intent(intent).text == "检测异常 train anomaly detector"


def test_fields_take_precedence_over_the_sentence() -> None:
    intent = parsed(
        "train a detector under $5 in 10 minutes with accuracy above 95%",
        constraints={"budget": "$9", "deadline": "1h", "privacy": "high", "memory": "8GB+"},
        quality_requirements={"accuracy": ">90%"},
    )
    assert intent.text == "train a detector"
    assert limits(intent) == {
        "budget": 900,
        "deadline": 3600,
        "private": True,
        "memory": ">=8e+09",
        "accuracy": ">0.9",
    }


@pytest.mark.parametrize(
    "written", ["patients, notes", "patients notes", "patients，notes", "patients、notes,patients"]
)
def test_a_field_names_the_inputs_that_are_private_where_not_all_are(written: str) -> None:
    needs = parsed("describe this table", constraints={"private": written}).requirements
    assert needs.private == ("patients", "notes")
    assert needs.privacy is Privacy.NORMAL


def test_a_field_may_lift_the_privacy_that_a_word_suggests() -> None:
    assert parsed("分析隐私政策", constraints={"privacy": "normal"}).requirements.privacy is Privacy.NORMAL


@pytest.mark.parametrize("name", ["deadline", "time", "training_time", "Deadline"])
def test_each_name_of_the_deadline_is_known(name: str) -> None:
    assert parsed("train", constraints={name: "10分钟"}).requirements.deadline_s == 600


def test_of_two_limits_the_tighter_holds() -> None:
    both = {"deadline": "2h", "training_time": "1h"}
    assert parsed("train", constraints=both).requirements.deadline_s == 3600
    assert parsed("train under $5 and at most $3").requirements.budget == 300


@pytest.mark.parametrize(
    ("name", "value", "metric", "bound"),
    [
        ("accuracy", ">90%", "accuracy", ">0.9"),
        ("accuracy", "90%", "accuracy", ">=0.9"),
        ("accuracy", 0.9, "accuracy", ">=0.9"),
        ("准确率", "不低于90%", "accuracy", ">=0.9"),
        ("AUC", "0.9", "auc", ">=0.9"),
        ("f1", 0.8, "f1", ">=0.8"),
        ("wape", "10%", "wape", "<=0.1"),
        ("MAPE", "<150%", "mape", "<1.5"),
        ("rmse", 20, "rmse", "<=20"),
        ("balanced_accuracy", "80%", "balanced_accuracy", ">=0.8"),
        ("tastiness", "7", "tastiness", ">=7"),
    ],
)
def test_quality_requirements_become_bounds(name: str, value: str | float, metric: str, bound: str) -> None:
    quality = parsed("train", quality_requirements={name: value}).requirements.quality
    assert {k: str(v) for k, v in quality.items()} == {metric: bound}


def test_inputs_pass_through() -> None:
    assert parsed("train", input_data={"data": "a.csv"}).inputs == {"data": "a.csv"}


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "　"])
def test_an_intent_without_words_is_invalid(text: str) -> None:
    with pytest.raises(InvalidIntent, match="empty") as caught:
        parsed(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text", ["under $5", "under $5 in 10 minutes.", "预算5美元以内，10分钟内完成", "...", "？"]
)
def test_constraints_alone_say_nothing_to_do(text: str) -> None:
    with pytest.raises(InvalidIntent, match="but not what to do"):
        parsed(text)


def test_an_unknown_constraint_is_named_with_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no constraint 'budgett'; there are budget, .*deadline") as caught:
        parsed("train", constraints={"budgett": "$5"})
    assert "'budget'" in caught.value.hint


def test_a_quality_given_as_a_constraint_is_told_where_it_belongs() -> None:
    with pytest.raises(UsageError) as caught:
        parsed("train", constraints={"accuracy": ">90%"})
    assert "quality_requirements" in caught.value.hint


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        ({"budget": "banana"}, "^budget: cannot read 'banana'"),
        ({"deadline": "soon"}, "^deadline: cannot read 'soon'"),
        ({"memory": "lots"}, "^memory: cannot read 'lots'"),
        ({"privacy": "sometimes"}, "^privacy: cannot read 'sometimes'; write high or normal"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(constraints: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidQuantity, match=message):
        parsed("train", constraints=constraints)


@pytest.mark.parametrize(
    "text", ["预算5元训练一个检测器", "train a detector with a budget of €5", "train for under $0"]
)
def test_a_budget_that_makes_no_sense_is_refused_rather_than_overlooked(text: str) -> None:
    with pytest.raises(InvalidQuantity, match=r"^budget: "):
        parsed(text)


PIECES = st.sampled_from(
    [
        *(
            "under $5",
            "in 10 minutes",
            "accuracy",
            "95%",
            ">",
            " ",
            "，",
            "within",
            "an hour",
            "and",
            "with",
            "$",
        ),
        *("don't share", "keep", "data", "private", "9" * 30, "İ"),
        *("预算", "5美元", "以内", "内存", "8GB", "隐私", "最近"),
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=12).map("".join)))
def test_random_text_is_understood_or_refused_and_nothing_else_happens(text: str) -> None:
    with contextlib.suppress(UsageError):
        parsed(text)


@pytest.mark.parametrize(
    "piece", ["and ", ", ", "9", "in ", "under $", "don't share ", "products which are ", "1h "]
)
def test_long_text_is_read_in_reasonable_time(piece: str) -> None:
    text = "describe " + piece * (20_000 // len(piece))
    with contextlib.suppress(UsageError):
        parsed(text)
