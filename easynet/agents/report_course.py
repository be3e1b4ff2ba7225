"""How a run went, as HTML: facts, task graph, timeline, steps and money."""

import time
from collections.abc import Sequence

from easynet.agents.provenance import provenance
from easynet.agents.report_findings import name_class
from easynet.agents.report_graph import draw_graph
from easynet.agents.report_html import Html, el, join
from easynet.agents.report_timeline import draw_timeline
from easynet.agents.rivals import compared, overtaken
from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import Step
from easynet.agents.wording import (
    answer_words,
    format_time,
    irreversible,
    one_line,
    sentence,
    shorten,
    state_label,
    status_label,
    step_names,
    steps_on_nodes,
    unended,
)
from easynet.core.events import ApprovalAnswered, ApprovalRequested, ModelFellBack, Replanned, RunEvent
from easynet.core.language import Language, say
from easynet.core.quantities import format_credits

_OPEN_TABLE_ROWS = 40
"""A longer table starts folded."""
_PROBLEM_COLUMNS = 300


def course(account: RunAccount, events: Sequence[RunEvent], language: Language) -> Html:
    """The second half of the page."""
    return el(
        "section",
        el("h2", say(language, "How this was done", "过程"), id="how"),
        _facts(account, language),
        _notes(account, events, language),
        _titled(say(language, "The plan", "计划"), draw_graph(account, language)),
        _titled(say(language, "The run", "运行"), draw_timeline(account, language)),
        _titled(say(language, "Steps", "步骤"), _steps(account, language)),
        _titled(say(language, "Money", "费用"), _money(account, language)),
        class_="course",
        aria_labelledby="how",
    )


def _titled(title: str, content: Html | None) -> Html | None:
    return join(el("h3", title), content) if content else None


def _facts(account: RunAccount, language: Language) -> Html:
    done, total = account.count("succeeded"), len(account.current)
    facts = {
        say(language, "Asked for", "要求"): account.goal,
        say(language, "Result", "结果"): status_label(account.finished.status, language)
        if account.finished
        else say(language, "Not finished", "未完成"),
        say(language, "Plan", "计划"): steps_on_nodes(account, language) if total else "",
        say(language, "Planned", "规划依据"): sentence(provenance(account, language)),
        say(language, "Done", "完成"): say(language, f"{done} of {total} steps", f"{done} / {total} 个步骤")
        if done < total
        else "",
        say(language, "Time", "用时"): _time(account, language),
        say(language, "Cost", "费用"): format_credits(account.paid, language),
        say(language, "Language model", "语言模型"): _models(account, language),
        say(language, "Started", "开始"): time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(account.started_at))
        if account.started_at is not None
        else "",
        say(language, "Run", "运行编号"): account.run_id,
        say(language, "Version", "版本"): f"EasyNet {account.version}" if account.version else "",
    }
    rows = [el("div", el("dt", name), el("dd", value)) for name, value in facts.items() if value]
    return el("dl", *rows, class_="facts")


def _time(account: RunAccount, language: Language) -> str:
    took = format_time(account.now_s, language)
    if account.schedule is None:
        return took
    expected = format_time(account.schedule.duration_s, language)
    return say(language, f"{took} (estimated {expected})", f"{took}（预计 {expected}）")


def _models(account: RunAccount, language: Language) -> str:
    """Which models were asked, how much they read and wrote, and what that cost as far as it is known."""
    calls = account.model_calls
    if not calls:
        return ""
    models = ", ".join(dict.fromkeys(one_line(call.model) for call in calls))
    tokens = sum(call.input_tokens + call.output_tokens for call in calls)
    cached = sum(call.cached_tokens for call in calls)
    is_priced = any(call.price is not None for call in calls)
    unknown = say(language, "price unknown", "价格未知")
    cost = format_credits(account.paid_for_models, language) if is_priced else unknown
    times = say(language, f"{len(calls)} answer{'s' * (len(calls) != 1)}", f"{len(calls)} 次回答")
    told = say(
        language,
        f"{tokens:,} tokens, {cached:,} of them cached",
        f"{tokens:,} 个词元，其中 {cached:,} 个来自缓存",
    )
    return " · ".join((models, times, told, cost))


def _notes(account: RunAccount, events: Sequence[RunEvent], language: Language) -> Html | None:
    """What did not go straight, in sentences."""
    notes: list[str] = []
    for event in events:
        match event:
            case ModelFellBack():
                notes.append(
                    say(
                        language,
                        f"The language model {event.model} did not serve ({unended(event.reason)}); "
                        "the offline planner took over.",
                        f"语言模型 {event.model} 未能提供服务（{unended(event.reason)}），改用离线规划。",
                    )
                )
            case Replanned():
                notes.append(say(language, f"Planned anew: {event.reason}", f"重新规划：{event.reason}"))
            case ApprovalRequested():
                notes.append(_asked(event, language))
            case ApprovalAnswered():
                notes.append(answer_words(event, language) + say(language, ".", "。"))
            case _:
                pass
    if not account.is_complete:
        notes.append(say(language, "The plan was not complete.", "计划尚未完成。"))
    return el("ul", *(el("li", note) for note in notes), class_="quiet") if notes else None


