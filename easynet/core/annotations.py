"""The annotations of a function or a class, evaluated where that is possible."""

import builtins
import inspect
import typing
from typing import Any


class Named:
    """Stands for a name that is only imported for type checkers, such as `pd.DataFrame`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> "Named":
        if name.startswith("__"):  # `typing` asks what kind of type it is
            raise AttributeError(name)
        return Named(name)

    def __getitem__(self, item: object) -> "Named":
        return self

    def __or__(self, other: object) -> Any:
        return self if other is None else typing.Any

    __ror__ = __or__

    def __call__(self, *_: object) -> None:
        """`typing` accepts only callables as annotations."""


class _Names(dict[str, Any]):
    """The names an annotation may use; an unknown one stands for itself.

    Heavy libraries are imported inside functions, so their names are missing when a signature is read.
    """

    def __init__(self, module: dict[str, Any]) -> None:
        super().__init__(vars(builtins))
        self.update(module)

    def __missing__(self, key: str) -> Named:
        return Named(key)


def hints_of(thing: Any, *, with_extras: bool = False) -> dict[str, Any]:
    """The annotations by name; `with_extras` keeps what `Annotated` says besides the type."""
    module = inspect.getmodule(thing)
    names = getattr(thing, "__globals__", None) or (vars(module) if module else {})
    return typing.get_type_hints(thing, globalns={}, localns=_Names(names), include_extras=with_extras)
