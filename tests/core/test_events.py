"""The event stream: what a sequence of events has to be, and what it comes to."""

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from easynet.core.events import RUN_EVENT, Event, RunEvent, RunFinished
from easynet.core.result import replay
from easynet.testing.example_run import example_run

KINDS = [
    "run_started",
    "intent_parsed",
    "question_asked",
    "plan_made",
    "nodes_found",
    "schedule_made",
    "approval_requested",
    "approval_answered",
    "attempt_started",
    "attempt_progressed",
    "attempt_failed",
    "attempt_cancelled",
    "subtask_finished",
    "replanned",
    "model_answered",
    "model_fell_back",
    "money_reserved",
    "money_settled",
    "run_finished",
]

RUN = example_run("en", "succeeded", "runs")


def kinds_of_union() -> list[str]:
    union = get_args(RunEvent)[0]
    return [event.model_fields["kind"].default for event in get_args(union)]


def test_kinds_are_those_promised() -> None:
    assert kinds_of_union() == KINDS


def test_schema_changes_on_purpose_only() -> None:
    """Regenerate with `python -m tests.core.test_events` and look at the difference."""
    assert json.loads(SCHEMA.read_text()) == RUN_EVENT.json_schema()


SCHEMA = Path(__file__).parent / "event_schema.json"


@pytest.mark.parametrize("event", RUN, ids=lambda e: e.kind)
def test_event_survives_json(event: Event) -> None:
    assert RUN_EVENT.validate_json(event.model_dump_json()) == event


def test_event_cannot_be_changed_or_extended() -> None:
    with pytest.raises(ValidationError):
        setattr(RUN[0], "seq", 5)  # noqa: B010  # mypy knows that it is frozen
    with pytest.raises(ValidationError):
        RUN_EVENT.validate_python({**RUN[0].model_dump(), "colour": "red"})


def test_replay_gives_the_result() -> None:
    result = replay(RUN)
    assert result.ok
    assert result.run_id == RUN[0].run_id
    assert result.cost == sum(getattr(e, "paid", 0) for e in RUN)
    assert result.plan is not None


@given(st.integers(0, len(RUN) - 1))
def test_missing_event_is_noticed(gap: int) -> None:
    with pytest.raises(ValueError, match=r"was due|not finished"):
        replay([*RUN[:gap], *RUN[gap + 1 :]])


@given(st.integers(0, len(RUN) - 2), st.integers(0, len(RUN) - 2))
def test_events_out_of_order_are_noticed(a: int, b: int) -> None:
    shuffled = list(RUN)
    shuffled[a], shuffled[b] = shuffled[b], shuffled[a]
    if a == b:
        assert replay(shuffled) == replay(RUN)
    else:
        with pytest.raises(ValueError, match="was due"):
            replay(shuffled)


def test_nothing_comes_after_the_end() -> None:
    last = RUN[-1]
    assert isinstance(last, RunFinished)
    with pytest.raises(ValueError, match="was due"):
        replay([*RUN, last.model_copy(update={"seq": last.seq + 1})])


def test_run_without_an_end_has_no_result() -> None:
    with pytest.raises(ValueError, match="not finished"):
        replay(RUN[:-1])


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(RUN_EVENT.json_schema(), indent=1, sort_keys=True) + "\n")
