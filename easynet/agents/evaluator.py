"""Whether the work is as good as was asked for, by what the run itself measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose, isfinite
from typing import Any

from easynet.agents.wording import metric_label
from easynet.core.capability import Capability, Role
from easynet.core.errors import QualityNotMet, WrongResult
from easynet.core.events import Problem
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import Bound
from easynet.core.language import Language, say
from easynet.core.task_graph import Subtask, TaskGraph

_ROUNDED, _ROUNDED_SHARE = 0.005, 0.01
"""By how much a claim may differ from what is measured: it may have been rounded to two digits."""


def measured(
    graph: TaskGraph, catalogue: Mapping[CapabilityName, Capability], values: Mapping[SubtaskId, Any]
) -> dict[str, float]:
    """The metrics that the checking steps of a run gave, by name.

    The interval of `x`, where there is one, is given by `x_low` and `x_high`.
    """
    metrics: dict[str, float] = {}
    for subtask in graph.subtasks:
        capability = catalogue.get(subtask.capability)
        value = values.get(subtask.id)
        if capability is None or capability.role is not Role.CHECK or not isinstance(value, dict):
            continue
        metrics |= _numbers(value.get("metrics"))
        for name, interval in _items(value.get("intervals")):
            if isinstance(interval, list) and len(interval) == 2:
                metrics |= _numbers({f"{name}_low": interval[0], f"{name}_high": interval[1]})
    return metrics


@dataclass(frozen=True)
class Contradiction:
    """A step claimed a metric of its result, and the step that checks this result measured another."""

    subtask: SubtaskId
    """The one that claimed it."""
    problem: Problem


def contradiction(
    graph: TaskGraph,
    catalogue: Mapping[CapabilityName, Capability],
    values: Mapping[SubtaskId, Any],
    language: Language,
) -> Contradiction | None:
    """The first claim that its check does not bear out, or `None`.

    A result claims what its part `claims` holds: numbers by metric that a check of this very result is to
    measure. A claim holds where it is within the check's interval, or is the measured number rounded.
    """
    for check in graph.subtasks:
        capability, found = catalogue.get(check.capability), values.get(check.id)
        if capability is None or capability.role is not Role.CHECK or not isinstance(found, dict):
            continue
        metrics, intervals = _numbers(found.get("metrics")), dict(_items(found.get("intervals")))
        for source in sorted(check.needs):
            result = values.get(source)
            claims = _numbers(result.get("claims")) if isinstance(result, dict) else {}
            for name in sorted(claims.keys() & metrics.keys()):
                if not _holds(claims[name], metrics[name], intervals.get(name)):
                    problem = _contradicted(name, source, claims[name], check, metrics[name], language)
                    return Contradiction(source, problem)
    return None


def _holds(claimed: float, found: float, interval: Any) -> bool:
    if isclose(claimed, found, rel_tol=_ROUNDED_SHARE, abs_tol=_ROUNDED):
        return True
    match interval:
        case [int() | float() as low, int() | float() as high]:
            return low <= claimed <= high
        case _:
            return False


def _contradicted(
    name: str, claimant: SubtaskId, claimed: float, check: Subtask, found: float, language: Language
) -> Problem:
    metric = metric_label(name, language)
    return Problem(
        code=WrongResult.code,
        message=say(
            language,
            f"{claimant!r} claimed {metric} {claimed:.3f}, and {check.id!r} measured {found:.3f}",
            f"{claimant!r} 声称{metric}为 {claimed:.3f}，而 {check.id!r} 测得 {found:.3f}",
        ),
        hint=say(
            language,
            "Another node may do better; otherwise whoever contributes it has to mend what it claims.",
            "可由其他节点再试；否则需要贡献者修正其声称的指标。",
        ),
    )


def _items(value: Any) -> list[tuple[Any, Any]]:
    return [*value.items()] if isinstance(value, dict) else []


def _numbers(value: Any) -> dict[str, float]:
    """The finite numbers of a mapping: a result may hold anything."""
    return {str(k): float(v) for k, v in _items(value) if isinstance(v, int | float) and isfinite(v)}


def shortfall(
    metrics: Mapping[str, float], quality: Mapping[str, Bound], language: Language
) -> Problem | None:
    """The first measured quality that misses its bound, or `None`."""
    for name, bound in quality.items():
        if name in metrics and not bound.holds(metrics[name]):
            return Problem(
                code=QualityNotMet.code,
                message=say(
                    language,
                    f"{metric_label(name, language)} is {metrics[name]:.3f}, but {bound} was asked for",
                    f"{metric_label(name, language)}为 {metrics[name]:.3f}，而要求是 {bound}",
                ),
                hint=say(
                    language,
                    "The results were kept. More or better data helps most; or lower the requirement.",
                    "结果已保留。更多或更好的数据最有帮助；也可以放宽要求。",
                ),
            )
    return None


def unmeasured(metrics: Mapping[str, float], quality: Mapping[str, Bound], language: Language) -> list[str]:
    """A sentence for each quality that was asked for and that nothing in the run measured."""
    return [
        say(
            language,
            f"{metric_label(name, language)} {bound} was asked for, but nothing in this run measures it.",
            f"要求{metric_label(name, language)} {bound}，但本次运行没有测量它。",
        )
        for name, bound in quality.items()
        if name not in metrics
    ]
