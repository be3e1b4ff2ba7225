"""Functions of several fields of work, for runs that are recorded: they compute what they say.

Each module is one field. `FIELDS` names them; `functions` gives what one of them offers.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from easynet.core.contribution import contributed

FIELDS = ("energy", "finance", "geometry", "logistics", "projects", "text", "timetables")


def functions(field: str) -> list[Callable[..., Any]]:
    """The contributed functions of a field, in the order of its module."""
    return [
        value
        for value in vars(import_module(f"evals.domains.{field}")).values()
        if callable(value) and contributed(value) is not None
    ]
