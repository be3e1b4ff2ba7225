"""`@contribute`: say what a function offers to the network, and leave the function as it is."""

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack, overload

from easynet.core.capability import Capability, Role
from easynet.core.errors import UsageError, nearest
from easynet.core.language import language_of
from easynet.core.signature import capability_of

P = ParamSpec("P")
R = TypeVar("R")

_MARK = "__easynet_capability__"


class Terms(TypedDict, total=False):
    """What may be said about a function that is offered; the rest is read off it."""

    name: str
    """Under which it is called; by default its own."""
    en: str
    """What it does, in English."""
    zh: str
    """What it does, in Chinese."""
    description: str
    """What it does, in either language; by default its docstring."""
    specialization: str
    tags: Sequence[str]
    examples: Sequence[str]
    role: Role | str
    price: int
    """Credits for one call."""
    expected_s: float
    """Seconds that one call takes."""
    idempotent: bool
    irreversible: bool
    """Its effect cannot be undone: a run asks before it calls it, and never calls it twice."""
    keeps_rows: str
    """The parameter that the result has as many rows, or items, as: it is checked."""
    aggregates: bool
    """Its result says nothing about single records of what it is given."""
    concurrency: int
    """Calls of it that run at the same time on one node; by default as many as the node says."""


def stated(terms: Terms) -> dict[str, Any]:
    """The fields of a capability that `terms` give, but for its name; raises UsageError for unknown words,
    and for those that contradict each other.
    """
    fields: dict[str, Any] = {k: v for k, v in terms.items() if k not in ("name", "en", "zh", "description")}
    for word in terms:
        if word not in Terms.__annotations__:
            raise UsageError(
                f"a function cannot be offered with {word!r}", hint=nearest(word, [*Terms.__annotations__])
            )
    if terms.get("irreversible") and terms.get("idempotent"):
        raise UsageError(
            "a function cannot be offered as both irreversible and idempotent",
            hint="Leave idempotent out: what cannot be undone is never sent twice.",
            zh="函数不能同时声明为不可撤销（irreversible）和可重复（idempotent）",
            hint_zh="请去掉 idempotent：不可撤销的操作不会发送两次。",
        )
    description = terms.get("description", "")
    texts = {language_of(description): description, "en": terms.get("en", ""), "zh": terms.get("zh", "")}
    if description:
        texts[language_of(description)] = description
    if any(texts.values()):
        fields["description"] = {language: text for language, text in texts.items() if text}
    for listed in ("tags", "examples"):
        if listed in fields:
            fields[listed] = tuple(fields[listed])
    return fields


@overload
def contribute(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def contribute(**terms: Unpack[Terms]) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def contribute(function: Callable[..., Any] | None = None, /, **terms: Unpack[Terms]) -> Any:
    """Mark a function as a capability that nodes can offer and planners can find.

    Used as `@contribute` or `@contribute(en=..., price=...)`. The function stays callable as before.
    """

    def mark(marked: Callable[P, R]) -> Callable[P, R]:
        setattr(marked, _MARK, capability_of(marked, terms.get("name"), **stated(terms)))
        return marked

    return mark if function is None else mark(function)


def contributed(function: Callable[..., Any]) -> Capability | None:
    """The capability that `@contribute` gave to `function`, if it did."""
    return getattr(function, _MARK, None)
