"""Why a run ended although it was planned anew: what failed first, what was tried, and what would help."""

from collections.abc import Sequence

from easynet.core.errors import Infeasible, OverBudget
from easynet.core.events import Problem
from easynet.core.ids import RunId
from easynet.core.language import Language, say
from easynet.planners.replan import Repair
from easynet.planners.run_state import Failure


def diagnosis(
    failures: Sequence[Failure], repair: Repair | None, language: Language, run_id: RunId
) -> Problem:
    """The problem of a run whose plan failed for good. `repair` says why there is no other plan; without one
    the run has planned anew too often.
    """
    root = failures[0]
    hints = (root.problem.hint, _why(failures, repair, language), _help(root, language, run_id))
    return Problem(
        code=_code(root, repair),
        message=_sentences([_said(root, language), *_then(failures[1:], language)], language),
        hint=" ".join(h for h in hints if h),
        relaxations=(repair.relaxation,) if repair is not None and repair.relaxation is not None else (),
    )


def _code(root: Failure, repair: Repair | None) -> str:
    if repair is None or repair.status != "infeasible":
        return root.problem.code
    return OverBudget.code if repair.more_credits and not repair.more_s else Infeasible.code


def _said(root: Failure, language: Language) -> str:
    name, message = repr(root.subtask.id), root.problem.message
    return message if name in message else say(language, f"{name}: {message}", f"{name}：{message}")


def _then(failures: Sequence[Failure], language: Language) -> list[str]:
    """A clause for each plan that was tried after the first, with what failed in it."""
    return [
        say(language, f"planned anew, and {_said(f, language)}", f"重新规划后，{_said(f, language)}")
        for f in failures
    ]


def _sentences(parts: Sequence[str], language: Language) -> str:
    return say(language, "; ", "；").join(p.rstrip(".。") for p in parts)


def _why(failures: Sequence[Failure], repair: Repair | None, language: Language) -> str:
    if repair is not None:
        return repair.why
    times = len(failures) - 1
    return say(language, f"The run planned anew {times} times.", f"本次运行已重新规划 {times} 次。")


def _help(root: Failure, language: Language, run_id: RunId) -> str:
    """What somebody can do about the root."""
    what, resume = repr(root.subtask.capability), f"`easynet runs resume {run_id}`"
    where = ", ".join(root.nodes)
    mend_en = f"Mend {what} on {where}" if where else f"Start a node that offers {what}"
    mend_zh = f"请修复 {where} 上的 {what}" if where else f"请启动提供 {what} 的节点"
    more_en, more_zh = (
        (", or start another node that offers it", "，或启动另一个提供它的节点") if where else ("", "")
    )
    return say(
        language,
        f"{mend_en}{more_en}; then {resume} goes on from what is finished.",
        f"{mend_zh}{more_zh}；然后用 {resume} 从已完成的部分继续。",
    )
