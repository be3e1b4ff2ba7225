"""Times to come, as a request states them."""

import pytest

from easynet.planners.horizon import horizon, in_words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("forecast my sales for the next 3 months", "3 months"),
        ("forecast 8 weeks", "8 weeks"),
        ("predict the coming two quarters", "2 quarters"),
        ("next month", "1 month"),
        ("the coming year", "1 year"),
        ("a year and a half ahead", "18 months"),
        ("7-day forecast", "7 days"),
        ("sales three months from now", "3 months"),
        ("the next 30 days", "30 days"),
        ("预测未来三个月的销售额", "3 months"),
        ("预测下个季度的销售额", "1 quarter"),
        ("预测下个月的销售", "1 month"),
        ("下周会怎样", "1 week"),
        ("明年的销售额", "1 year"),
        ("预测十二周的销售", "12 weeks"),
        ("未来半年", "6 months"),
        ("未来一年半", "18 months"),
        ("未来１２个月", "12 months"),
        ("三个月的预测", "3 months"),
    ],
)
def test_a_time_ahead_is_read(text: str, found: str) -> None:
    span = horizon(text)
    assert span is not None
    assert in_words(*span) == found


@pytest.mark.parametrize(
    "text",
    [
        "sales by month",
        "the last 3 months",
        "what will sales be in the next months?",
        "next few weeks",
        "next 2-3 months",
        "next 8 weeks, then the next 9 weeks",
        "with a horizon of 4",
        "forecast 2025 sales",
        "过去三个月",
        "按月汇总",
        "预测2025年的销售",
        "预测3月5日的销售",
        "预测三季度的销售",
    ],
)
def test_other_times_are_no_time_ahead(text: str) -> None:
    assert horizon(text) is None
