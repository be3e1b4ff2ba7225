"""What past runs still teach, and how they are read from a run's events."""

import pytest

from easynet.core.events import (
    AttemptFailed,
    IntentParsed,
    MoneySettled,
    PlanMade,
    Problem,
    RunEvent,
    RunFinished,
    RunStarted,
    Status,
    SubtaskFinished,
)
from easynet.core.ids import NodeId, RunId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent
from easynet.planners.experience import Experience
from easynet.planners.past_run import PastRun
from tests.planners.experience_world import CITY, TOOLS, chain, past, tool

BY_NAME = {c.name: c for c in TOOLS}
RUN = RunId("r1")


def events(status: Status, failing: str = "", code: str = "remote_failure") -> list[RunEvent]:
    parsed = ParsedIntent(text="book a train", language="en")
    graph = chain("search_train", "book_train")
    told: list[RunEvent] = [
        RunStarted(run_id=RUN, seq=0, at=1.0, intent=Intent.from_text("book a train"), version="0"),
        IntentParsed(run_id=RUN, seq=1, at=1.0, parsed=parsed),
        PlanMade(run_id=RUN, seq=2, at=1.0, graph=graph, planner="catalogue", titles={}),
        MoneySettled(
            run_id=RUN, seq=3, at=2.0, subtask=SubtaskId("search_train"), attempt=1, paid=3, returned=0
        ),
        MoneySettled(
            run_id=RUN, seq=4, at=3.0, subtask=SubtaskId("book_train"), attempt=1, paid=4, returned=1
        ),
    ]
    if failing:
        told.append(
            AttemptFailed(
                run_id=RUN,
                seq=5,
                at=3.0,
                subtask=SubtaskId(failing),
                attempt=1,
                node=NodeId("n"),
                problem=Problem(code=code, message="no"),
                will_retry=False,
            )
        )
    return [*told, RunFinished(run_id=RUN, seq=6, at=9.0, status=status, duration_s=8.0)]


# ── reading runs ────────────────────────────────────────────────────────────────────────────────


def test_a_run_is_remembered_with_its_words_plan_outcome_cost_and_time() -> None:
    run = PastRun.of(events("succeeded"), TOOLS)
    assert run is not None
    assert (run.text, run.outcome, run.cost, run.duration_s, run.at) == (
        "book a train",
        "succeeded",
        7,
        8.0,
        9.0,
    )
    assert run.graph.capabilities == ("search_train", "book_train")
    assert set(run.schemas) == {"search_train", "book_train"}


def test_a_run_that_failed_names_the_function_that_failed() -> None:
    run = PastRun.of(events("failed", failing="book_train"), TOOLS)
    assert run is not None
    assert (run.outcome, run.failed) == ("failed", "book_train")


@pytest.mark.parametrize(
    "told",
    [
        events("succeeded")[:-1],
        events("cancelled"),
        events("needs_input"),
        events("over_budget"),
        events("failed", failing="book_train", code="bad_data"),
        [],
    ],
    ids=["unfinished", "cancelled", "needs input", "over budget", "the user's data", "nothing"],
)
def test_a_run_that_says_nothing_about_its_plan_is_not_remembered(told: list[RunEvent]) -> None:
    assert PastRun.of(told, TOOLS) is None


def test_a_failure_that_was_mended_is_none() -> None:
    told = events("succeeded", failing="book_train")
    mended = SubtaskFinished(
        run_id=RUN,
        seq=6,
        at=4.0,
        subtask=SubtaskId("book_train"),
        node=NodeId("m"),
        attempt=2,
        duration_s=1.0,
    )
    run = PastRun.of([*told[:-1], mended, told[-1]], TOOLS)
    assert run is not None
    assert run.failed is None


# ── forgetting ──────────────────────────────────────────────────────────────────────────────────


def trains(outcomes: str) -> list[PastRun]:
    """Runs of one function: `+` for one that went well, `-` for a failure."""
    return [
        past(i, "cancel my train", "cancel_train", failed="cancel_train" if o == "-" else "")
        for i, o in enumerate(outcomes)
    ]


def test_failed_runs_are_no_lessons() -> None:
    experience = Experience(trains("+-+++"), BY_NAME)
    assert [r.outcome for r in experience.lessons] == ["succeeded"] * 4


@pytest.mark.parametrize(
    ("outcomes", "is_trusted"),
    [
        ("++++++++++", True),
        ("++++++++-+", True),
        ("+++++++++---", False),
        ("---", False),
        ("+++++++++---+++", True),
        ("+-+-+-+-+-+-+-+-+-+-+-", True),
    ],
    ids=["never fails", "failed once", "fails of late", "never worked", "mended", "always failed as often"],
)
def test_trust_is_lost_when_failures_jump_and_won_back_by_successes(outcomes: str, is_trusted: bool) -> None:
    experience = Experience(trains(outcomes), BY_NAME)
    assert ("cancel_train" not in experience.distrusted) is is_trusted
    assert bool(experience.lessons) is is_trusted


def test_distrust_of_one_function_leaves_lessons_about_others() -> None:
    runs = [*trains("++++---"), past(50, "book a hotel", "book_hotel")]
    assert [r.text for r in Experience(runs, BY_NAME).lessons] == ["book a hotel"]


def test_runs_of_a_function_with_another_schema_are_no_lessons() -> None:
    changed = tool("cancel_train", "Cancel a train ticket", takes=(CITY,))
    assert Experience(trains("+++"), {**BY_NAME, changed.name: changed}).lessons == ()


def test_other_words_for_the_same_function_change_nothing() -> None:
    renamed = tool("cancel_train", "Give a ticket back")
    assert len(Experience(trains("+++"), {**BY_NAME, renamed.name: renamed}).lessons) == 3


def test_success_is_the_share_of_runs_that_went_well() -> None:
    experience = Experience(trains("+-"), BY_NAME)
    assert experience.success(chain("cancel_train")) == pytest.approx(2 / 3)
    assert experience.success(chain("book_hotel")) == 1.0