def _asked(event: ApprovalRequested, language: Language) -> str:
    """What somebody had to agree to."""
    price = format_credits(event.price, language)
    steps = step_names(event.steps, language)
    en = f" of {steps}" if steps else ""
    zh = f"批准 {steps}" if steps else "批准"
    return say(language, f"Approval{en} was asked for, at {price}.", f"已请求{zh}，价格为 {price}。")


def _steps(account: RunAccount, language: Language) -> Html | None:
    steps = list(account.steps.values())
    if not steps:
        return None
    head = [
        el("th", say(language, en, zh), scope="col", class_="number" if is_number else None)
        for en, zh, is_number in (
            ("Step", "步骤", False),
            ("Node", "节点", False),
            ("State", "状态", False),
            ("Attempts", "尝试", True),
            ("Time", "用时", True),
            ("Credits", "积分", True),
        )
    ]
    table = el(
        "div",
        el("table", el("thead", el("tr", *head)), el("tbody", *(_row(s, language) for s in steps))),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label=say(language, "Steps", "步骤"),
    )
    if len(steps) <= _OPEN_TABLE_ROWS:
        return table
    return el(
        "details", el("summary", say(language, f"All {len(steps)} steps", f"全部 {len(steps)} 个步骤")), table
    )


def _row(step: Step, language: Language) -> Html:
    state = state_label(step.state, language)
    if not step.is_current:
        state += say(language, ", replaced", "，已替换")
    colon = say(language, ": ", "：")
    problems = [
        el(
            "small",
            shorten(unended(one_line(f"{a.node}{colon}{a.problem.message}")), _PROBLEM_COLUMNS),
            class_="problem-note",
        )
        for a in step.tries
        if a.problem
    ]
    undone = [irreversible(language)] if step.is_irreversible else []
    said = [sentence(words) for words in (*undone, *_beside(step, language))]
    beside = [el("small", words, class_="beside-note") for words in said]
    return el(
        "tr",
        el(
            "td",
            step.title,
            *problems,
            *beside,
            class_=None if problems or beside else name_class(step.title),
        ),
        el("td", step.node or "–", class_=name_class(step.node)),
        el("td", el("span", state, class_=f"state state-{step.state}"), class_="name"),
        el("td", str(len(step.tries) or "–"), class_="number"),
        el(
            "td",
            format_time(step.duration_s, language) if step.duration_s is not None else "–",
            class_="number",
        ),
        el("td", _price(step, language), class_="number"),
    )


def _beside(step: Step, language: Language) -> list[str]:
    """What became of attempts beside each other: who was faster, and who came to the same result."""
    colon = say(language, ": ", "：")
    slower = [a for a in step.sent if a.outcome == "superseded"]
    lost = [f"{one_line(a.node)}{colon}{overtaken(step, a, language)}" for a in slower]
    return [*lost, *compared(step, language)]


def _price(step: Step, language: Language) -> str:
    if step.sent or step.paid:
        return f"{step.paid:,}"
    if step.estimate is None:
        return "–"
    return say(language, f"est. {step.estimate:,}", f"预计 {step.estimate:,}")


def _money(account: RunAccount, language: Language) -> Html | None:
    attempts = [a for s in account.steps.values() for a in s.attempts.values()]
    reserved = sum(a.reserved for a in attempts)
    if account.schedule is None and not reserved and not account.paid:
        return None
    amounts = [
        (say(language, "Estimated", "预计"), account.estimate if account.schedule else None),
        (say(language, "Set aside", "预留"), reserved),
        (say(language, "Paid", "支付"), account.paid),
        (say(language, "For the language model", "其中语言模型"), account.paid_for_models or None),
        (say(language, "Returned", "退回"), sum(a.returned for a in attempts)),
    ]
    rows = [
        el("div", el("dt", name), el("dd", format_credits(amount, language)))
        for name, amount in amounts
        if amount is not None
    ]
    by_node: dict[str, int] = {}
    for attempt in attempts:
        if attempt.paid:
            by_node[attempt.node] = by_node.get(attempt.node, 0) + attempt.paid
    paid_to = sorted(by_node.items(), key=lambda item: -item[1])
    separator = say(language, ", ", "，")
    to = separator.join(f"{node or '–'} {paid:,}" for node, paid in paid_to)
    note = say(language, f"Credits paid to each node: {to}.", f"各节点所得积分：{to}。")
    return join(
        el("dl", *rows, class_="facts"),
        el("p", note, class_="quiet") if to else None,
    )
