"""The first place where a value is not what a schema says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from easynet.core.schema import Schema
from easynet.execution.result_kind import kind_of, length_of, number_of

_MAX_DEPTH: Final = 16
"""A schema that a node sends may be nested deeper; what is deeper is not checked."""
_MAX_PARTS: Final = 100_000
"""Parts of one result that are looked into, which takes 0.3 s; in a longer list they are evenly spread."""
_AS_GOOD: Final[Mapping[str, frozenset[str]]] = {
    "float": frozenset({"float", "int"}),
    # What numpy makes passes for a number or a list in Python, and does so here.
    "list": frozenset({"list", "array", "column"}),
    "array": frozenset({"array", "column", "list", "int", "float", "bool"}),
    "date": frozenset({"date", "datetime"}),
}
"""The kinds that will do for the one promised, where that is not itself alone."""
_REFERABLE: Final = frozenset({"any", "str", "bytes", "list", "dict", "table", "column", "array"})
"""Kinds of values that a reference stands for when they are large."""
_TYPES: Final[Mapping[str, frozenset[type]]] = {
    "float": frozenset({float, int}),
    "int": frozenset({int}),
    "bool": frozenset({bool}),
    "str": frozenset({str}),
}
"""What a look at the type alone shows to be right, where there are no limits."""

Why = Literal["kind", "choice", "range", "length", "parts", "missing"]


@dataclass(frozen=True)
class Flaw:
    """Something that was promised otherwise."""

    why: Why
    schema: Schema
    """What was promised there."""
    value: Any
    place: str = ""
    """Where in the result: `scores[3].share`. Empty for the whole of it."""

    def inside(self, place: str) -> "Flaw":
        """The same, seen from what holds it at `place`."""
        joint = "." if self.place and not self.place.startswith("[") else ""
        return Flaw(self.why, self.schema, self.value, f"{place}{joint}{self.place}")


class Search:
    """Looks for a flaw in one value, for a limited time."""

    def __init__(self) -> None:
        self._left = _MAX_PARTS

    def flaw_in(self, value: Any, schema: Schema, depth: int = 0) -> Flaw | None:
        """The first flaw, or `None` where there is none that can be seen."""
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            return None
        kind = kind_of(value)
        if kind == "unknown" or (kind == "none" and schema.nullable):
            return None
        if why := _own_flaw(value, kind, schema):
            return Flaw(why, schema, value)
        if kind == "dict":
            return self._in_mapping(value, schema, depth)
        if kind == "list" and (schema.items is not None or schema.parts):
            return self._in_list(value, schema, depth)
        return None

    def _in_mapping(self, value: Mapping[Any, Any], schema: Schema, depth: int) -> Flaw | None:
        for name in schema.required:
            if name not in value:
                return Flaw("missing", schema, value, name)
        # Whichever are fewer: neither what a node promises nor what it gives may take long.
        for name in schema.fields if len(schema.fields) <= len(value) else value:
            if name in value and name in schema.fields:
                flaw = self.flaw_in(value[name], schema.fields[name], depth + 1)
                if flaw is not None:
                    return flaw.inside(name)
        if schema.items is not None:
            for item in value.values():
                if self._left < 0:
                    return None
                if flaw := self.flaw_in(item, schema.items, depth + 1):
                    return flaw.inside("[...]")  # the keys are the user's data, and are not told
        return None

    def _in_list(self, value: Sequence[Any], schema: Schema, depth: int) -> Flaw | None:
        for place, part in _schemas(value, schema):
            if self._left < 0:
                return None
            if flaw := self.flaw_in(value[place], part, depth + 1):
                return flaw.inside(f"[{place}]")
        return None


def _schemas(value: Sequence[Any], schema: Schema) -> Iterator[tuple[int, Schema]]:
    """The places of a list that are to be looked at, and what should be there."""
    if schema.parts:
        yield from enumerate(schema.parts)
    elif (items := schema.items) is not None:
        for place in _doubtful(value, items):
            yield place, items


def _doubtful(value: Sequence[Any], items: Schema) -> Iterator[int]:
    """The places of a list whose items are not seen to be right by their types."""
    right = frozenset[type]() if items.is_bounded or items.is_sized else _TYPES.get(items.kind, frozenset())
    if right:
        return (place for place, item in enumerate(value) if type(item) not in right)
    return iter(range(0, len(value), -(-len(value) // _MAX_PARTS) or 1))


def _own_flaw(value: Any, kind: str, schema: Schema) -> Why | None:
    """What is wrong with a value itself, whatever it holds."""
    if not _is_of(kind, schema):
        return "kind"
    if kind == "reference":
        return None
    if schema.choices and not _is_choice(value, kind, schema):
        return "choice"
    if schema.is_bounded and kind in ("int", "float") and not _is_within(number_of(value), schema):
        return "range"
    if schema.is_sized and not _is_fitting(length_of(value), schema):
        return "length"
    return "parts" if schema.parts and kind == "list" and len(value) != len(schema.parts) else None


def _is_of(kind: str, schema: Schema) -> bool:
    if kind == "reference":
        return schema.kind in _REFERABLE
    if schema.kind == "any":
        return kind != "none" or not schema.choices
    return kind == schema.kind or kind in _AS_GOOD.get(schema.kind, ())


def _is_choice(value: Any, kind: str, schema: Schema) -> bool:
    # `True` is equal to 1 and is not meant by it.
    return any(value == choice and (kind == "bool") == isinstance(choice, bool) for choice in schema.choices)


def _is_within(number: int | float, schema: Schema) -> bool:
    # Not by what lies outside: of what is not a number, nothing is true.
    return (
        (schema.ge is None or number >= schema.ge)
        and (schema.gt is None or number > schema.gt)
        and (schema.le is None or number <= schema.le)
        and (schema.lt is None or number < schema.lt)
    )


def _is_fitting(length: int | None, schema: Schema) -> bool:
    if length is None:
        return True
    return length >= schema.min_len and (schema.max_len is None or length <= schema.max_len)
