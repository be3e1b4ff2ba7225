"""What the user said on the way, and what was planned around, as a past run keeps it."""

from typing import Any

from easynet.core.events import (
    AttemptFailed,
    IntentParsed,
    PlanMade,
    Problem,
    Question,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
    Status,
)
from easynet.core.ids import NodeId, RunId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent
from easynet.core.task_graph import FromInput, Given
from easynet.planners.past_run import Edit, PastRun
from easynet.planners.redaction import redacted
from tests.planners.experience_world import TOOLS, chain, past

RUN = RunId("r1")


def starts(*, resumed: bool = False) -> Any:
    return lambda **place: RunStarted(
        intent=Intent.from_text("weather"), version="0", resumed=resumed, **place
    )


def parses(**inputs: str) -> Any:
    parsed = ParsedIntent(text="weather please", language="en", inputs=inputs)
    return lambda **place: IntentParsed(parsed=parsed, **place)


def asks(name: str) -> Any:
    return lambda **place: QuestionAsked(question=Question(name=name, text="?"), **place)


def plans(*names: str, caveats: tuple[str, ...] = ()) -> Any:
    return lambda **place: PlanMade(
        graph=chain(*names), planner="catalogue", titles={}, caveats=caveats, **place
    )


def fails(subtask: str) -> Any:
    return lambda **place: AttemptFailed(
        subtask=SubtaskId(subtask),
        attempt=1,
        node=NodeId("n"),
        problem=Problem(code="remote_failure", message="no"),
        will_retry=False,
        **place,
    )


def replans() -> Any:
    return lambda **place: Replanned(reason="no", keeps=(), **place)


def ends(status: Status) -> Any:
    return lambda **place: RunFinished(status=status, **place)


def told(*makers: Any) -> PastRun:
    events: list[RunEvent] = [make(run_id=RUN, seq=i, at=float(i)) for i, make in enumerate(makers)]
    run = PastRun.of(events, TOOLS)
    assert run is not None
    return run


def test_an_answer_to_a_question_is_kept_as_one() -> None:
    run = told(starts(), parses(), asks("city"), parses(city="Ulm"), plans("read_weather"), ends("succeeded"))
    assert run.edits == (Edit(kind="answered", name="city", value="Ulm"),)
    assert run.inputs == {"city": "Ulm"}


def test_inputs_given_at_once_are_no_edits() -> None:
    assert told(starts(), parses(city="Ulm"), plans("read_weather"), ends("succeeded")).edits == ()


def test_inputs_found_in_the_words_are_no_edits() -> None:
    run = told(starts(), parses(), parses(data="a.csv"), plans("read_weather"), ends("succeeded"))
    assert run.edits == ()


def test_an_input_changed_at_resumption_is_kept_with_what_it_was_changed_to() -> None:
    run = told(
        starts(),
        parses(city="Ulmm"),
        plans("read_weather"),
        ends("failed"),
        starts(resumed=True),
        parses(city="Ulm"),
        plans("read_weather"),
        ends("succeeded"),
    )
    assert run.edits == (Edit(kind="changed", name="city", value="Ulm"),)
    assert run.outcome == "succeeded"


def test_a_question_asked_twice_is_an_edit_for_each_answer() -> None:
    run = told(
        starts(),
        parses(),
        asks("city"),
        parses(city="Ulmm"),
        asks("city"),
        parses(city="Ulm"),
        plans("read_weather"),
        ends("succeeded"),
    )
    assert [edit.value for edit in run.edits] == ["Ulmm", "Ulm"]


def test_what_was_planned_around_is_avoided_and_the_run_went_well() -> None:
    run = told(
        starts(),
        parses(),
        plans("search_train", "book_train"),
        fails("search_train"),
        replans(),
        plans("search_hotel"),
        ends("succeeded"),
    )
    assert (run.outcome, run.failed, run.avoided) == ("succeeded", None, ("search_train",))
    assert run.graph.capabilities == ("search_hotel",)


def test_a_second_failure_after_a_new_plan_is_the_runs() -> None:
    run = told(
        starts(),
        parses(),
        plans("search_train"),
        fails("search_train"),
        replans(),
        plans("search_hotel"),
        fails("search_hotel"),
        ends("failed"),
    )
    assert (run.failed, run.avoided) == ("search_hotel", ("search_train",))


def test_what_the_plan_left_out_is_kept() -> None:
    run = told(starts(), parses(), plans("read_weather", caveats=("No wind.",)), ends("succeeded"))
    assert run.caveats == ("No wind.",)


def test_a_redacted_run_has_no_value_that_was_given_nor_in_its_words() -> None:
    graph = chain("read_weather")
    step = graph.subtasks[0].model_copy(
        update={"arguments": {"city": FromInput(name="city"), "day": Given(value="Whitsun")}}
    )
    run = past(1, "weather in Ulm on Whitsun for ann@example.com", "read_weather").model_copy(
        update={
            "inputs": {"city": "Ulm", "mail": "ann@example.com"},
            "edits": (Edit(kind="answered", name="city", value="Ulm"),),
            "graph": graph.model_copy(update={"subtasks": (step,)}),
        }
    )
    hidden = redacted(run)
    written = hidden.model_dump_json()
    assert all(secret not in written for secret in ("Ulm", "Whitsun", "ann@example.com"))
    assert hidden.text == "weather in … on … for …"
    assert hidden.inputs.keys() == run.inputs.keys()
    assert hidden.graph.capabilities == run.graph.capabilities
