"""A node's functions: which there are, what they offer, and how they are called."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from easynet.core.capability import Capability
from easynet.core.contribution import contributed
from easynet.core.errors import ArgumentMismatch, UsageError
from easynet.core.signature import capability_of, record_adapters
from easynet.fabric.functions.isolated_target import Target
from easynet.fabric.wire.names import checked_name

Manner = Literal["sync", "async", "generator", "async generator"]


@dataclass(frozen=True)
class Function:
    """A function with what it offers."""

    call: Callable[..., Any]
    capability: Capability
    manner: Manner
    """How it is run: in a thread or on the loop, for one result or for items."""
    records: Mapping[str, TypeAdapter[Any]]
    """By parameter, what makes objects of the records that arrive."""
    target: Target | None = None
    """Where another process finds it, if it is to run in one."""

    def checked(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as the function takes them; raises ArgumentMismatch where they do not fit."""
        if not self._surely_fit(args, kwargs) and (problem := self.capability.mismatch(tuple(args), kwargs)):
            raise ArgumentMismatch(problem)
        return self.with_objects(args, kwargs) if self.records else (args, kwargs)

    def _surely_fit(self, args: list[Any], kwargs: dict[str, Any]) -> bool:
        """Whether a quick look suffices: all by position, or all by name."""
        fewest, most, required, accepted = self._shape
        if not kwargs:
            return fewest <= len(args) <= most
        return not args and required <= kwargs.keys() <= accepted

    @cached_property
    def _shape(self) -> tuple[int, int, frozenset[str], frozenset[str]]:
        """How many arguments may come by position alone, and which must and may come by name alone."""
        named = [p for p in self.capability.parameters if not p.is_variadic]
        by_position = [p for p in named if not p.is_keyword_only]
        fewest = sum(p.required for p in by_position)
        if any(p.required and p.is_keyword_only for p in named):
            fewest = len(by_position) + 1
        required = frozenset(p.name for p in named if p.required)
        accepted = frozenset(p.name for p in named if not p.is_positional_only)
        return fewest, len(by_position), required, accepted

    def with_objects(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with objects where the function takes such; raises ArgumentMismatch."""
        named = [p.name for p in self.capability.parameters if not p.is_keyword_only and not p.is_variadic]
        objects = [self._object(name, value) for name, value in zip(named, args, strict=False)]
        return [*objects, *args[len(objects) :]], {k: self._object(k, v) for k, v in kwargs.items()}

    def _object(self, name: str, value: Any) -> Any:
        if name not in self.records:
            return value
        try:
            return self.records[name].validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (name, *first["loc"])))
            raise ArgumentMismatch(f"{self.capability.name}: {where!r}: {first['msg']}") from error

    @property
    def blocks(self) -> bool:
        """Whether it needs a thread, or a process."""
        return self.target is not None or self.manner in ("sync", "generator")


def function_of(call: Callable[..., Any], name: str | None, fields: dict[str, Any]) -> Function:
    """A function as it is registered; raises UsageError where it cannot be.

    `fields` take precedence over what `@contribute` said, and that over what the signature says.
    """
    if not callable(call):
        raise UsageError(
            f"{call!r} is not a function", hint="Register a function: node.register(my_function)."
        )
    own_name = checked_name("function", name or _contributed_name(call) or getattr(call, "__name__", None))
    marked = contributed(call)
    try:
        if marked is None:
            capability = capability_of(_code(call), own_name, **fields)
        else:
            capability = Capability.model_validate({**marked.model_dump(), **fields, "name": own_name})
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{own_name} cannot be registered: {error}", hint="Wrap it in a function of your own."
        ) from error
    return Function(call, capability, _manner(_code(call)), record_adapters(_code(call)))


def _contributed_name(call: Callable[..., Any]) -> str | None:
    marked = contributed(call)
    return marked.name if marked is not None else None


def _code(call: Callable[..., Any]) -> Callable[..., Any]:
    """What is run when `call` is called: itself, or the method of an object that can be called."""
    if inspect.isroutine(call) or inspect.isclass(call):
        return call
    method: Callable[..., Any] = getattr(call, "__call__")  # noqa: B004, B009 (not whether, but which)
    return method


def _manner(code: Callable[..., Any]) -> Manner:
    if inspect.isasyncgenfunction(code):
        return "async generator"
    if inspect.isgeneratorfunction(code):
        return "generator"
    return "async" if inspect.iscoroutinefunction(code) else "sync"
