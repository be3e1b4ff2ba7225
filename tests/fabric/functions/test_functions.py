"""What a node makes of the functions registered with it."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from easynet.core.capability import Role
from easynet.core.contribution import contribute
from easynet.core.errors import ArgumentMismatch, UsageError
from easynet.fabric.functions.function import Function, function_of
from easynet.fabric.node import ComputeNode


@pytest.fixture
def node(tmp_path: Path) -> ComputeNode:
    return ComputeNode("127.0.0.1:4222", name="n", data_dir=tmp_path)


def offered(node: ComputeNode) -> dict[str, Function]:
    return node._function_by_name  # pyright: ignore[reportPrivateUsage]


def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


def test_a_registered_function_stays_as_it_is(node: ComputeNode) -> None:
    assert node.register(add) is add
    assert node.register(name="plus")(add) is add
    assert [*offered(node)] == ["add", "plus"]
    assert offered(node)["add"].capability.signature == "add(a: int, b: int = 1) -> int"
    assert offered(node)["add"].capability.description == {"en": "Add two numbers."}


def test_what_is_stated_precedes_what_was_contributed_and_what_the_signature_says(node: ComputeNode) -> None:
    marked = contribute(en="Adds", zh="相加", price=7, tags=["sum"], role="check")(add)
    node.register(marked)
    node.register(name="dear", price=9, description="加起来", expected_s=3, idempotent=False)(marked)
    first, second = offered(node)["add"].capability, offered(node)["dear"].capability
    assert (first.price, first.tags, first.role) == (7, ("sum",), Role.CHECK)
    assert first.description == {"en": "Adds", "zh": "相加"}
    assert (second.name, second.price, second.tags) == ("dear", 9, ("sum",))
    assert (second.description, second.expected_s, second.idempotent) == ({"zh": "加起来"}, 3, False)


def test_the_manner_of_a_function_is_seen(node: ComputeNode) -> None:
    async def later() -> None: ...
    def items() -> Iterator[int]:
        yield 1

    async def later_items() -> AsyncIterator[int]:
        yield 1

    class Asks:
        async def __call__(self) -> None: ...

    for function in (add, later, items, later_items):
        node.register(function)
    node.register(Asks(), name="asks")
    manners = [function.manner for function in offered(node).values()]
    assert manners == ["sync", "async", "generator", "async generator", "async"]
    assert [f.capability.streaming for f in offered(node).values()][2:4] == [True, True]


def test_a_second_function_of_one_name_is_refused(node: ComputeNode) -> None:
    node.register(add)
    with pytest.raises(UsageError, match="'add' already") as caught:
        node.register(add)
    assert "name=" in caught.value.hint


@pytest.mark.parametrize("name", ["a.b", "", "a b", "a*", "a>", "x" * 101, "a\n"])
def test_a_name_that_is_no_part_of_an_address_is_refused(node: ComputeNode, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        node.register(add, name=name or "..")
    with pytest.raises(UsageError, match="name"):
        ComputeNode("127.0.0.1:4222", name=name)


@pytest.mark.parametrize("function", [lambda: 1, functools.partial(add), 5, None])
def test_what_has_no_name_or_cannot_be_called_is_refused(node: ComputeNode, function: Any) -> None:
    with pytest.raises(UsageError):
        node.register()(function)


def test_names_of_any_script_are_allowed(node: ComputeNode) -> None:
    node.register(add, name="训练-模型_1")
    assert [*offered(node)] == ["训练-模型_1"]


@pytest.mark.parametrize("field", [{"price": -1}, {"expected_s": -1.0}, {"role": "nonsense"}])
def test_fields_that_make_no_sense_are_refused(node: ComputeNode, field: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        node.register(add, **field)


def test_a_node_needs_an_address_and_a_place_to_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="address"):
        ComputeNode("nonsense")
    with pytest.raises(UsageError, match="at least one"):
        ComputeNode("127.0.0.1:1", concurrency=0)
    assert ComputeNode("127.0.0.1:1").name != ComputeNode("127.0.0.1:1").name


def typed(function: Callable[[int, int], int]) -> int:
    return function(1, 2)


def test_types_survive_registration(node: ComputeNode) -> None:
    assert typed(node.register(add)) == 3


@dataclass
class Celsius:
    degrees: float


def test_record_becomes_the_object_that_the_function_takes() -> None:
    def judge(temperature: Celsius, others: list[Celsius]) -> float:
        return temperature.degrees

    function = function_of(judge, None, {})
    args, kwargs = function.with_objects([{"degrees": 20}], {"others": [{"degrees": 1}]})
    assert (args, kwargs) == ([Celsius(20)], {"others": [Celsius(1)]})
    with pytest.raises(ArgumentMismatch, match="temperature"):
        function.with_objects([{"colour": "red"}], {})


def test_arguments_that_are_no_records_stay_as_they_are() -> None:
    def add(a: int, *more: int, **named: int) -> int:
        return a

    assert function_of(add, None, {}).with_objects(["1", 2, 3], {"b": "x"}) == (["1", 2, 3], {"b": "x"})
