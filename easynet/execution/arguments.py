"""From bindings to values: the arguments of a call."""

from collections.abc import Mapping
from typing import Any, assert_never, cast

from easynet.core.capability import Capability
from easynet.core.errors import ArgumentMismatch, InputNeeded
from easynet.core.ids import SubtaskId
from easynet.core.language import Language, say
from easynet.core.task_graph import FromInput, FromSubtask, Gathered, Given, Subtask
from easynet.core.typed_input import typed_input


def arguments(
    subtask: Subtask,
    capability: Capability,
    inputs: Mapping[str, Any],
    values: Mapping[SubtaskId, Any],
    *,
    language: Language = "en",
) -> dict[str, Any]:
    """What the function is called with, by parameter; inputs that are text are read as its types.

    Raises InputNeeded, with a question in `language`, where the intent lacks an input; ArgumentMismatch where
    one cannot be read or an output lacks a part.
    """
    found: dict[str, Any] = {}
    for name, binding in subtask.arguments.items():
        match binding:
            case Given():
                found[name] = binding.value
            case FromInput():
                if binding.name in inputs:
                    parameter = capability.parameter(name)
                    given = inputs[binding.name]
                    found[name] = typed_input(given, parameter, binding.name) if parameter else given
                elif not binding.optional:
                    asks = say(
                        language,
                        f"{subtask.capability} needs {binding.name!r}. What is it?",
                        f"{subtask.capability} 需要 {binding.name!r}，应取什么值？",
                    )
                    raise InputNeeded(binding.name, asks)
            case FromSubtask():
                found[name] = _part(subtask, binding, values)
            case Gathered():
                found[name] = [_part(subtask, item, values) for item in binding.items]
            case _:
                assert_never(binding)
    return found


def _part(subtask: Subtask, source: FromSubtask, values: Mapping[SubtaskId, Any]) -> Any:
    value = values[source.subtask]
    for key in source.path:
        if not isinstance(value, Mapping) or key not in value:
            raise ArgumentMismatch(
                f"{subtask.id!r} needs {'.'.join(source.path)!r} of {source.subtask!r}, "
                f"whose result has no {key!r}"
            )
        value = cast("Mapping[str, Any]", value)[key]
    return value
