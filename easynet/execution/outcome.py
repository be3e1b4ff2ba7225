"""How the execution of a task graph ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from easynet.core.errors import EasyNetError
from easynet.core.events import Problem, Question, Status
from easynet.core.ids import SubtaskId
from easynet.core.language import Language


@dataclass(frozen=True)
class Outcome:
    """What the runner hands back."""

    status: Status
    """`succeeded`, `failed`, `needs_input` or `over_budget`."""
    problem: Problem | None = None
    """Why not; `None` where it succeeded."""
    question: Question | None = None
    """What a function has to know before it can go on."""
    failed: SubtaskId | None = None
    """The subtask that ended it, where one did."""
    values: Mapping[SubtaskId, Any] = field(default_factory=dict[SubtaskId, Any])
    """The results of all finished subtasks, those finished earlier too."""


def problem_of(error: EasyNetError, language: Language = "en") -> Problem:
    """The error as data, in `language` where the error can be said in it."""
    message, hint = error.in_language(language)
    return Problem(code=error.code, message=message, hint=hint, relaxations=error.relaxations)
