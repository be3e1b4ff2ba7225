"""How a run ended, in lines for stdout; and the whole story of a run, from its events."""

import time
from collections.abc import Sequence

from easynet.agents.run_account import RunAccount
from easynet.agents.wording import (
    format_number,
    format_time,
    metric_label,
    one_line,
    printable,
    resume_command,
    state_label,
    status_label,
)
from easynet.cli.render_line import caveat_lines, follow, percentage, question_lines, totals
from easynet.core.events import (
    ApprovalRequested,
    AttemptFailed,
    ModelFellBack,
    Problem,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
    Status,
)
from easynet.core.ids import RunId
from easynet.core.language import Language, say
from easynet.core.quantities import format_credits
from easynet.core.result import RunResult, replay


def result_lines(result: RunResult, language: Language = "en") -> list[str]:
    """The result for a person: the data used first, the run's id last."""
    lines = [] if result.ok else _trouble(result.status, result.problem, result.run_id, language)
    found = [one_line(line) for line in result.headline if line.strip()]
    lines = [*found, *([""] if found and lines else []), *lines]
    for block in (_metrics(result, language), _files(result, language)):
        lines += [""] * bool(block and lines) + block
    spent = f"{format_credits(result.cost, language)} · {format_time(result.duration_s, language)}"
    tail = say(language, f"Run {result.run_id} · {spent}", f"运行 {result.run_id} · {spent}")
    return [*lines, "", tail] if lines else [tail]


def _trouble(status: Status | None, problem: Problem | None, run: RunId, language: Language) -> list[str]:
    """What went wrong, and what to do next."""
    label = status_label(status, language) if status else say(language, "Not finished", "未完成")
    lines = [f"{label}: {one_line(problem.message)}" if problem else label]
    if problem and problem.hint:
        lines += [line for line in printable(problem.hint).splitlines() if line.strip()]
    if command := resume_command(run, status, problem):
        lines.append(say(language, f"Go on with: {command}", f"继续：{command}"))
    return lines


def _metrics(result: RunResult, language: Language) -> list[str]:
    bounds = {f"{name}_{end}" for name in result.metrics for end in ("low", "high")}
    lines: list[str] = []
    for name, value in result.metrics.items():
        if name in bounds:
            continue
        low, high = result.metrics.get(f"{name}_low"), result.metrics.get(f"{name}_high")
        interval = (
            f" ({format_number(low)} – {format_number(high)})" if low is not None and high is not None else ""
        )
        colon = say(language, ": ", "：")
        lines.append(f"{metric_label(name, language)}{colon}{format_number(value)}{interval}")
    return lines


def _files(result: RunResult, language: Language) -> list[str]:
    lines = [f"{one_line(name)}: {printable(path.absolute())}" for name, path in result.files.items()]
    if result.report is not None:
        lines.append(say(language, "Report: ", "报告：") + printable(result.report.absolute()))
    return lines


def run_story(events: Sequence[RunEvent]) -> str:
    """A readable account of a run, finished or not: what was asked, plan, troubles, money, result."""
    account = RunAccount.of(events)
    language = account.language
    head = f"{account.run_id}: {one_line(account.goal)}"
    if account.started_at is not None:
        began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(account.started_at))
        head += say(language, f"\nStarted {began}", f"\n开始于 {began}")
    blocks = [
        head,
        _plan_block(account),
        _happened(events, language),
        _money(account),
        _ending(account, events),
    ]
    return "\n\n".join(block for block in blocks if block)


def _plan_block(account: RunAccount) -> str:
    from easynet.cli.render_table import steps_table  # rich: only where a table is drawn

    if not account.steps:
        return ""
    return "\n".join([totals(account), steps_table(account), *caveat_lines(account)])


def _happened(events: Sequence[RunEvent], language: Language) -> str:
    """What did not go straight, with times."""
    worth_telling = AttemptFailed | ApprovalRequested | ModelFellBack | QuestionAsked | Replanned
    lines = [
        f"  {format_time(at, language):>8}  {line}"
        for at, event, line in follow(events)
        if isinstance(event, worth_telling) or (isinstance(event, RunStarted) and event.resumed)
    ]
    return "\n".join([say(language, "On the way:", "途中："), *lines]) if lines else ""


def _money(account: RunAccount) -> str:
    language = account.language
    paid = format_credits(account.paid, language)
    if account.schedule is None:
        return say(language, f"Paid {paid}", f"支付 {paid}") if account.paid else ""
    estimated = format_credits(account.schedule.price, language)
    return say(language, f"Paid {paid} of an estimated {estimated}", f"支付 {paid}，预计 {estimated}")


def _ending(account: RunAccount, events: Sequence[RunEvent]) -> str:
    language = account.language
    if isinstance(account.finished, RunFinished):
        return "\n".join(result_lines(replay(events), language))
    lines = _trouble(None, None, account.run_id, language)
    if account.question is not None:
        lines = [*question_lines(account.question, language), *lines]
    running = [s for s in account.current if s.state == "running"]
    lines += [
        f"  {state_label(s.state, language)}: {one_line(s.title)}"
        + (f" {percentage(a.fraction)}" if (a := s.running) and a.fraction is not None else "")
        for s in running
    ]
    return "\n".join(lines)
