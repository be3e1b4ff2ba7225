"""Plans filled with the arguments of another request."""

import pytest
from pydantic import JsonValue

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import FromInput, FromSubtask, Gathered, Given
from easynet.planners.adapting import Adapter, reads_of
from easynet.planners.past_run import PastRun
from easynet.planners.validate import validate
from tests.planners.experience_world import asked, past, tool, with_literals

TABLE, CHART = TypeRef(name="Table"), TypeRef(name="Chart")


def function(name: str, output: TypeRef, **takes: TypeRef) -> Capability:
    return Capability(
        name=CapabilityName(name),
        description={"en": name},
        parameters=tuple(Parameter(name=n, type=t) for n, t in takes.items()),
        output=output,
    )


TYPED = (
    function("load", TABLE, data=TypeRef(name="File")),
    function("draw", CHART, table=TABLE),
    function("page", TypeRef(name="Page"), charts=TypeRef(name="Chart", many=True)),
)
STEPS = tuple(c.name for c in TYPED)


def test_steps_are_joined_by_their_types_where_no_run_shows_how() -> None:
    adapted = Adapter(asked("draw sales.csv", tools=TYPED)).composed(STEPS, {})
    assert adapted is not None
    by_id = adapted.graph.by_id
    assert by_id[SubtaskId("draw")].arguments["table"] == FromSubtask(subtask=SubtaskId("load"))
    assert by_id[SubtaskId("page")].arguments["charts"] == Gathered(
        items=(FromSubtask(subtask=SubtaskId("draw")),)
    )
    assert adapted.graph.outputs == ("page",)
    assert validate(adapted.graph, TYPED, inputs={"data"}) == ()


def test_a_file_that_the_words_name_becomes_the_input() -> None:
    adapted = Adapter(asked("draw sales.csv", tools=TYPED)).composed(STEPS, {})
    assert adapted is not None
    assert adapted.found_inputs == {"data": "sales.csv"}
    assert adapted.missing is None


def test_what_neither_words_nor_inputs_give_is_missing() -> None:
    adapted = Adapter(asked("draw it", tools=TYPED)).composed(STEPS, {})
    assert adapted is not None
    assert adapted.missing is not None
    assert adapted.missing.name == "data"


def test_a_step_that_is_not_offered_makes_no_plan() -> None:
    adapter = Adapter(asked("draw it", tools=TYPED[:2]))
    assert adapter.composed(STEPS, {}) is None
    assert adapter.reused(past(1, "x", "book_train")) is None


def test_what_a_step_read_in_past_runs_is_read_again() -> None:
    runs = [past(1, "x", "search_train", "send_mail")]
    steps = tuple(map(CapabilityName, ("search_train", "book_train", "send_mail")))
    adapted = Adapter(asked("x")).composed(steps, reads_of(runs))
    assert adapted is not None
    mail = adapted.graph.by_id[SubtaskId("send_mail")]
    assert mail.arguments["context"] == FromSubtask(subtask=SubtaskId("search_train"))
    assert adapted.graph.outputs == ("book_train", "send_mail")


MODE = Parameter(name="mode", type=TypeRef(name="str"), required=False)
PLAYER = (tool("play", "Play music", takes=(MODE,)),)


def played(text: str, mode: JsonValue) -> PastRun:
    return with_literals(past(1, text, "play", tools=PLAYER), play={"mode": mode})


def test_what_is_always_the_same_is_kept_and_told() -> None:
    adapted = Adapter(asked("play more music", tools=PLAYER)).reused(
        played("play some music", "soft"), customs={(CapabilityName("play"), "mode", "soft")}
    )
    assert adapted is not None
    assert adapted.graph.subtasks[0].arguments["mode"] == Given(value="soft")
    assert (adapted.assumed, adapted.lost) == ({"mode": "soft"}, ())


def test_what_the_user_gives_comes_before_what_is_always_the_same() -> None:
    adapted = Adapter(asked("play more music", tools=PLAYER, mode="loud")).reused(
        played("play some music", "soft"), customs={(CapabilityName("play"), "mode", "soft")}
    )
    assert adapted is not None
    assert adapted.graph.subtasks[0].arguments["mode"] == FromInput(name="mode", optional=True)
    assert (adapted.assumed, adapted.lost) == ({}, ())


@pytest.mark.parametrize("mode", ["soft", True, 5, 0.5, ["soft"], {"at": "soft"}])
def test_what_was_meant_for_another_request_is_lost(mode: JsonValue) -> None:
    adapted = Adapter(asked("play more music", tools=PLAYER)).reused(played("play some music", mode))
    assert adapted is not None
    assert adapted.graph.subtasks[0].arguments["mode"] == FromInput(name="mode", optional=True)
    assert (adapted.assumed, adapted.lost) == ({}, ("mode",))


def test_what_the_past_words_said_and_these_do_not_is_left_to_the_default() -> None:
    mode = MODE.model_copy(update={"choices": ("soft", "loud")})
    tools = (tool("play", "Play music", takes=(mode,)),)
    adapted = Adapter(asked("play music", tools=tools)).reused(played("play soft music", "soft"))
    assert adapted is not None
    assert adapted.lost == ()


def test_two_values_of_one_name_are_not_told_as_one() -> None:
    tools = (*PLAYER, tool("stop", "Stop music", takes=(MODE,)))
    run = with_literals(
        past(1, "x", "play", "stop", tools=tools), play={"mode": "soft"}, stop={"mode": "hard"}
    )
    customs = {(CapabilityName("play"), "mode", "soft"), (CapabilityName("stop"), "mode", "hard")}
    adapted = Adapter(asked("y", tools=tools)).reused(run, customs=customs)
    assert adapted is not None
    assert (adapted.assumed, adapted.lost) == ({"mode": "soft"}, ("mode",))


def test_an_optional_input_is_left_to_whoever_gives_it() -> None:
    mode = Parameter(name="mode", type=TypeRef(name="str"), required=False)
    adapted = Adapter(asked("play", tools=(tool("play", "Play", takes=(mode,)),))).composed(
        (CapabilityName("play"),), {}
    )
    assert adapted is not None
    assert adapted.graph.subtasks[0].arguments["mode"] == FromInput(name="mode", optional=True)
