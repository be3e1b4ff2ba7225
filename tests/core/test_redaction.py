"""A run's events without what is private in them."""

from collections.abc import Iterable
from typing import Any

import pytest

from easynet.core.artifact import Artifact
from easynet.core.events import (
    RUN_EVENT,
    AttemptFailed,
    AttemptProgressed,
    IntentParsed,
    PlanMade,
    Problem,
    Question,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
)
from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent, Privacy, Requirements
from easynet.core.redaction import HIDDEN, Redaction
from easynet.core.task_graph import FromInput, Given, Subtask, TaskGraph

CANARY = "kanarie-7f3a"
A, B = SubtaskId("a"), SubtaskId("b")
FILE = f"/home/ada/{CANARY}.csv"
INPUTS: dict[str, Any] = {"patients": FILE, "notes": {CANARY: [CANARY.upper()]}, "weather": "sunny"}
NEEDS = Requirements(private=("patients", "notes"))
WORDS = f"describe {CANARY}.csv of the weather"
GRAPH = TaskGraph(
    subtasks=(
        Subtask(id=A, capability=CapabilityName("f"), arguments={"x": FromInput(name="patients")}),
        Subtask(
            id=B,
            capability=CapabilityName("f"),
            arguments={"x": Given(value=f"{CANARY}!"), "y": Given(value="sunny")},
        ),
        Subtask(
            id=SubtaskId("c"), capability=CapabilityName("f"), arguments={"x": FromInput(name="weather")}
        ),
    ),
    outputs=(A, SubtaskId("c")),
)
PROBLEM = Problem(code="bad_data", message=f"cannot read {FILE}", hint=f"look at {CANARY}")


def run(needs: Requirements = NEEDS) -> list[RunEvent]:
    def at(seq: int) -> dict[str, Any]:
        return {"run_id": RunId("r"), "seq": seq, "at": 0.0}

    intent = Intent(description=WORDS, input_data=INPUTS)
    parsed = ParsedIntent(text=WORDS, language="en", inputs=INPUTS, requirements=needs)
    question = Question(name="column", text=f"Which of {CANARY}?", choices=(f"{CANARY}-1", "age"))
    return [
        RunStarted(**at(0), intent=intent, version="1"),
        IntentParsed(**at(1), parsed=parsed),
        PlanMade(
            **at(2), graph=GRAPH, planner="p", titles={}, assumed={"notes": CANARY}, caveats=(f"no {CANARY}",)
        ),
        AttemptProgressed(**at(3), subtask=A, attempt=1, fraction=None, message=f"row of {CANARY}"),
        AttemptFailed(**at(4), subtask=A, attempt=1, node=NodeId("n"), problem=PROBLEM, will_retry=False),
        Replanned(**at(5), reason=PROBLEM.message, keeps=(), failed=A),
        QuestionAsked(**at(6), question=question),
        RunFinished(
            **at(7),
            status="succeeded",
            problem=PROBLEM,
            headline=("Ada is ill", f"of {FILE}"),
            metrics={"r2": 0.5},
            outputs={A: {"Ada": [CANARY, "is ill"]}, SubtaskId("c"): "rain"},
            files={"ada.png": Artifact(digest="d" * 64, size_bytes=1, filename="ada.png")},
            folder="/home/ada/runs/r",
        ),
    ]


def text_of(events: Iterable[RunEvent]) -> str:
    return "\n".join(RUN_EVENT.dump_json(e).decode() for e in events)


def test_the_run_itself_has_what_is_to_be_hidden() -> None:
    assert text_of(run()).lower().count(CANARY) > 10


@pytest.mark.parametrize("needs", [NEEDS, Requirements(privacy=Privacy.HIGH)])
def test_no_private_value_is_left_in_any_event(needs: Requirements) -> None:
    told = [*Redaction().all(run(needs))]
    assert CANARY not in text_of(told).lower()
    assert [e.seq for e in told] == [*range(len(run()))]
    assert [RUN_EVENT.validate_json(RUN_EVENT.dump_json(e)) for e in told] == told


def test_what_is_not_private_and_what_was_made_of_it_stays() -> None:
    told = [*Redaction().all(run())]
    parsed = next(e for e in told if isinstance(e, IntentParsed)).parsed
    assert parsed.inputs == {"patients": HIDDEN, "notes": HIDDEN, "weather": "sunny"}
    assert parsed.text == f"describe {HIDDEN} of the weather"
    assert '"sunny"' in text_of(e for e in told if isinstance(e, PlanMade))
    ending = told[-1]
    assert isinstance(ending, RunFinished)
    assert ending.outputs == {"a": {"Ada": [HIDDEN, "is ill"]}, "c": "rain"}
    assert ending.headline == ("Ada is ill", f"of {HIDDEN}")
    assert (ending.metrics, set(ending.files)) == ({"r2": 0.5}, {"ada.png"})


def test_a_run_without_private_data_is_told_as_it_is() -> None:
    assert [*Redaction().all(run(Requirements()))] == run(Requirements())


def test_nothing_is_told_before_it_is_known_what_is_private() -> None:
    redaction = Redaction()
    first, second, *_ = run()
    assert redaction.take(first) == []
    assert [e.seq for e in redaction.take(second)] == [0, 1]


def test_run_that_ended_before_it_was_understood_tells_no_input() -> None:
    started, ended = run()[0], run()[-1]
    assert CANARY not in text_of(Redaction().all([started, ended])).lower()


def test_a_resumed_run_goes_on_with_what_is_known_of_it() -> None:
    redaction = Redaction()
    redaction.recall(run()[:4])
    (told,) = redaction.take(run()[4])
    assert isinstance(told, AttemptFailed)
    assert CANARY not in told.problem.message
