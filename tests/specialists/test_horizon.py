import pytest

from easynet.core.errors import BadData
from easynet.specialists.horizon import read_horizon
from easynet.specialists.periods import Grain


@pytest.mark.parametrize(
    ("given", "grain", "periods", "asked"),
    [
        (None, "week", 8, ""),
        ("8", "week", 8, ""),
        ("8 weeks", "week", 8, ""),
        ("8周", "week", 8, ""),
        ("3 months", "week", 13, "3 months"),
        ("3 Months", "day", 91, "3 months"),
        ("next quarter", "month", 3, "1 quarter"),
        ("the next 2 quarters", "month", 6, "2 quarters"),
        ("三个月", "week", 13, "3 months"),
        ("3个月", "month", 3, ""),
        ("下个季度", "week", 13, "1 quarter"),
        ("未来 1 年", "week", 52, "1 year"),
        ("half a year", "month", 6, "0.5 years"),
        ("1 年", "quarter", 4, "1 year"),
        ("a year", "day", 365, "1 year"),
        ("8 weeks", "month", 2, "8 weeks"),
        ("10 days", "quarter", 1, "10 days"),
        ("6 periods", "month", 6, ""),
    ],
)
def test_horizon_becomes_periods_of_the_data(
    given: str | None, grain: Grain, periods: int, asked: str
) -> None:
    horizon = read_horizon(given, 400, grain, "en")
    assert (horizon.periods, horizon.asked) == (periods, asked)


def test_asked_horizon_is_repeated_in_the_users_language() -> None:
    assert read_horizon("3 months", 100, "week", "zh").asked == "3 个月"
    assert read_horizon("1 year", 100, "month", "zh").asked == "1 年"


@pytest.mark.parametrize("given", ["soon", "", "3 moons", "weeks 3 months", "3 months 2 weeks", "next"])
def test_unreadable_horizon_is_refused_with_the_accepted_forms(given: str) -> None:
    with pytest.raises(BadData, match="cannot be read") as refused:
        read_horizon(given, 100, "week", "en")
    assert "3 months, 8 weeks, 30 days, next quarter or 1 year" in refused.value.hint
    with pytest.raises(BadData, match="无法识别") as refused:
        read_horizon(given, 100, "week", "zh")
    assert "3个月" in refused.value.hint
