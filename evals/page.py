"""A report as one HTML file that needs nothing else: no network, no script."""

from functools import cache
from importlib.resources import files

from easynet.agents.report_html import Html, el, join, raw
from evals.drawing import draw
from evals.report import Measure, Report, SuiteReport

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MORE_STYLE = """
main { max-width: 80rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
tr.baseline { color: var(--soft); }
td.wrong { color: var(--bad); font-weight: 650; }
figure { margin: 2rem 0; }
"""


def page(report: Report) -> str:
    """The page of a report."""
    title = "EasyNet evals, in short" if report.short else "EasyNet evals"
    head = el(
        "head",
        raw('<meta charset="utf-8"/>'),
        el("meta", http_equiv="Content-Security-Policy", content=raw(_POLICY)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("style", raw(_style() + _MORE_STYLE)),
    )
    body = el("main", el("header", el("h1", title)), *map(_section, report.suites))
    return f"<!doctype html>\n{el('html', head, el('body', body), lang='en')}\n"


@cache
def _style() -> str:
    """That of the reports of runs."""
    return files("easynet.agents").joinpath("report_page.css").read_text("utf-8")


def _section(suite: SuiteReport) -> Html:
    return el(
        "section",
        el("h2", f"{suite.suite}: {suite.title}"),
        el("div", _table(suite), class_="wide"),
        *(el("p", note, class_="quiet") for note in suite.notes),
        *(el("figure", el("figcaption", plot.title), draw(plot)) for plot in suite.plots),
    )


def _table(suite: SuiteReport) -> Html:
    head = el("tr", el("th", ""), *(el("th", m.name) for m in suite.measures))
    rows = [
        el(
            "tr",
            el("td", label),
            *(_cell(m, row.get(m.name), judged=label in suite.judged) for m in suite.measures),
            class_="baseline" if label in suite.baselines else None,
        )
        for label, row in suite.rows.items()
    ]
    return el("table", el("thead", head), el("tbody", join(*rows)))


def _cell(measure: Measure, value: float | None, *, judged: bool) -> Html:
    is_wrong = judged and value is not None and measure.must_be not in (None, value)
    return el("td", measure.shown(value), class_="wrong" if is_wrong else None)
