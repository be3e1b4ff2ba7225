"""Which language a person writes."""

import pytest

from easynet.core.intent import Intent
from easynet.core.language import language_of


@pytest.mark.parametrize(
    "text",
    [
        "预测未来销售额",
        "用 random forest 训练 sales.csv 的 forecast",
        "先 clean 一下，再 forecast 下个 quarter 的 sales",
        "帮我 check 一下 survey.csv 的 missing values",
        "sales 的 trend 怎么样",
        "请 describe patients_2024_final_version.csv",
        "describe 一下 my_table.csv",
        "预测 revenue",
        "病人.csv 里有什么",
        "北京",
    ],
)
def test_a_text_with_chinese_grammar_is_chinese_whatever_words_it_borrows(text: str) -> None:
    assert language_of(text) == "zh"


@pytest.mark.parametrize(
    "text",
    [
        "forecast the 销售额",
        "clean the data, then 预测 sales",
        "give me a 报告 on 数据质量 of survey.csv",
        "describe 病人.csv please",
        "average revenue per region 北京",
        "train a model for 北京",
        "describe my table",
        "",
        "123",
        "a.csv",
    ],
)
def test_a_text_with_english_grammar_is_english(text: str) -> None:
    assert language_of(text) == "en"


def test_where_both_have_small_words_the_greater_part_decides() -> None:
    assert language_of("请帮我把这份数据清洗一下 and then 预测未来三个月的销售额") == "zh"
    assert language_of("please clean this table and forecast the sales of the next three months 一下") == "en"


def test_a_goal_is_a_name_and_no_language() -> None:
    assert Intent(goal="train_anomaly_detector", description="训练检测器").language == "zh"
    assert Intent(goal="预测", description="forecast my sales").language == "en"
    assert Intent(goal="预测").language == "zh"


@pytest.mark.parametrize("word", ["x", "销", "x.", "9"])
def test_long_words_take_no_longer_than_short_ones(word: str) -> None:
    """A time that grew with the square of their length would be longer than any test may take."""
    assert language_of(word * 500_000) == ("zh" if word == "销" else "en")
