"""Quantities as people write them: what is accepted, what is refused and how."""

import contextlib
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core import quantities as q
from easynet.core.errors import InvalidQuantity


@pytest.mark.parametrize(
    ("written", "credits"),
    [
        ("$5", 500),
        ("5 USD", 500),
        ("US$5.50", 550),
        ("5 dollars", 500),
        ("five dollars", 500),
        ("5 bucks", 500),
        ("500 credits", 500),
        ("1 credit", 1),
        ("10 cents", 10),
        ("500积分", 500),
        ("5美元", 500),
        ("五美元", 500),
        ("一百二十五积分", 125),
        ("＄５", 500),
        ("$1,000.50", 100_050),
        ("under $5", 500),
        ("<$5", 500),
        ("at most 5 dollars", 500),
        ("up to $2", 200),
        ("不超过5美元", 500),
        ("5美元以内", 500),
        ("$5 max", 500),
        ("5", 500),
        (5, 500),
        (5.5, 550),
        ("$5.559", 555),
    ],
)
def test_money_is_read_in_whole_credits(written: str | float, credits: int) -> None:
    assert q.parse_credits(written) == credits


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10 minutes", 600),
        ("10 min", 600),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1 h 30 min", 5400),
        ("1 hour and 30 minutes", 5400),
        ("1 hour, 5 min", 3900),
        ("90 s", 90),
        ("5m", 300),
        ("500ms", 0.5),
        ("1.5h", 5400),
        ("half an hour", 1800),
        ("an hour and a half", 5400),
        ("two hours", 7200),
        ("a day", 86_400),
        ("2 weeks", 1_209_600),
        ("<2h", 7200),
        ("in 10 minutes", 600),
        ("within 2 hours", 7200),
        ("less than 2 hours", 7200),
        ("10分钟", 600),
        ("10 分钟内", 600),
        ("两小时", 7200),
        ("两个小时", 7200),
        ("一个半小时", 5400),
        ("两小时半", 9000),
        ("半小时", 1800),
        ("一小时三十分", 5400),
        ("一天", 86_400),
        ("不超过十五分钟", 900),
        ("30秒以内", 30),
    ],
)
def test_durations_are_read_in_seconds(written: str, seconds: float) -> None:
    assert q.parse_duration(written) == seconds


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        ("95%", ">=0.95"),
        (">95%", ">0.95"),
        ("≥ 95%", ">=0.95"),
        ("95%+", ">=0.95"),
        ("at least 0.9", ">=0.9"),
        ("above 95 percent", ">0.95"),
        ("more than 80%", ">0.8"),
        ("no less than 80%", ">=0.8"),
        ("at most 10%", "<=0.1"),
        ("under 10%", "<0.1"),
        ("exactly 50%", "=0.5"),
        ("不低于90%", ">=0.9"),
        ("至少90%", ">=0.9"),
        ("超过90%", ">0.9"),
        ("不超过10%", "<=0.1"),
        ("90%以上", ">=0.9"),
        ("在90%以上", ">=0.9"),
        ("10%以下", "<=0.1"),
        ("百分之九十", ">=0.9"),
        ("至少百分之九十五", ">=0.95"),
        ("九成", ">=0.9"),
        ("九成五", ">=0.95"),
        ("９５％", ">=0.95"),
        (0.9, ">=0.9"),
        (95, ">=0.95"),
        (1, ">=1"),
    ],
)
def test_shares_are_read_between_0_and_1(written: str | float, bound: str) -> None:
    assert str(q.parse_share(written)) == bound


@pytest.mark.parametrize(
    ("written", "comparison", "size"),
    [
        ("8GB", ">=", 8e9),
        ("8GB+", ">=", 8e9),
        ("16 GiB", ">=", 16 * 2**30),
        ("24g", ">=", 24e9),
        ("512 MB", ">=", 512e6),
        ("at least 8GB", ">=", 8e9),
        ("不少于8GB", ">=", 8e9),
        ("8GB以上", ">=", 8e9),
        ("under 4GB", "<", 4e9),
    ],
)
def test_memory_is_read_in_bytes(written: str, comparison: str, size: float) -> None:
    bound = q.parse_memory(written)
    assert (bound.comparison, bound.value) == (comparison, size)


def test_a_bare_bound_takes_the_comparison_it_is_given() -> None:
    assert str(q.parse_bound("10%", "wape", bare="<=")) == "<=0.1"
    assert str(q.parse_bound("<20", "mae", bare="<=")) == "<20"
    assert str(q.parse_bound("150%", "mape", bare="<=")) == "<=1.5"


def test_money_that_cannot_be_read_names_the_field_and_the_accepted_forms() -> None:
    with pytest.raises(InvalidQuantity) as caught:
        q.parse_credits("banana")
    assert caught.value.message == (
        "budget: cannot read 'banana'; write an amount such as $5, 500 credits or 5美元"
    )


