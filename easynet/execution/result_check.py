"""Whether a result is what its function promised."""

from collections.abc import Mapping
from typing import Any, Final

from easynet.core.capability import Capability, TypeRef
from easynet.core.errors import WrongResult
from easynet.core.events import Problem
from easynet.core.language import Language, say
from easynet.core.schema import NOTHING, Kind, Schema
from easynet.core.schema_words import counted
from easynet.execution.result_flaw import Search
from easynet.execution.result_kind import kind_of, length_of
from easynet.execution.result_words import told

_BY_NAME: Final[Mapping[str, Kind]] = {
    "str": "str", "int": "int", "float": "float", "bool": "bool", "bytes": "bytes", "dict": "dict",
    "list": "list", "none": "none", "File": "File",
}  # fmt: skip


def problem_with(
    capability: Capability, value: Any, arguments: Mapping[str, Any], language: Language
) -> Problem | None:
    """Why `value`, as it came from a node, cannot be a result of `capability`; `None` where it can.

    `value` has its references and extensions undecoded; of a streaming function it is the list of items.
    What cannot be seen so, such as the rows of a large table, counts as right. The time taken grows with the
    size of `value` and no faster.
    """
    flaw = Search().flaw_in(value, _promised(capability))
    message = told(capability.name, flaw, language) if flaw else _lost(capability, value, arguments, language)
    if not message:
        return None
    return Problem(
        code=WrongResult.code,
        message=message,
        hint=say(
            language,
            "Another node may do better; otherwise whoever contributes it has to mend it or its annotations.",
            "可由其他节点再试；否则需要贡献者修正该函数或其类型注解。",
        ),
    )


def _lost(capability: Capability, value: Any, arguments: Mapping[str, Any], language: Language) -> str:
    """That rows were lost or added, as a sentence; "" where none were, or where that cannot be seen."""
    of = capability.keeps_rows
    if of not in arguments:
        return ""
    before, after = _rows(arguments[of]), _rows(value)
    if before is None or after is None or before == after:
        return ""
    kind = kind_of(value)
    due, given = counted(before, kind, language), counted(after, kind, language)
    return say(
        language,
        f"{capability.name!r} promised as many as {of!r} has, {due}, and gave {given}",
        f"{capability.name!r} 承诺与 {of!r} 一样多，即 {due}，而实际给出 {given}",
    )


def _rows(value: Any) -> int | None:
    return length_of(value) if kind_of(value) in ("list", "table", "column", "array") else None


def _promised(capability: Capability) -> Schema:
    """What a capability's result has to be. Of one that an older node offers, only its type is known."""
    if capability.returns != NOTHING:
        return capability.returns
    schema = _coarse(capability.output)
    return Schema(kind="list", items=schema) if capability.streaming else schema


def _coarse(output: TypeRef) -> Schema:
    """What a type's name alone says: `X | None` has that of `X`, and `list[list[X]]` that of `list[X]`."""
    if output.many:
        return Schema(kind="list", nullable=True)
    if output.fields:
        return Schema(kind="dict", nullable=True)
    return Schema(kind=_BY_NAME.get(output.name, "any"), nullable=True)
