"""From an annotation to the schema that it declares."""

import collections
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from datetime import date, datetime, time, timedelta
from enum import Enum, Flag
from math import isfinite
from pathlib import PurePath
from typing import Any, Final

import annotated_types as limits
import typing_extensions
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import is_typeddict

from easynet.core.annotations import Named, hints_of
from easynet.core.schema import LARGEST, NOTHING, Kind, Schema

_MAX_DEPTH: Final = 8
"""What is deeper is not checked."""
_MAX_CHOICES: Final = 256
_QUALIFIERS: Final = {
    getattr(module, name)
    for module in (typing, typing_extensions)
    for name in ("Required", "NotRequired", "ReadOnly", "Final")
    if hasattr(module, name)
}
_PLAIN: Final[dict[Any, Kind]] = {
    bool: "bool", int: "int", float: "float", str: "str", bytes: "bytes", bytearray: "bytes",
    list: "list", tuple: "list", set: "list", frozenset: "list", dict: "dict", time: "time",
    collections.OrderedDict: "dict", collections.defaultdict: "dict", collections.Counter: "dict",
    Mapping: "dict", MutableMapping: "dict",
}  # fmt: skip
_BY_LIBRARY: Final[dict[tuple[str, str], Kind]] = {
    ("pandas", "DataFrame"): "table",
    ("pandas", "Series"): "column",
    ("numpy", "ndarray"): "array",
}
_BY_NAME: Final[dict[str, Kind]] = {
    "DataFrame": "table", "Series": "column", "ndarray": "array", "NDArray": "array",
}  # fmt: skip
"""Types of libraries that are only imported for type checkers."""


def result_schema(function: Callable[..., Any], streams: tuple[type, ...]) -> Schema:
    """What the annotations of `function` promise of its result.

    Of a generator, whose annotation is one of `streams`, it is the list of all items.
    """
    promised = hints_of(function, with_extras=True).get("return", Any)
    if not (inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)):
        return schema_of(promised)
    hint, notes = _peeled(promised)
    items = schema_of(typing.get_args(hint)[0]) if typing.get_origin(hint) in streams else NOTHING
    return _limited(Schema(kind="list", items=_worth_saying(items)), notes)


def schema_of(hint: Any, around: tuple[Any, ...] = ()) -> Schema:
    """What a value of an annotated type has to be; nothing where the type does not say or is not known.

    `Annotated` may hold the limits of `annotated_types` or of pydantic's `Field`. `around` are the types
    that it is a part of.
    """
    if len(around) > _MAX_DEPTH:
        return NOTHING
    hint, notes = _peeled(hint)
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _limited(_union(typing.get_args(hint), around), notes)
    if origin is typing.Literal:
        return _of_choices(typing.get_args(hint))
    return _limited(_plain_type(hint, around), notes)


def _peeled(hint: Any) -> tuple[Any, list[Any]]:
    """The type itself, and all that was said about it."""
    notes: list[Any] = []
    while True:
        if typing.get_origin(hint) is typing.Annotated:
            hint, *more = typing.get_args(hint)
            notes += more
        elif typing.get_origin(hint) in _QUALIFIERS:
            (hint,) = typing.get_args(hint)
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif isinstance(hint, typing_extensions.TypeAliasType):
            hint = hint.__value__
        else:
            return hint, notes


def _union(options: tuple[Any, ...], around: tuple[Any, ...]) -> Schema:
    some = [option for option in options if option is not type(None)]
    if len(some) > 1:
        return NOTHING
    schema = schema_of(some[0], around)
    if len(some) == len(options) or schema == NOTHING:
        return schema
    return schema.model_copy(update={"nullable": True})


def _plain_type(hint: Any, around: tuple[Any, ...]) -> Schema:
    """The schema of a class, with or without arguments, or of a name that is not known."""
    if isinstance(hint, Named):
        return Schema(kind=_BY_NAME.get(hint.name, "any"))
    if hint is None or hint is type(None):
        return Schema(kind="none")
    own = typing.get_origin(hint) or hint
    if not isinstance(own, type):
        return NOTHING
    if is_typeddict(own) or dataclasses.is_dataclass(own) or issubclass(own, BaseModel):
        return Schema(kind="dict") if own in around else _record(own, (*around, own))
    if issubclass(own, Enum):
        return NOTHING if issubclass(own, Flag) else _of_choices(tuple(own))
    if issubclass(own, PurePath):
        return Schema(kind="File")
    if issubclass(own, date | timedelta):
        return _moment(own)
    if own in _PLAIN:
        return _container(own, typing.get_args(hint), (*around, own))
    return Schema(kind=_BY_LIBRARY.get((own.__module__.split(".")[0], own.__name__), "any"))


