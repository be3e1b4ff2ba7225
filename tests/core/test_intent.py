"""What an intent can hold."""

from typing import Any

import pytest

from easynet.core.errors import UsageError
from easynet.core.intent import Intent


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "a \ud800 table"},
        {"description": "x", "input_data": {"data": "\udcff.csv"}},
        {"description": "x", "input_data": {"n": float("nan")}},
        {"description": "x", "input_data": {"n": [{"deep": float("inf")}]}},
    ],
)
def test_what_a_journal_cannot_hold_is_refused_at_once(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="hold"):
        Intent(**fields)


def test_control_characters_are_kept_as_they_are() -> None:
    intent = Intent.from_text("a\0b\x1b[31m")
    assert Intent.model_validate_json(intent.model_dump_json()) == intent
