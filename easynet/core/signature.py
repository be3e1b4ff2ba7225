"""From a Python function to its capability: parameters, types and descriptions read off the signature."""

import dataclasses
import inspect
import types
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue, TypeAdapter
from typing_extensions import is_typeddict

from easynet.core.annotations import Named, hints_of
from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.declared_schema import result_schema
from easynet.core.ids import CapabilityName
from easynet.core.language import language_of

ANY = TypeRef(name="any")
_STREAMS = (Iterator, AsyncIterator, Iterable, AsyncIterable, Generator, AsyncGenerator)


def type_ref(hint: Any, depth: int = 0) -> TypeRef:
    """The nominal type that an annotation stands for; `X | None` counts as `X`."""
    if isinstance(hint, Named):
        return TypeRef(name=hint.name)
    if hint in (Any, inspect.Parameter.empty, object):
        return ANY
    if hint is None or hint is type(None):
        return TypeRef(name="none")
    if hint is Path:
        return TypeRef(name="File")
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        options = [a for a in args if a is not type(None)]
        return type_ref(options[0], depth) if len(options) == 1 else ANY
    if origin is typing.Literal:
        return TypeRef(name=type(args[0]).__name__)
    if origin in (list, tuple, set, frozenset) and args:
        return type_ref(args[0], depth).model_copy(update={"many": True})
    if origin is not None:
        return TypeRef(name=getattr(origin, "__name__", "any"))
    is_record = is_typeddict(hint) or dataclasses.is_dataclass(hint) or hasattr(hint, "model_fields")
    fields = {k: type_ref(v, depth + 1) for k, v in hints_of(hint).items()} if is_record and depth < 3 else {}
    return TypeRef(name=getattr(hint, "__name__", "any"), fields=fields)


def record_adapters(function: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    """By parameter, what makes objects again of the records that come over the network.

    Only dataclasses and pydantic models need it: a TypedDict is the dictionary that comes.
    """
    return {name: TypeAdapter(hint) for name, hint in hints_of(function).items() if _holds_objects(hint)}


def _holds_objects(hint: Any) -> bool:
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, BaseModel)):
        return True
    return any(_holds_objects(part) for part in typing.get_args(hint))


def _choices(hint: Any) -> tuple[str, ...]:
    """The words of `Literal["a", "b"]`, also where it is optional."""
    args = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return tuple(word for word in args if isinstance(word, str))
    return next((found for part in args if (found := _choices(part))), ())


def _plain(default: Any) -> JsonValue:
    return default if isinstance(default, str | int | float | bool) else None


def _parameter(p: inspect.Parameter, hints: dict[str, Any]) -> Parameter:
    variadic = p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    return Parameter(
        name=p.name,
        type=type_ref(hints.get(p.name, Any)),
        required=p.default is p.empty and not variadic,
        default=None if p.default is p.empty else _plain(p.default),
        choices=_choices(hints.get(p.name, Any)),
        is_variadic=variadic,
        is_positional_only=p.kind is p.POSITIONAL_ONLY,
        is_keyword_only=p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD),
    )


def capability_of(function: Callable[..., Any], name: str | None = None, **stated: Any) -> Capability:
    """Describe `function` as a capability; `stated` fields take precedence over what is read off it.

    The description defaults to the first paragraph of the docstring, or to the name in words.
    """
    hints = hints_of(function)
    own_name = name or function.__name__
    doc = (inspect.getdoc(function) or own_name.replace("_", " ")).split("\n\n")[0].replace("\n", " ")
    stated.setdefault("description", {language_of(doc): doc})
    streaming = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    returned = hints.get("return", Any)
    if streaming and typing.get_origin(returned) in _STREAMS:
        returned = typing.get_args(returned)[0]
    return Capability(
        name=CapabilityName(own_name),
        parameters=tuple(_parameter(p, hints) for p in inspect.signature(function).parameters.values()),
        output=type_ref(returned),
        returns=result_schema(function, _STREAMS),
        streaming=streaming,
        **stated,
    )
