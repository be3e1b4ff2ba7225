"""Attempts beside each other: which was faster, and which came to the same result, in words."""

from collections.abc import Iterable

from easynet.agents.run_step import Attempt, Step
from easynet.agents.wording import format_time, one_line
from easynet.core.language import Language, say


def compared(step: Step, language: Language) -> list[str]:
    """How the attempt that counts did against the others; nothing where it was alone."""
    if step.winner is None:
        return []
    slower = _nodes(a for a in step.sent if a.outcome == "superseded")
    agreeing = _nodes(a for a in step.sent if a.outcome == "confirmed")
    told: list[str] = []
    if slower:
        names = _listed(slower, language)
        told.append(say(language, f"faster than {names}", f"比 {names} 更快"))
    if agreeing:
        names = _listed(agreeing, language)
        told.append(say(language, f"confirmed by {names}", f"{names} 得到相同结果"))
    return told


def tried(step: Step, language: Language) -> list[str]:
    """How many attempts one after the other a step took, and how those beside each other compared."""
    count = sum(a.reason not in ("hedge", "opinion") for a in step.tries)
    counted = [say(language, f"{count} attempts", f"{count} 次尝试")] if count > 1 else []
    return [*counted, *compared(step, language)]


def why_beside(step: Step, attempt: Attempt, language: Language) -> str:
    """Why an attempt was begun while there was another one; "" where there was none."""
    if attempt.reason == "opinion":
        return say(language, "for a second opinion", "由它再算一次以便核对")
    if attempt.reason != "hedge":
        return ""
    slow = _nodes(a for a in step.sent if a.outcome == "running" and a is not attempt)
    if not slow:
        return say(language, "as a second try", "作为第二次尝试")
    names = _listed(slow, language)
    return say(language, f"beside {names}, which takes long", f"{names} 耗时较长，与它同时进行")


def overtaken(step: Step, attempt: Attempt, language: Language) -> str:
    """That another attempt was faster, and which."""
    took = format_time(max(0.0, (attempt.ended_s or 0.0) - attempt.started_s), language)
    if step.winner is None:
        return say(language, f"overtaken after {took}", f"{took}后被赶超")
    node = one_line(step.winner.node)
    return say(language, f"overtaken by {node} after {took}", f"{took}后被 {node} 赶超")


def _nodes(attempts: Iterable[Attempt]) -> list[str]:
    return [*dict.fromkeys(one_line(a.node) for a in attempts)]


def _listed(names: list[str], language: Language) -> str:
    return say(language, " and ".join(names), "和".join(names))
