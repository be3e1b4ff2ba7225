"""Subtasks found in an answer while it is being written."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from easynet.planners.subtask_reader import SubtaskReader

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(['"', "\\", "}", "]}", '{"']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=4)


@given(st.lists(OBJECTS, max_size=4), OBJECTS, st.integers(1, 9), st.booleans())
def test_each_subtask_is_found_whole_whatever_is_in_it(
    subtasks: list[Any], before: dict[str, Any], size: int, ascii_only: bool
) -> None:
    said = {
        "note": {"subtasks": [{"id": "no"}]},
        "decision": "plan",
        "x": before,
        "subtasks": subtasks,
        "y": before,
    }
    text = json.dumps(said, ensure_ascii=ascii_only)
    reader = SubtaskReader()
    found = [one for i in range(0, len(text), size) for one in reader.feed(text[i : i + size])]
    assert [json.loads(one) for one in found] == subtasks
    assert reader.decision == "plan"


@given(st.text(alphabet='{}[]":,\\ subtaskdecion', max_size=300))
def test_no_text_confuses_it(text: str) -> None:
    reader = SubtaskReader()
    for character in text:
        reader.feed(character)


def test_subtask_is_found_with_its_last_brace() -> None:
    reader = SubtaskReader()
    assert reader.feed('{"decision": "plan", "subtasks": [{"a": {"b": 1}') == []
    assert reader.feed("}") == ['{"a": {"b": 1}}']


def test_what_comes_after_the_longest_answer_is_not_looked_at() -> None:
    reader = SubtaskReader()
    reader.feed('{"subtasks": [' + " " * 200_000)
    assert reader.feed('{"a": 1}') == []
