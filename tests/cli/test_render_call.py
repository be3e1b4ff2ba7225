"""What comes back from a call, as it is printed."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from easynet.cli.render_call import for_people, short_traceback, to_json
from easynet.core.artifact import Artifact

FILE = Artifact(digest="0" * 64, size_bytes=3, filename="a.csv")


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("héllo\n", '"héllo\\n"'),
        ({"a": [1, None, True]}, '{"a": [1, null, true]}'),
        ({1: 2}, '{"1": 2}'),
        (float("nan"), "null"),
        (b"\x00\x01", '"AAE="'),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), '"2026-01-02T03:04:00+00:00"'),
        ([date(2026, 1, 2), timedelta(minutes=1)], '["2026-01-02", 60.0]'),
        ([FILE], '["a-1.csv"]'),
        (np.array([[1, 2], [3, 4]]), "[[1, 2], [3, 4]]"),
        (pd.DataFrame({"n": [1], "t": ["x"]}), '[{"n": 1, "t": "x"}]'),
        (pd.Series([1.5]), "[1.5]"),
        (2**80, str(2**80)),
    ],
)
def test_any_value_that_travels_is_json_in_one_line(value: object, printed: str) -> None:
    assert to_json(value, {FILE: "a-1.csv"}) == printed


def test_person_reads_a_text_as_it_is_but_for_what_steers_a_terminal() -> None:
    assert for_people("two\nlines\x1b[2J", {}, is_item=False) == "two\nlines[2J"


def test_person_reads_a_large_value_in_many_lines_and_an_item_in_one() -> None:
    value = {"numbers": list(range(30)), "mark": "\x9b"}
    shown = for_people(value, {}, is_item=False)
    assert "\n" in shown
    assert json.loads(shown) == value | {"mark": ""}
    assert "\n" not in for_people(value, {}, is_item=True)


def test_traceback_is_told_by_its_last_steps() -> None:
    text = (
        "Traceback (most recent call last):\n"
        + "".join(f'  File "/srv/app/deep.py", line {n}, in f{n}\n    f{n + 1}()\n' for n in range(9))
        + '  File "<frozen os>", line 1, in stat\nValueError: bad\n'
    )
    assert short_traceback(text) == [
        "  deep.py, line 7, in f7: f8()",
        "  deep.py, line 8, in f8: f9()",
        "  <frozen os>, line 1, in stat:",
    ]
    assert short_traceback("nothing like it") == []
