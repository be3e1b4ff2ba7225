"""How a run ended, in lines for stdout; and the whole story of a run, from its events."""

import time
from collections.abc import Sequence

from easynet.agents.run_account import RunAccount
from easynet.agents.wording import (
    GoOn,
    answer_option,
    format_time,
    go_on,
    measurements,
    one_line,
    printable,
    sentence,
    state_label,
    status_label,
)
from easynet.cli.render_line import (
    caveat_lines,
    colon,
    follow,
    percentage,
    question_lines,
    stopped_line,
    totals,
)
from easynet.cli.render_wrap import terminal_columns, wrap_prose
from easynet.cli.streams import write
from easynet.core.events import (
    ApprovalAnswered,
    ApprovalRequested,
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    ModelFellBack,
    Problem,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
    SubtaskFinished,
)
from easynet.core.language import Language, say
from easynet.core.quantities import format_credits
from easynet.core.result import RunResult, replay


def result_lines(result: RunResult, language: Language = "en") -> list[str]:
    """The result for a person: the data used first, the run's id last."""
    return [line for line, _ in _lines(result, language)]


def print_result(result: RunResult, language: Language = "en") -> None:
    """The result on stdout: wrapped where that is a terminal, otherwise one line an item."""
    write("\n".join(_rows(result, language)))


def _rows(result: RunResult, language: Language) -> list[str]:
    width = terminal_columns()
    lines = _lines(result, language)
    return [
        row for line, is_prose in lines for row in (wrap_prose(line, width) if width and is_prose else [line])
    ]


def _lines(result: RunResult, language: Language) -> list[tuple[str, bool]]:
    """Each line, and whether it is prose: a path is not."""
    trouble = [] if result.ok else _result_trouble(result, language)
    blocks = [
        [(one_line(line), True) for line in result.headline if line.strip()],
        [(line, True) for line in trouble],
        [(line, True) for line in _metrics(result, language)],
        [(line, False) for line in _files(result, language)],
    ]
    spent = f"{format_credits(result.cost, language)} · {format_time(result.duration_s, language)}"
    tail = say(language, f"Run {result.run_id} · {spent}", f"运行 {result.run_id} · {spent}")
    return [line for block in blocks if block for line in (*block, ("", False))] + [(tail, True)]


def _result_trouble(result: RunResult, language: Language) -> list[str]:
    further = go_on(result.run_id, result.status, result.problem, language, plan=result.plan)
    return _trouble(status_label(result.status, language), result.problem, further, language)


def _trouble(label: str, problem: Problem | None, further: GoOn | None, language: Language) -> list[str]:
    """What went wrong, and what to do next."""
    lines = [f"{label}{colon(language)}{sentence(one_line(problem.message))}" if problem else label]
    if problem and problem.hint:
        lines += [line for line in printable(problem.hint).splitlines() if line.strip()]
    return [*lines, "".join(further)] if further else lines


def _metrics(result: RunResult, language: Language) -> list[str]:
    return [
        f"{label}{colon(language)}{value}" + (f" ({interval})" if interval else "")
        for label, value, interval in measurements(result.metrics, language)
    ]


def _files(result: RunResult, language: Language) -> list[str]:
    files = [(one_line(name), path) for name, path in result.files.items()]
    if result.report is not None:
        files.append((say(language, "Report", "报告"), result.report))
    return [f"{name}{colon(language)}{printable(path.absolute())}" for name, path in files]


def run_story(events: Sequence[RunEvent], *, is_running: bool = True) -> str:
    """A readable account of a run, finished or not: what was asked, plan, troubles, money, result.

    `is_running` is False where no process works on it any longer, so that nothing in it still runs.
    """
    account = RunAccount.of(events)
    if not is_running:
        account.stop()
    language = account.language
    head = f"{account.run_id}{colon(language)}{one_line(account.goal)}"
    if account.started_at is not None:
        began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(account.started_at))
        head += say(language, f"\nStarted {began}", f"\n开始于 {began}")
    blocks = [
        head,
        _plan_block(account),
        _happened(account, events),
        _money(account),
        _ending(account, events),
    ]
    return "\n\n".join(block for block in blocks if block)


def _plan_block(account: RunAccount) -> str:
    from easynet.cli.render_table import steps_table  # rich: only where a table is drawn

    if not account.steps:
        return ""
    return "\n".join([totals(account), steps_table(account), *caveat_lines(account)])


def _happened(account: RunAccount, events: Sequence[RunEvent]) -> str:
    """What did not go straight, with times; a question that is still open comes at the end of the story."""
    language = account.language
    worth_telling = (
        AttemptFailed | ApprovalAnswered | ApprovalRequested | ModelFellBack | QuestionAsked | Replanned
    )
    told = [
        (at, line)
        for at, event, line in follow(events)
        if (isinstance(event, worth_telling) or _is_detour(event))
        and not (isinstance(event, QuestionAsked | ApprovalRequested) and event.question is account.question)
    ]
    cut_short = [
        (attempt.ended_s or 0.0, stopped_line(step, attempt, language))
        for step in account.steps.values()
        for attempt in step.sent
        if attempt.outcome == "stopped"
    ]
    # Stable: an attempt that was cut short comes before the resumption at the same time on the run's clock.
    lines = [f"  {format_time(at, language):>8}  {line}" for at, line in sorted(cut_short + told, key=_time)]
    return "\n".join([say(language, "On the way:", "途中："), *lines]) if lines else ""


def _is_detour(event: RunEvent) -> bool:
    """Whether it tells who took over: another process, another node, or one beside the first."""
    match event:
        case RunStarted():
            return event.resumed
        case AttemptStarted():
            return event.attempt > 1  # older journals do not say why
        case AttemptCancelled():
            return event.why == "superseded"  # what was stopped is told with all that was
        case SubtaskFinished():
            return bool(event.confirmed_by)
        case _:
            return False


def _time(told: tuple[float, str]) -> float:
    return told[0]


def _money(account: RunAccount) -> str:
    language = account.language
    paid = format_credits(account.paid, language)
    if account.schedule is None:
        return say(language, f"Paid {paid}", f"支付 {paid}") if account.paid else ""
    estimated = format_credits(account.estimate, language)
    return say(language, f"Paid {paid} of an estimated {estimated}", f"支付 {paid}，预计 {estimated}")


def _ending(account: RunAccount, events: Sequence[RunEvent]) -> str:
    language = account.language
    if isinstance(account.finished, RunFinished):
        return "\n".join(_rows(replay(events), language))
    further = go_on(account.run_id, None, None, language, answer=answer_option(account))
    lines = _trouble(say(language, "Not finished", "未完成"), None, further, language)
    if account.question is not None:
        lines = [*question_lines(account.question, language), *lines]
    running = [s for s in account.current if s.state == "running"]
    lines += [
        f"  {state_label(s.state, language)}{colon(language)}{one_line(s.title)}"
        + (f" {percentage(a.fraction)}" if (a := s.running) and a.fraction is not None else "")
        for s in running
    ]
    return "\n".join(lines)
