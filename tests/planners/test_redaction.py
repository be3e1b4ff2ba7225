"""Past runs without what users gave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from easynet.planners.past_run import Edit
from easynet.planners.redaction import redacted
from tests.planners.experience_world import past, with_literals


def words(text: str, *literals: JsonValue, **inputs: JsonValue) -> str:
    """What is left of a run's words."""
    run = with_literals(past(1, text, "pay_bill"), pay_bill={f"a{i}": v for i, v in enumerate(literals)})
    return redacted(run.model_copy(update={"inputs": inputs})).text


def test_values_are_hidden_wherever_they_stand() -> None:
    text = "pay Alice Smith and Bob 1500 and read secret-patients.csv"
    left = words(text, ["Alice Smith", "Bob"], 1500.0, data="/home/u/secret-patients.csv")
    assert left == "pay … and … … and read …"


@pytest.mark.parametrize(
    ("text", "value", "left"),
    [
        ("mail ALICE  smith now", "Alice Smith", "mail … now"),
        ("pay Al, not Albert", "Al", "pay …, not Albert"),
        ("给Al转账", "Al", "给…转账"),
        ("给李雷转账", "李雷", "给…转账"),
        ("visit Ulm and Bonn", {"from": {"city": "Ulm"}, "Bonn": [1]}, "visit … and …"),
        ("open the patients table", "/data/patients.parquet", "open the … table"),
        ("open the patients table", "C:\\data\\patients.csv", "open the … table"),
        ("pay twelve", None, "pay …"),
        ("is it true", True, "is it true"),
        ("pay it", "", "pay it"),
        ("pay (it", "(it", "pay …"),
    ],
)
def test_a_value_is_hidden_as_people_write_it(text: str, value: JsonValue, left: str) -> None:
    assert words(text, value) == left
    assert words(text, x=value) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("pay 1,500.50 dollars on 2026-11-03 at 10:30", "pay … dollars on … at …"),
        ("pay two hundred dollars", "pay … … dollars"),
        ("pay a thousand dollars to one friend", "pay a … dollars to one friend"),
        ("付三千元", "付…元"),
        ("often play tennis", "often play tennis"),
        ("read data/a.csv and “病人.csv”", "read … and …"),
        ("say 'good bye' or \"hello\"", "say … or …"),
        ("Ann's and Bob's table", "Ann's and Bob's table"),
        ("mail ann@example.com about https://example.com/ann?x", "mail … about …"),
    ],
)
def test_numbers_files_addresses_and_quoted_text_are_hidden_whoever_gave_them(text: str, left: str) -> None:
    assert words(text) == left


def test_answers_are_hidden_in_the_words() -> None:
    run = past(1, "the weather in Ulm", "pay_bill")
    edit = Edit(kind="answered", name="city", value=["Ulm"])
    left = redacted(run.model_copy(update={"edits": (edit,)}))
    assert left.text == "the weather in …"
    assert left.edits[0].value == "…"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(min_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.text(), _JSON, st.text("abXY李雷(.", min_size=3))
def test_no_value_and_no_number_is_left(text: str, other: JsonValue, value: str) -> None:
    left = words(f"{text} {value} {text} 1234", [other, {"x": value}])
    assert "1234" not in left
    assert value not in left
