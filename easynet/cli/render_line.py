"""A run in plain sentences: one short line for each event that means something to a person."""

from collections.abc import Sequence
from typing import assert_never

from easynet.agents.provenance import assumptions, passed_over, provenance, worth_saying
from easynet.agents.rivals import compared, overtaken, why_beside
from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import Attempt, Step
from easynet.agents.wording import (
    about,
    answer_words,
    format_time,
    irreversible,
    one_line,
    outcome_label,
    printable,
    shorten,
    state_label,
    status_label,
    steps_on_nodes,
    unended,
)
from easynet.core.errors import InputNeeded
from easynet.core.events import (
    ApprovalAnswered,
    ApprovalRequested,
    AttemptCancelled,
    AttemptFailed,
    AttemptProgressed,
    AttemptStarted,
    IntentParsed,
    ModelAnswered,
    ModelFellBack,
    MoneyReserved,
    MoneySettled,
    NodesFound,
    PlanMade,
    Question,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
    ScheduleMade,
    SubtaskFinished,
)
from easynet.core.language import Language, say
from easynet.core.quantities import format_credits

_MOST_PLAN_LINES = 40
_PROBLEM_COLUMNS = 300


def event_line(event: RunEvent, account: RunAccount) -> str:
    """What an event says, given an account of all events up to and with it."""
    language = account.language
    match event:
        case RunStarted():
            began = say(language, "Resuming", "继续") if event.resumed else say(language, "Run", "运行")
            return f"{began} {event.run_id}{colon(language)}{one_line(event.intent.text)}"
        case ModelAnswered() | ModelFellBack():
            return _model_line(event, language)
        case Replanned():
            reason, kept = unended(one_line(event.reason)), len(event.keeps)
            en = f"; {kept} finished step{'s stay' if kept != 1 else ' stays'}" * bool(kept)
            zh = f"；保留 {kept} 个已完成的步骤" * bool(kept)
            return say(language, f"Planning anew: {reason}{en}", f"重新规划：{reason}{zh}")
        case NodesFound():
            nodes = len({offer.node for offers in event.offers.values() for offer in offers})
            return say(language, f"{nodes} node{'s' * (nodes != 1)} can do it.", f"{nodes} 个节点可以完成。")
        case ScheduleMade():
            return totals(account)
        case RunFinished():
            return status_label(event.status, language)
        case QuestionAsked() | ApprovalRequested() | ApprovalAnswered():
            return _talk_line(event, language)
        case (
            AttemptStarted() | AttemptProgressed() | AttemptFailed() | AttemptCancelled() | SubtaskFinished()
        ):
            return _attempt_line(event, account.step(event.subtask), language)
        case MoneyReserved() | MoneySettled():
            return _money_line(event, account.step(event.subtask), language)
        case IntentParsed():
            return one_line(event.parsed.text)
        case PlanMade():
            return _planning_line(event, account, language)
        case _:
            assert_never(event)


def _talk_line(event: QuestionAsked | ApprovalRequested | ApprovalAnswered, language: Language) -> str:
    """A question; or "Approved: pay_invoice"."""
    if isinstance(event, ApprovalAnswered):
        return answer_words(event, language)
    return one_line(event.question.text)


def _planning_line(event: PlanMade, account: RunAccount, language: Language) -> str:
    if not event.is_complete:
        steps = len(event.graph.subtasks)
        en = f"Planning: {steps} step{'s' * (steps != 1)} so far"
        return say(language, en, f"正在规划：目前 {steps} 个步骤")
    before = passed_over(event.passed_over, language)
    others = say(language, f" ({'; '.join(before)})", f"（{'；'.join(before)}）") if before else ""
    return f"{steps_on_nodes(account, language)} · {one_line(provenance(account, language) + others)}"


def _attempt_line(
    event: AttemptStarted | AttemptProgressed | AttemptFailed | AttemptCancelled | SubtaskFinished,
    step: Step,
    language: Language,
) -> str:
    title = one_line(step.title)
    match event:
        case AttemptStarted():
            tries = len(step.tries)
            again = say(language, f"attempt {tries}", f"第 {tries} 次") * (tries > 1)
            why = why_beside(step, step.attempt(event.attempt), language) or again
            return f"→ {title} · {one_line(event.node)}{comma(language) if why else ''}{why}"
        case AttemptProgressed():
            percent = "" if event.fraction is None else f"{percentage(event.fraction)} "
            return f"… {title} · {percent}{one_line(event.message)}".rstrip()
        case AttemptFailed():
            if event.problem.code == InputNeeded.code:
                return f"? {title} · {state_label('asking', language)}"
            problem = unended(shorten(one_line(event.problem.message), _PROBLEM_COLUMNS))
            then = say(language, "; trying again", "；将重试") if event.will_retry else ""
            return f"✗ {title} · {one_line(event.node)}{colon(language)}{problem}{then}"
        case AttemptCancelled():
            is_overtaken = event.why == "superseded"
            how = overtaken(step, step.attempt(event.attempt), language) if is_overtaken else ""
            return f"– {title} · {one_line(event.node)} · {how or outcome_label(event.why, language)}"
        case SubtaskFinished():
            took = comma(language).join([format_time(event.duration_s, language), *compared(step, language)])
            return f"✓ {title} · {one_line(event.node)} · {took}"


