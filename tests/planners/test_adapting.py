"""Plans filled with the arguments of another request."""

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import FromInput, FromSubtask, Gathered, Given
from easynet.planners.adapting import Adapter, reads_of
from easynet.planners.validate import validate
from tests.planners.experience_world import asked, past, tool

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


def test_a_literal_that_was_not_in_the_past_words_is_kept() -> None:
    mode = Parameter(name="mode", type=TypeRef(name="str"), required=False)
    quiet = tool("play", "Play music", takes=(mode,))
    run = past(1, "play some music", "play", tools=(quiet,))
    step = run.graph.subtasks[0].model_copy(update={"arguments": {"mode": Given(value="soft")}})
    run = run.model_copy(update={"graph": run.graph.model_copy(update={"subtasks": (step,)})})
    adapted = Adapter(asked("play more music", tools=(quiet,))).reused(run)
    assert adapted is not None
    assert adapted.graph.subtasks[0].arguments["mode"] == Given(value="soft")


def test_an_optional_input_is_left_to_whoever_gives_it() -> None:
    mode = Parameter(name="mode", type=TypeRef(name="str"), required=False)
    adapted = Adapter(asked("play", tools=(tool("play", "Play", takes=(mode,)),))).composed(
        (CapabilityName("play"),), {}
    )
    assert adapted is not None
    assert adapted.graph.subtasks[0].arguments["mode"] == FromInput(name="mode", optional=True)
