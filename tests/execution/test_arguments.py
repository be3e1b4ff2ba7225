from typing import Any

import pytest

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.errors import ArgumentMismatch, InputNeeded
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import Binding, FromInput, FromSubtask, Gathered, Given, Subtask
from easynet.execution.arguments import arguments

VALUES: dict[SubtaskId, Any] = {SubtaskId("split"): {"train": {"rows": 3}, "test": [1]}, SubtaskId("n"): 7}

FIT = Capability(
    name=CapabilityName("fit"),
    description={"en": "fit"},
    parameters=(Parameter(name="x", type=TypeRef(name="any")),),
)


def resolve(binding: Binding, inputs: dict[str, Any] | None = None) -> dict[str, Any]:
    subtask = Subtask(id=SubtaskId("s"), capability=CapabilityName("fit"), arguments={"x": binding})
    return arguments(subtask, FIT, inputs or {}, VALUES)


def output(name: str, *path: str) -> FromSubtask:
    return FromSubtask(subtask=SubtaskId(name), path=path)


@pytest.mark.parametrize(
    ("binding", "value"),
    [
        (Given(value=[1, "two"]), [1, "two"]),
        (FromInput(name="data"), "sales.csv"),
        (FromInput(name="data", optional=True), "sales.csv"),
        (output("n"), 7),
        (output("split", "train", "rows"), 3),
        (Gathered(items=(output("n"), output("split", "test"), output("n"))), [7, [1], 7]),
        (Gathered(items=()), []),
    ],
)
def test_every_binding_gives_its_value(binding: Binding, value: Any) -> None:
    assert resolve(binding, {"data": "sales.csv"}) == {"x": value}


def test_an_absent_optional_input_is_left_out() -> None:
    assert resolve(FromInput(name="data", optional=True)) == {}


def test_an_input_that_is_given_as_none_is_there() -> None:
    assert resolve(FromInput(name="data"), {"data": None}) == {"x": None}


def test_an_absent_input_is_asked_for() -> None:
    with pytest.raises(InputNeeded) as raised:
        resolve(FromInput(name="data"))
    assert raised.value.name == "data"


def test_question_for_an_input_is_in_the_users_language() -> None:
    subtask = Subtask(id=SubtaskId("s"), capability=FIT.name, arguments={"x": FromInput(name="data")})
    with pytest.raises(InputNeeded) as raised:
        arguments(subtask, FIT, {}, VALUES, language="zh")
    assert raised.value.message == "fit 需要 'data'，应取什么值？"


@pytest.mark.parametrize("path", [("valid",), ("train", "rows", "deep"), ("test", "0")])
def test_a_part_that_the_result_lacks_is_named(path: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentMismatch, match=rf"'s' needs '{'.'.join(path)}' of 'split'"):
        resolve(output("split", *path))


def test_input_that_is_text_is_read_as_the_functions_type() -> None:
    whole = FIT.model_copy(update={"parameters": (Parameter(name="x", type=TypeRef(name="int")),)})
    subtask = Subtask(id=SubtaskId("s"), capability=FIT.name, arguments={"x": FromInput(name="n")})
    assert arguments(subtask, whole, {"n": "3"}, VALUES) == {"x": 3}
    with pytest.raises(ArgumentMismatch, match="'n' has to be a whole number"):
        arguments(subtask, whole, {"n": "three"}, VALUES)
