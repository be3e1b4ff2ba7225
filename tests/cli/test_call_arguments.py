"""How the words of a call become its arguments."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.cli.call_arguments import arguments_of, value_of
from easynet.core.capability import Parameter, TypeRef
from easynet.core.errors import ArgumentMismatch, BadData, UsageError
from easynet.core.signature import capability_of

TEXT = Parameter(name="prompt", type=TypeRef(name="str"))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_json_means_its_value(value: object) -> None:
    assert value_of(json.dumps(value)) == value


@pytest.mark.parametrize("word", ["hello", "", "a b", "NaN", "-Infinity", "{", "[" * 100_000, "01", "'a'"])
def test_what_is_no_json_is_a_text(word: str) -> None:
    assert value_of(word) == word


@pytest.mark.parametrize(
    ("word", "value"), [("42", "42"), ('"42"', "42"), ("true", "true"), ("null", None), ("hello", "hello")]
)
def test_number_is_a_text_where_a_text_is_taken(word: str, value: object) -> None:
    assert value_of(word, TEXT) == value


def test_file_is_named_with_an_at_sign(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    assert value_of(f"@{tmp_path}/a.csv") == tmp_path / "a.csv"
    with pytest.raises(BadData, match=r"there is no file 'nowhere.csv'"):
        value_of("@nowhere.csv")
    assert value_of('"@nowhere.csv"') == "@nowhere.csv"


def test_arguments_go_by_position_and_by_name() -> None:
    def translate(text: str, times: int, *, polite: bool = False, note: str = "") -> str:
        return text

    words = arguments_of(["7", "3", "polite=true", "note=a=b"])
    assert words.values_for(capability_of(translate)) == (["7", 3], {"polite": True, "note": "a=b"})


def test_arguments_beyond_those_that_are_known_are_passed_on() -> None:
    def add(first: int, *more: int) -> int:
        return first + sum(more)

    assert arguments_of(["1", "2", "3"]).values_for(capability_of(add)) == ([1, 2, 3], {})


@pytest.mark.parametrize("words", [["a=1", "2"], ["a=1", "a=2"]])
def test_order_and_names_are_as_in_python(words: list[str]) -> None:
    with pytest.raises(UsageError):
        arguments_of(words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x"], "n takes a whole number, and 'x' is none"),
        (["1.5"], "n takes a whole number, and '1.5' is none"),
        (["true"], "n takes a whole number, and 'true' is none"),
        (["1", "share=much"], "share takes a number, and 'much' is none"),
        (["1", "exact=yes"], "exact takes true or false, and 'yes' is none"),
    ],
)
def test_word_that_is_no_number_is_not_sent_as_one(words: list[str], said: str) -> None:
    def work(n: int, share: float = 1.0, exact: bool = False) -> int:
        return n

    with pytest.raises(ArgumentMismatch, match=said):
        arguments_of(words).values_for(capability_of(work))


def test_whole_number_is_a_number_and_nothing_is_left_to_the_function() -> None:
    def work(n: int, share: float = 1.0) -> int:
        return n

    assert arguments_of(["null", "2"]).values_for(capability_of(work)) == ([None, 2], {})
