"""When two results of one call mean the same."""

import copy
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.artifact import Artifact
from easynet.execution.agreement import agree
from easynet.fabric.wire.decoding import Opaque, decode_opaque
from easynet.fabric.wire.encoding import encode

NEXT = math.nextafter(0.1, 1)


def arrived(value: Any) -> Any:
    return decode_opaque(encode(value))


def frame(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"name": ["a"] * len(values), "x": values})


def artifact(digit: str, filename: str = "") -> Artifact:
    return Artifact(digest=digit * 64, size_bytes=3, filename=filename)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0.1, NEXT),
        (1e9, 1e9 + 1),
        (0.0, 1e-12),
        (math.nan, math.nan),
        (math.inf, math.inf),
        ([1, 2.0], (1.0, 2)),
        ({"a": 1, "b": [0.1]}, {"b": [NEXT], "a": 1}),
        (arrived(np.array([0.1, math.nan])), arrived(np.array([NEXT, math.nan]))),
        (arrived(np.array([0.1], dtype="f4")), arrived(np.array([0.1 + 1e-8], dtype="f4"))),
        (arrived(frame(0.1, 5)), arrived(frame(NEXT, 5))),
        (arrived({"t": frame(0.1)}), arrived({"t": frame(NEXT)})),
        (artifact("1"), artifact("1")),
        (2**90, 2**90),
    ],
)
def test_same_results_agree(one: Any, other: Any) -> None:
    assert agree(one, other)
    assert agree(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (10**15, 10**15 + 1),
        (0.1, 0.1001),
        (0.1, "0.1"),
        (1, None),
        (math.nan, 0.0),
        (math.inf, -math.inf),
        (10**400, 1.5),
        ([1, 2], [2, 1]),
        ([1], [1, 2]),
        ([1], 1),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": 1}),
        ("a", "b"),
        (b"a", "a"),
        (arrived(np.array([0.1])), arrived(np.array([0.2]))),
        (arrived(np.array([0.1])), arrived(np.array([[0.1]]))),
        (arrived(np.array([1])), arrived(np.array([2]))),
        (arrived(frame(0.1)), arrived(frame(0.1, 0.1))),
        (arrived(frame(0.1)), arrived(frame(0.1).rename(columns={"x": "y"}))),
        (artifact("1"), artifact("2")),
        (artifact("1"), "1"),
        (Opaque(17, b"\xc1"), Opaque(17, b"\x93")),
        (Opaque(3, b"2024-01-01T00:00:00"), Opaque(3, b"2024-01-01T00:00:01")),
    ],
)
def test_different_results_do_not(one: Any, other: Any) -> None:
    assert not agree(one, other)
    assert not agree(other, one)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.binary(max_size=3)
    | st.builds(Opaque, st.sampled_from([2, 3, 16, 17, 99]), st.binary(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=10,
)


@given(values)
def test_every_result_agrees_with_itself_and_with_its_copy(value: Any) -> None:
    assert agree(value, value)
    assert agree(value, copy.deepcopy(value))
    assert agree(arrived(value), arrived(value))


@given(values, values)
def test_agreement_goes_both_ways(one: Any, other: Any) -> None:
    assert agree(one, other) == agree(other, one)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.data())
def test_one_number_that_is_off_by_more_is_seen(numbers: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(numbers) - 1))
    changed = [*numbers]
    changed[place] += 1e-3 + abs(changed[place]) * 1e-3
    assert not agree({"scores": numbers}, {"scores": changed})
    assert not agree(arrived(np.array(numbers)), arrived(np.array(changed)))


def test_deep_results_agree_without_an_error() -> None:
    one: Any = 0.1
    other: Any = NEXT
    for _ in range(5000):
        one, other = [one], [other]
    assert agree(one, other)
    assert not agree(one, [other])
