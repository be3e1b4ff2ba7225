"""Text that users type, read as declared types."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.capability import Parameter, TypeRef
from easynet.core.errors import ArgumentMismatch
from easynet.core.typed_input import typed_input


def parameter(kind: str, *, many: bool = False) -> Parameter:
    return Parameter(name="x", type=TypeRef(name=kind, many=many))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("3", "int", 3),
        (" -3 ", "int", -3),
        ("2.5", "float", 2.5),
        ("2", "float", 2.0),
        ("yes", "bool", True),
        ("否", "bool", False),
        ('{"a": 1}', "dict", {"a": 1}),
        ("[1, 2]", "list", [1, 2]),
        ("3", "str", "3"),
        ("3", "any", "3"),
        ("a.csv", "File", "a.csv"),
    ],
)
def test_text_becomes_what_the_function_declares(text: str, kind: str, value: Any) -> None:
    read = typed_input(text, parameter(kind), "x")
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("two", "int"), ("2.5", "int"), ("nan", "float"), ("1e999", "float"), ("maybe", "bool"), ("{}", "list")],
)
def test_text_that_does_not_fit_names_the_input_and_an_example(text: str, kind: str) -> None:
    with pytest.raises(ArgumentMismatch, match="'b' has to be") as caught:
        typed_input(text, parameter(kind), "b")
    assert "b=" in caught.value.hint


def test_list_parameter_reads_json() -> None:
    assert typed_input("[1]", parameter("int", many=True), "x") == [1]


@pytest.mark.parametrize("value", [3, None, [1], {"a": 1}, True])
def test_value_that_is_not_text_stays(value: Any) -> None:
    assert typed_input(value, parameter("int"), "x") is value


@given(st.text(max_size=40), st.sampled_from(["int", "float", "bool", "list", "dict", "str"]))
def test_any_text_is_read_or_refused(text: str, kind: str) -> None:
    with suppress(ArgumentMismatch):
        typed_input(text, parameter(kind), "x")
