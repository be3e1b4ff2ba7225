"""What follows a failed attempt: another one, or a diagnosis."""

from collections.abc import Sequence

from easynet.core.errors import DeadlinePassed, SubtaskFailed, WrongResult
from easynet.core.events import Problem
from easynet.core.ids import NodeId, SubtaskId
from easynet.core.language import Language, say
from easynet.execution.outcome import problem_of
from easynet.execution.state import State
from easynet.execution.stimuli import Failed

MAX_ATTEMPTS_A_NODE = 2
_MAX_REMOTE_FAILURES = 2
NEVER_RAN = frozenset({"not_started", "node_refused", "overloaded", "privacy_breach"})
"""Codes of attempts that nobody took."""


def may_retry(state: State, failure: Failed) -> bool:
    """Whether the subtask may be tried once more after its latest `failure`."""
    if failure.subtask in state.once and failure.problem.code not in NEVER_RAN:
        return False
    codes = [f.problem.code for f in state.failures[failure.subtask]]
    is_spent = len(codes) >= state.rules.attempts or codes.count("remote_failure") >= _MAX_REMOTE_FAILURES
    return failure.retryable and not is_spent


def diagnosis(state: State, failure: Failed) -> Problem:
    """Why a subtask is given up whose latest attempt ended in `failure`."""
    if not failure.retryable:
        return failure.problem
    language = state.rules.language
    count = len(state.failures[failure.subtask])
    times = "once" if count == 1 else f"{count} times"
    who, where, why = repr(failure.subtask), repr(failure.node), failure.problem.message
    message = say(
        language,
        f"{who} failed {times}, last on {where}: {why}",
        f"{who} 失败了 {count} 次，最后一次在 {where} 上：{why}",
    )
    if failure.subtask in state.once and failure.problem.code not in NEVER_RAN:
        message += say(
            language,
            " (it may have run there and must not run twice, so it was not sent again)",
            "（它可能已经在那里运行过，且不能运行两次，因此没有再次发送）",
        )
    return Problem(code=SubtaskFailed.code, message=message, hint=failure.problem.hint)


def may_have_run(subtask: SubtaskId, language: Language) -> Problem:
    """Why a subtask is not begun that must not run twice."""
    message = say(
        language,
        f"{subtask!r} must not run twice, and an earlier attempt at it may have run",
        f"{subtask!r} 不能运行两次，而之前的一次尝试可能已经运行",
    )
    return Problem(code=SubtaskFailed.code, message=message)


def disagreement(subtask: SubtaskId, nodes: Sequence[NodeId], language: Language) -> Problem:
    """Why a subtask is given up whose results differ from node to node."""
    message = say(
        language,
        f"{', '.join(map(repr, nodes))} gave different results for {subtask!r}",
        f"{'、'.join(map(repr, nodes))} 对 {subtask!r} 给出了不同的结果",
    )
    hint = say(
        language,
        "Run it on a node that you trust, or ask for no quality.",
        "请在您信任的节点上运行，或不要求质量。",
    )
    return Problem(code=WrongResult.code, message=message, hint=hint)


def outvoted(node: NodeId, subtask: SubtaskId, language: Language) -> Problem:
    """Why the result of an attempt does not count."""
    message = say(
        language,
        f"other nodes came to another result for {subtask!r} than {node!r}",
        f"对于 {subtask!r}，其他节点得出了与 {node!r} 不同的结果",
    )
    return Problem(code=WrongResult.code, message=message)


def too_late(unfinished: int, count: int, language: Language) -> Problem:
    """Why an execution is stopped whose time is over."""
    late = DeadlinePassed(
        f"the deadline passed with {unfinished} of {count} subtasks unfinished",
        hint="Resume the run, or give it more time.",
        zh=f"期限已过，{count} 个子任务中有 {unfinished} 个未完成",
        hint_zh="请恢复该运行，或给它更多时间。",
    )
    return problem_of(late, language)
