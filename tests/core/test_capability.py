"""What a provider may claim of a function."""

from typing import Any

import pytest
from pydantic import ValidationError

from easynet.core.capability import Capability


@pytest.mark.parametrize(
    "claim",
    [
        {"price": 10**30},
        {"price": -1},
        {"expected_s": float("nan")},
        {"expected_s": float("inf")},
        {"expected_s": 1e300},
        {"description": {"en": "word " * 10_000}},
        {"description": {"en": "\ud800"}},
        {"tags": ("\ud800",)},
    ],
)
def test_claim_that_would_break_others_sums_or_messages_is_refused(claim: dict[str, Any]) -> None:
    sound = {"name": "add", "description": {"en": "Add."}}
    assert Capability.model_validate(sound)
    with pytest.raises(ValidationError):
        Capability.model_validate(sound | claim)
