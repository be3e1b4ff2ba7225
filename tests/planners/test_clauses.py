"""Where a request goes on to another piece of work."""

import pytest

from easynet.planners.clauses import clauses_of, items_of
from easynet.planners.files import without_files


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        (
            "clean this, then forecast sales and group customers",
            ["clean this", "forecast sales", "group customers"],
        ),
        ("first clean it; afterwards split it", ["clean it", "split it"]),
        ("look for outliers and for correlations", ["look for outliers", "correlations"]),
        ("show the trend as well as a forecast, finally report", ["show the trend", "a forecast", "report"]),
        ("先清洗数据，再预测销量，最后写报告", ["清洗数据", "预测销量", "写报告"]),
        ("首先清洗，然后分析；同时汇总", ["清洗", "分析", "汇总"]),
        ("一方面看趋势，另一方面看淡旺季", ["看趋势", "看淡旺季"]),
        ("清洗完之后划分数据", ["清洗完", "划分数据"]),
        ("先 clean 一下，再 forecast sales", ["clean 一下", "forecast sales"]),
        ("two things: a trend and a forecast", ["two things", "a trend", "a forecast"]),
    ],
)
def test_a_request_is_split_where_it_goes_on(text: str, clauses: list[str]) -> None:
    assert clauses_of(text) == clauses


@pytest.mark.parametrize(
    "text",
    [
        "add 2,500 to 8:2",
        "forecast the next 8 weeks",
        "优先处理先生的订单",
        "三个月之后的销量",
        "再次清洗数据",
        "describe the table",
    ],
)
def test_what_only_looks_like_a_joint_is_none(text: str) -> None:
    assert clauses_of(text) == [text]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("describe it, the data is a.csv", ["describe it"]),
        ("描述一下，文件是 a.csv", ["描述一下"]),
        ("描述一下，数据在 a.csv", ["描述一下"]),
    ],
)
def test_to_name_the_data_is_no_work_of_its_own(text: str, clauses: list[str]) -> None:
    assert clauses_of(without_files(text, "zh" if "描" in text else "en")) == clauses


@pytest.mark.parametrize("text", ["", " ", "，，；", "and then", "a.csv"])
def test_a_request_without_words_has_no_clause(text: str) -> None:
    assert clauses_of(without_files(text)) == []


def test_the_items_of_a_list() -> None:
    assert items_of("离群值和相关性") == ["离群值", "相关性"]
    assert items_of("离群值、趋势与相关性") == ["离群值", "趋势", "相关性"]
    assert items_of("趋势") == ["趋势"]