def _moment(own: type) -> Schema:
    # pandas has a word for nothing among these, which arrives as `None`.
    kind: Kind = "timedelta" if issubclass(own, timedelta) else "date"
    return Schema(kind="datetime" if issubclass(own, datetime) else kind, nullable=True)


def _container(own: type, args: tuple[Any, ...], around: tuple[Any, ...]) -> Schema:
    kind = _PLAIN[own]
    if own is tuple and args and args[-1] is not Ellipsis:
        if any(typing.get_origin(arg) is typing_extensions.Unpack for arg in args):
            return Schema(kind=kind)
        return Schema(kind=kind, parts=tuple(schema_of(arg, around) for arg in args))
    item: Any = Any
    if kind == "list" and args:
        item = args[0]
    elif kind == "dict" and args:
        item = int if own is collections.Counter else args[-1]
    return Schema(kind=kind, items=_worth_saying(schema_of(item, around)))


def _worth_saying(schema: Schema) -> Schema | None:
    return None if schema == NOTHING else schema


def _record(record: type, around: tuple[Any, ...]) -> Schema:
    """A record's fields. Fields with defaults may be missing: a plain dictionary may have been given."""
    hints = hints_of(record, with_extras=True)
    notes: dict[str, list[Any]] = {}
    if issubclass(record, BaseModel):
        fields = record.model_fields
        notes = {name: field.metadata for name, field in fields.items()}
        required = [name for name, field in fields.items() if field.is_required()]
        hints = {name: hints.get(name, field.annotation) for name, field in fields.items()}
    elif dataclasses.is_dataclass(record):
        own = dataclasses.fields(record)
        missing = dataclasses.MISSING
        required = [f.name for f in own if f.default is missing and f.default_factory is missing]
        hints = {f.name: hints.get(f.name, Any) for f in own}
    else:
        keys: frozenset[str] = getattr(record, "__required_keys__", frozenset())
        required = [name for name, hint in hints.items() if name in keys and not _may_be_left_out(hint)]
    schemas = {n: _limited(schema_of(h, around), notes.get(n, [])) for n, h in hints.items()}
    return Schema(
        kind="dict",
        fields={name: schema for name, schema in schemas.items() if schema != NOTHING},
        required=tuple(required),
    )


def _may_be_left_out(hint: Any) -> bool:
    # Where annotations are texts, Python itself does not notice this.
    return typing.get_origin(hint) in (typing.NotRequired, typing_extensions.NotRequired)


def _of_choices(members: tuple[Any, ...]) -> Schema:
    values = [member.value if isinstance(member, Enum) else member for member in members]
    given = [value for value in values if value is not None]
    if not given or len(given) > _MAX_CHOICES or not all(map(_is_plain, given)):
        return NOTHING
    return Schema(choices=tuple(given), nullable=len(given) < len(values))


def _is_plain(value: Any) -> bool:
    return type(value) in (str, bool) or _is_number(value)


def _is_number(value: Any) -> bool:
    if type(value) not in (int, float):
        return False
    return abs(value) <= LARGEST and isfinite(value)


def _is_length(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _limited(schema: Schema, notes: Iterable[Any]) -> Schema:
    """The schema with the limits that `notes` state, where they fit its kind."""
    stated: dict[str, Any] = {}
    for note in _flat(notes):
        match note:
            case limits.Ge(ge=limit) if _is_number(limit):
                stated["ge"] = limit
            case limits.Gt(gt=limit) if _is_number(limit):
                stated["gt"] = limit
            case limits.Le(le=limit) if _is_number(limit):
                stated["le"] = limit
            case limits.Lt(lt=limit) if _is_number(limit):
                stated["lt"] = limit
            case limits.MinLen(min_length=length) if _is_length(length):
                stated["min_len"] = length
            case limits.MaxLen(max_length=length) if _is_length(length):
                stated["max_len"] = length
            case _:
                pass
    return schema.model_copy(update=stated) if stated else schema


def _flat(notes: Iterable[Any]) -> Iterator[Any]:
    for note in notes:
        if isinstance(note, FieldInfo):
            yield from _flat(note.metadata)
        elif isinstance(note, limits.GroupedMetadata):
            yield from _flat(note)
        else:
            yield note
