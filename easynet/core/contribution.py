"""`@contribute`: say what a function offers to the network, and leave the function as it is."""

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, overload

from easynet.core.capability import Capability, Role
from easynet.core.signature import capability_of

P = ParamSpec("P")
R = TypeVar("R")

_MARK = "__easynet_capability__"


@overload
def contribute(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def contribute(
    *,
    en: str = ...,
    zh: str = ...,
    name: str | None = ...,
    specialization: str = ...,
    tags: Sequence[str] = ...,
    examples: Sequence[str] = ...,
    role: Role | str = ...,
    price: int = ...,
    expected_s: float = ...,
    idempotent: bool = ...,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def contribute(
    function: Callable[P, R] | None = None,
    /,
    *,
    en: str = "",
    zh: str = "",
    name: str | None = None,
    specialization: str = "",
    tags: Sequence[str] = (),
    examples: Sequence[str] = (),
    role: Role | str = Role.WORK,
    price: int = 1,
    expected_s: float = 1.0,
    idempotent: bool = True,
) -> Any:
    """Mark a function as a capability that nodes can offer and planners can find.

    The function stays callable as before. `en` and `zh` describe it in English and Chinese; without
    either, its docstring does. `price` is in credits for one call, `expected_s` in seconds.
    """

    def mark(marked: Callable[P, R]) -> Callable[P, R]:
        stated: dict[str, Any] = {
            "specialization": specialization,
            "tags": tuple(tags),
            "examples": tuple(examples),
            "role": Role(role),
            "price": price,
            "expected_s": expected_s,
            "idempotent": idempotent,
        }
        if en or zh:
            stated["description"] = {k: v for k, v in (("en", en), ("zh", zh)) if v}
        setattr(marked, _MARK, capability_of(marked, name, **stated))
        return marked

    return mark if function is None else mark(function)


def contributed(function: Callable[..., Any]) -> Capability | None:
    """The capability that `@contribute` gave to `function`, if it did."""
    return getattr(function, _MARK, None)