def stopped_line(step: Step, attempt: Attempt, language: Language) -> str:
    """An attempt that the end of the run, or of the process, cut short."""
    return f"– {one_line(step.title)} · {one_line(attempt.node)} · {outcome_label(attempt.outcome, language)}"


def colon(language: Language) -> str:
    return say(language, ": ", "：")


def comma(language: Language) -> str:
    return say(language, ", ", "，")


def _money_line(event: MoneyReserved | MoneySettled, step: Step, language: Language) -> str:
    title = one_line(step.title)
    match event:
        case MoneyReserved():
            return say(language, f"{title} · {event.amount} set aside", f"{title} · 预留 {event.amount}")
        case MoneySettled():
            en = f"{title} · {event.paid} paid, {event.returned} returned"
            return say(language, en, f"{title} · 支付 {event.paid}，退回 {event.returned}")


def _model_line(event: ModelAnswered | ModelFellBack, language: Language) -> str:
    model = one_line(event.model)
    match event:
        case ModelFellBack():
            reason = unended(one_line(event.reason))
            return say(
                language,
                f"The model {model} did not serve ({reason}); planning goes on offline.",
                f"模型 {model} 未能提供服务（{reason}），改用离线规划。",
            )
        case ModelAnswered(price=price, input_tokens=read, output_tokens=written):
            unknown = say(language, "price unknown", "价格未知")
            cost = unknown if price is None else format_credits(price, language)
            return say(
                language,
                f"The model {model} read {read:,} tokens and wrote {written:,} · {cost}",
                f"模型 {model} 读取 {read:,} 个词元，写出 {written:,} 个 · {cost}",
            )


def percentage(fraction: float) -> str:
    """ "62%"; what is out of range is brought into it."""
    return f"{round(100 * min(1.0, max(0.0, fraction)))}%"


def totals(account: RunAccount) -> str:
    """ "12 steps on 4 nodes · 34 credits ($0.34) · about 9 s"."""
    language = account.language
    parts = [steps_on_nodes(account, language)]
    if account.schedule is not None:
        parts.append(format_credits(account.estimate, language))
        parts.append(about(account.schedule.duration_s, language))
    return " · ".join(parts)


def plan_lines(account: RunAccount) -> list[str]:
    """The plan: each step with its node, price and time as estimated; and what it does not do.

    The prices come to the total above them.
    """
    language = account.language
    steps = account.current
    shown = steps if len(steps) <= _MOST_PLAN_LINES else steps[: _MOST_PLAN_LINES - 1]
    places = len(str(len(steps)))
    lines = [f"  {n:>{places}}. {_plan_line(step, language)}" for n, step in enumerate(shown, 1)]
    if left := steps[len(shown) :]:
        price = _credits(sum(s.estimate or 0 for s in left), language)
        en, zh = f"  … and {len(left)} more · {price}", f"  … 以及另外 {len(left)} 个 · {price}"
        lines.append(say(language, en, zh))
    return [*lines, *provenance_lines(account), *caveat_lines(account)]


def provenance_lines(account: RunAccount) -> list[str]:
    """Where the plan came from, unless it is simply what the functions' descriptions suggest."""
    if not worth_saying(account):
        return []
    came = one_line(provenance(account, account.language))
    return [say(account.language, f"  ({came})", f"  （{came}）")]


def caveat_lines(account: RunAccount) -> list[str]:
    """What the user should know about the plan, a line each."""
    notes = (*account.caveats, *assumptions(account, account.language))
    return [say(account.language, f"Note: {one_line(c)}", f"注意：{one_line(c)}") for c in notes]


def _plan_line(step: Step, language: Language) -> str:
    parts = [one_line(step.title)]
    if step.is_irreversible:
        parts.append(irreversible(language))
    if step.planned is not None or step.estimate is not None:
        parts.append(one_line(step.planned.node if step.planned else step.node))
        parts.append(_credits(step.estimate or 0, language))
    if step.planned is not None:
        parts.append(about(step.planned.ends_s - step.planned.starts_s, language))
    return " · ".join(parts)


def _credits(amount: int, language: Language) -> str:
    return say(language, f"{amount:,} credit{'s' * (amount != 1)}", f"{amount:,} 积分")


def question_lines(question: Question, language: Language) -> list[str]:
    """A question with its choices, so that nobody has to guess what can be answered."""
    lines = [
        f"? {line}" if n == 0 else f"  {line}" for n, line in enumerate(printable(question.text).split("\n"))
    ]
    if question.choices:
        choices = " / ".join(one_line(c) for c in question.choices)
        lines.append(say(language, f"  One of: {choices}", f"  可选：{choices}"))
    return lines


def follow(events: Sequence[RunEvent]) -> list[tuple[float, RunEvent, str]]:
    """Each event with its time on the run's clock and its line."""
    account = RunAccount()
    told: list[tuple[float, RunEvent, str]] = []
    for event in events:
        account.add(event)
        told.append((account.now_s, event, event_line(event, account)))
    return told
