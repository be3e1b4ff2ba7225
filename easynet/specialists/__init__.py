"""Functions that ship with EasyNet and do the work: medical, data analysis, forecasting, reporting.

They are plain functions. Importing their modules is cheap; what they need is imported when they run.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from easynet.core.contribution import contributed

_HOME = "easynet.specialists"

NODES: Mapping[str, tuple[str, ...]] = {
    "data-analysis": (
        f"{_HOME}.table_io",
        f"{_HOME}.profile",
        f"{_HOME}.cleaning",
        f"{_HOME}.splitting",
        f"{_HOME}.correlations",
        f"{_HOME}.outliers",
        f"{_HOME}.groups",
    ),
    "medical": (
        f"{_HOME}.demo_data",
        f"{_HOME}.one_class",
        f"{_HOME}.supervised",
        f"{_HOME}.choosing",
        f"{_HOME}.evaluation",
    ),
    "forecasting": (
        f"{_HOME}.sales",
        f"{_HOME}.trend",
        f"{_HOME}.forecast",
        f"{_HOME}.opportunities",
    ),
    "reporting": (
        f"{_HOME}.present_sales",
        f"{_HOME}.present_profile",
        f"{_HOME}.present_correlations",
        f"{_HOME}.present_outliers",
        f"{_HOME}.present_groups",
        f"{_HOME}.present_detector",
        f"{_HOME}.present_trend",
        f"{_HOME}.present_forecast",
        f"{_HOME}.present_opportunities",
        f"{_HOME}.report",
    ),
}
"""The logical nodes, and the modules whose functions each offers."""


def functions(node: str) -> list[Callable[..., Any]]:
    """The contributed functions of a logical node, in the order of its modules.

    Raises KeyError for a name that is not in `NODES`.
    """
    found: list[Callable[..., Any]] = []
    for name in NODES[node]:
        module = import_module(name)
        for value in vars(module).values():
            if contributed(value) is not None and value.__module__ == name:
                found.append(value)
    return found
