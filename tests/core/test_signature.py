"""What is read off a function's signature."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from typing_extensions import TypedDict

from easynet.core.capability import Capability, Role, TypeRef
from easynet.core.contribution import contribute, contributed
from easynet.core.signature import capability_of

if TYPE_CHECKING:
    import pandas as pd


class Split(TypedDict):
    train: "pd.DataFrame"
    size: int


def example(a: int, data: Path, /, table: "pd.DataFrame | None" = None, *, parts: list[Split]) -> Split:
    """Join the parts.

    More than one line.
    """
    return parts[0]


def test_types_are_named_even_where_their_library_is_not_loaded() -> None:
    capability = capability_of(example)
    types = {p.name: str(p.type) for p in capability.parameters}
    assert types == {"a": "int", "data": "File", "table": "DataFrame", "parts": "list[Split]"}
    assert capability.output.fields == {"train": TypeRef(name="DataFrame"), "size": TypeRef(name="int")}


def test_description_is_the_first_paragraph_of_the_docstring() -> None:
    assert capability_of(example).description == {"en": "Join the parts."}


def test_description_without_a_docstring_is_the_name_in_words() -> None:
    def brew_coffee() -> None: ...

    assert capability_of(brew_coffee).description == {"en": "brew coffee"}


def test_generators_stream_their_items() -> None:
    def count(n: int) -> Iterator[int]:
        yield from range(n)

    async def tick() -> AsyncIterator[str]:
        yield "tick"

    assert (capability_of(count).streaming, capability_of(count).output.name) == (True, "int")
    assert (capability_of(tick).streaming, capability_of(tick).output.name) == (True, "str")


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (Any, "any"),
        (int | None, "int"),
        (int | str, "any"),
        (Literal["a", "b"], "str"),
        (dict[str, int], "dict"),
    ],
)
def test_annotation_becomes_a_nominal_type(annotation: Any, name: str) -> None:
    def function(x: Any) -> None: ...

    function.__annotations__["x"] = annotation
    assert capability_of(function).parameters[0].type.name == name


def test_words_of_a_literal_are_the_choices() -> None:
    def rank(by: Literal["total", "mean"] | None = None, size: int = 3) -> None: ...

    assert [p.choices for p in capability_of(rank).parameters] == [("total", "mean"), ()]


def test_contributed_function_stays_as_it_is() -> None:
    @contribute(en="Double a number.", zh="把数字翻倍。", price=3, role="check")
    def double(x: int) -> int:
        return 2 * x

    capability = contributed(double)
    assert double(4) == 8
    assert isinstance(capability, Capability)
    assert capability.description == {"en": "Double a number.", "zh": "把数字翻倍。"}
    assert (capability.price, capability.role) == (3, Role.CHECK)


def test_contribute_works_without_arguments() -> None:
    @contribute
    def triple(x: int) -> int:
        """Triple a number."""
        return 3 * x

    assert contributed(triple) is not None
    assert contributed(len) is None


@pytest.mark.parametrize(
    ("args", "kwargs", "complaint"),
    [
        ((1, "f.csv"), {"parts": []}, ""),
        ((1, "f.csv", None), {"parts": []}, ""),
        ((1,), {"parts": []}, "needs 'data'"),
        ((1, "f.csv"), {}, "needs 'parts'"),
        ((1, "f.csv", None, 4), {"parts": []}, "takes 3 positional argument(s), 4 were given"),
        ((1, "f.csv"), {"parts": [], "colour": 1}, "has no argument 'colour'"),
        ((1, "f.csv", None), {"table": 1, "parts": []}, "got 'table' twice"),
        ((1,), {"data": "f.csv", "parts": []}, "has no argument 'data'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(
    args: tuple[Any, ...], kwargs: dict[str, Any], complaint: str
) -> None:
    found = capability_of(example).mismatch(args, kwargs)
    assert complaint in found
    assert bool(found) == bool(complaint)


def test_variadic_functions_take_anything() -> None:
    def anything(*args: int, **kwargs: int) -> None: ...

    assert capability_of(anything).mismatch((1, 2), {"x": 3}) == ""


@pytest.mark.parametrize(
    ("given", "wanted", "fits"),
    [
        (TypeRef(name="Table"), TypeRef(name="Table"), True),
        (TypeRef(name="Table"), TypeRef(name="Model"), False),
        (TypeRef(name="int"), TypeRef(name="float"), True),
        (TypeRef(name="float"), TypeRef(name="int"), False),
        (TypeRef(name="any"), TypeRef(name="Model"), True),
        (TypeRef(name="Table", many=True), TypeRef(name="Table"), False),
    ],
)
def test_types_fit_by_name(given: TypeRef, wanted: TypeRef, fits: bool) -> None:
    assert given.fits(wanted) is fits