def test_a_time_that_cannot_be_read_names_the_field_and_the_accepted_forms() -> None:
    with pytest.raises(InvalidQuantity, match=r"^training_time: cannot read '<2parsecs'; write a time with"):
        q.parse_duration("<2parsecs", "training_time")


REFUSED: list[tuple[Callable[..., Any], Any]] = [
    *((q.parse_credits, v) for v in ("", " ", "$", "-5", "$-5", "0", "$0", "$0.001", "> $5", "5元", "€5")),
    *((q.parse_credits, v) for v in ("$5 credits", "$1e9", "9" * 70, "nan", "inf", True, None, [5])),
    *((q.parse_credits, v) for v in (0, -1, math.nan, math.inf, -math.inf, 1e300, 10**400, -(10**400))),
    *(
        (q.parse_duration, v)
        for v in ("", "10", 10, "0 s", "-2h", "2 parsecs", ">2h", "1h 30", "99999 weeks")
    ),
    *((q.parse_duration, v) for v in ("2h banana", "h", "分钟", math.nan, True)),
    *(
        (q.parse_share, v)
        for v in ("", "banana", "0", "0%", "-5%", "150%", "1e9", "nan", math.nan, -0.5, 1000)
    ),
    *((q.parse_memory, v) for v in ("", "8", 8, "0GB", "-8GB", "8 parsecs", "9999999TB", math.inf)),
]


@pytest.mark.parametrize(("parse", "written"), REFUSED)
def test_what_makes_no_sense_is_refused(parse: Callable[..., Any], written: Any) -> None:
    with pytest.raises(InvalidQuantity, match=r"^field: .*; write "):
        parse(written, "field")


PARSERS = (q.parse_credits, q.parse_duration, q.parse_share, q.parse_memory, q.parse_bound)
PIECES = st.sampled_from(
    [
        *"0123456789.,+-<>=≥% $¥两半十百千万点个成内一１٣",
        *("at least ", "under ", "hour", "h", "m", "GB", "and a half", "half an ", "credits"),
        *("美元", "积分", "小时", "分钟", "百分之", "以内", "不超过"),
    ]
)


@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=8).map("".join)))
def test_random_text_is_read_or_refused_and_nothing_else_happens(text: str) -> None:
    for parse in PARSERS:
        with contextlib.suppress(InvalidQuantity):
            parse(text, "field")


@given(st.one_of(st.integers(), st.floats()))
def test_random_numbers_are_read_or_refused_and_nothing_else_happens(value: float) -> None:
    for parse in PARSERS:
        with contextlib.suppress(InvalidQuantity):
            parse(value, "field")


@given(st.integers(1, q.MAX_CREDITS))
def test_credits_survive_being_written_as_dollars(amount: int) -> None:
    assert q.parse_credits(f"${amount / 100:,.2f}") == amount
    assert q.parse_credits(f"{amount} credits") == amount
    assert q.parse_credits(f"{amount}积分") == amount


@given(st.integers(1, 3_000_000), st.sampled_from(["en", "zh"]))
def test_durations_survive_being_written(seconds: int, language: Any) -> None:
    read = q.parse_duration(q.format_duration(seconds, language))
    assert math.isclose(read, seconds, rel_tol=0.05)


@given(st.floats(1e-3, 1))
def test_shares_survive_being_written(share: float) -> None:
    assert math.isclose(q.parse_share(q.format_share(share)).value, share, rel_tol=1e-3)


@given(st.floats(1e3, 1e14))
def test_memory_survives_being_written(size: float) -> None:
    assert math.isclose(q.parse_memory(q.format_memory(size)).value, size, rel_tol=1e-3)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (q.format_credits(27), "27 credits ($0.27)"),
        (q.format_credits(1), "1 credit ($0.01)"),
        (q.format_credits(0), "0 credits ($0.00)"),
        (q.format_credits(123_456), "123,456 credits ($1,234.56)"),
        (q.format_credits(-5), "-5 credits (-$0.05)"),
        (q.format_credits(27, "zh"), "27 积分（0.27 美元）"),
        (q.format_duration(0.31), "0.31 s"),
        (q.format_duration(45), "45 s"),
        (q.format_duration(5400), "1 h 30 min"),
        (q.format_duration(59.7), "1 min"),
        (q.format_duration(3599.9), "1 h"),
        (q.format_duration(86_400 + 3600 * 3, "zh"), "1 天 3 小时"),
        (q.format_duration(math.inf), "unlimited"),
        (q.format_share(0.953), "95.3%"),
        (q.format_memory(8e9), "8 GB"),
    ],
)
def test_quantities_are_written_for_people(shown: str, expected: str) -> None:
    assert shown == expected


def test_reading_money_and_time_does_not_import_pydantic() -> None:
    code = (
        "import sys; from easynet.core.quantities import parse_credits, parse_duration;"
        "parse_credits('$5'); parse_duration('2h'); sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_number_too_long_to_print_is_refused() -> None:
    with pytest.raises(InvalidQuantity, match=r"^budget: a number that large is too large; write "):
        q.parse_credits(10**5000)
