"""The report of a run as one HTML file that needs nothing else: no network, no script."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from easynet.agents.provenance import assumptions
from easynet.agents.report_course import course
from easynet.agents.report_findings import caveats, code_in, data_line, headline, hint, metrics, sections
from easynet.agents.report_html import Html, el, join, raw
from easynet.agents.run_account import RunAccount
from easynet.agents.wording import answer_option, go_on, one_line, sentence, status_label
from easynet.core.events import RunEvent, Status
from easynet.core.language import Language, say
from easynet.core.report import Report

_CALM: frozenset[Status | None] = frozenset({None, "needs_input", "cancelled"})
"""Ends that are nobody's failure."""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def render_page(events: Sequence[RunEvent], report: Report | None, language: Language) -> str:
    """The page for a run, finished or not; every text from outside is escaped."""
    account = RunAccount.of(events)
    title = (
        one_line(report["title"] if report else "")
        or one_line(account.goal)
        or say(language, "EasyNet run", "EasyNet 运行")
    )
    lines = _headline(account, report)
    finished = account.finished
    body = el(
        "main",
        el(
            "header",
            el("p", say(language, "EasyNet report", "EasyNet 报告"), class_="eyebrow"),
            el("h1", title),
            data_line(lines[0], report["source"] if report else None, language) if lines else None,
        ),
        _outcome(account, language),
        headline(lines[1:]),
        caveats((*account.caveats, *assumptions(account, language)), language),
        metrics(finished.metrics, language) if finished else None,
        sections(report) if report else None,
        course(account, events, language),
        _footer(account, language),
    )
    head = el(
        "head",
        raw('<meta charset="utf-8"/>'),
        el("meta", http_equiv="Content-Security-Policy", content=raw(_POLICY)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("style", raw(_style())),
    )
    page = el("html", head, el("body", body), lang=say(language, "en", "zh-CN"))
    return f"<!doctype html>\n{page}\n"


@cache
def _style() -> str:
    return files("easynet.agents").joinpath("report_page.css").read_text("utf-8")


def _headline(account: RunAccount, report: Report | None) -> list[str]:
    """The report's lines, then those of the run's last event alone; the note on the data stands apart."""
    lines = [
        *(report["headline"] if report else ()),
        *(account.finished.headline if account.finished else ()),
    ]
    note = report["source"]["note"] if report else ""
    return list(dict.fromkeys(line for line in lines if line.strip() and line != note))


def _outcome(account: RunAccount, language: Language) -> Html | None:
    """What went wrong and what to do next; nothing where all went well."""
    finished = account.finished
    if finished is not None and finished.status == "succeeded":
        return None
    status: Status | None = finished.status if finished else None
    title = status_label(status, language) if status else say(language, "Not finished", "未完成")
    problem = finished.problem if finished else None
    question = account.question if status in (None, "needs_input") else None
    further = go_on(
        account.run_id, status, problem, language, plan=account.graph, answer=answer_option(account)
    )
    is_said = problem is not None and question is not None and question.text == problem.message
    is_trouble = status not in _CALM
    return el(
        "aside",
        el("h2", title),
        el("p", code_in(sentence(problem.message))) if problem else None,
        el("p", question.text) if question and not is_said else None,
        el("ul", *(el("li", choice) for choice in question.choices))
        if question and question.choices
        else None,
        hint(problem.hint) if problem and problem.hint else None,
        el("p", further.words, el("code", further.command)) if further else None,
        class_="notice notice-problem" if is_trouble else "notice",
        aria_label=title,
    )


def _footer(account: RunAccount, language: Language) -> Html:
    made = f"EasyNet {account.version}".strip()
    return el(
        "footer",
        join(
            say(
                language,
                f"Made by {made} from the events of run ",
                f"由 {made} 根据运行记录生成，运行编号 ",
            ),
            el("code", account.run_id),
            say(language, ".", "。"),
        ),
    )
