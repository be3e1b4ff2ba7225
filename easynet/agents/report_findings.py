"""What a run found, as HTML: the data used, the headline, the metrics and the report's sections."""

import base64
import re
import struct
from collections.abc import Mapping, Sequence
from itertools import groupby

from easynet.agents.report_html import Child, Html, el, join, raw, text
from easynet.agents.wording import COMMAND, Measurement, columns, format_number, measurements
from easynet.core.language import Language, say
from easynet.core.report import DataSource, Figure, Report, Section, TableView

_NAME_COLUMNS = 22
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def data_line(line: str, source: DataSource | None, language: Language) -> Html:
    """Which data was used, with a mark where it is not the user's own."""
    if source is None:
        return el("p", line, class_="data-line")
    mark = (
        say(language, "Demo data", "演示数据")
        if source["is_demo"]
        else say(language, "Your data", "您的数据")
    )
    kind = "mark-demo" if source["is_demo"] else "mark-own"
    # The line often says so itself; the mark takes those words' place.
    line = re.sub(rf"^{mark}\s*[:：]\s*", "", line, flags=re.IGNORECASE)
    about = [] if source["name"] in line else [_size(source, language)]
    about += [source["note"]] if source["note"] else []
    return join(
        el("p", el("strong", mark, class_=f"badge {kind}"), " ", line, class_="data-line"),
        el("p", " ".join(about), class_="data-note") if about else None,
    )


def _size(source: DataSource, language: Language) -> str:
    rows, columns = f"{source['rows']:,}", f"{source['columns']:,}"
    size = say(language, f"{rows} rows, {columns} columns.", f"{rows} 行，{columns} 列。")
    return f"{source['name']} · {size}"


def prose(paragraph: str) -> Html:
    """A paragraph, with the commands and code in it set as such."""
    return el("p", code_in(paragraph))


def code_in(words: str) -> Html:
    """`words` with what stands between backticks, and a command after a colon, set as code."""
    pieces: list[Child] = []
    at = 0
    for match in COMMAND.finditer(words):
        pieces += [words[at : match.start()], el("code", match.group().strip("`"))]
        at = match.end()
    return join(*pieces, words[at:])


def hint(words: str) -> Html:
    """What to do next: paragraphs, and a list where lines begin with a hyphen."""
    blocks: list[Html] = []
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    for is_item, group in groupby(lines, key=lambda line: line.startswith("- ")):
        if is_item:
            blocks.append(el("ul", *(el("li", code_in(line[2:])) for line in group)))
        else:
            blocks += [prose(line) for line in group]
    return join(*blocks)


def headline(lines: Sequence[str]) -> Html | None:
    """The findings, the first of them larger."""
    if not lines:
        return None
    rest = el("ul", *(el("li", line) for line in lines[1:]), class_="headline") if lines[1:] else None
    return join(el("p", lines[0], class_="lead"), rest)


def caveats(lines: Sequence[str], language: Language) -> Html | None:
    """What the plan does not do although the words asked for it."""
    if not lines:
        return None
    title = say(language, "What this does not do", "本次没有做到的")
    return el(
        "aside",
        el("h2", title),
        el("ul", *(el("li", line) for line in lines)),
        class_="notice",
        aria_label=title,
    )


def metrics(measured: Mapping[str, float], language: Language) -> Html | None:
    """A card for each measurement; `x_low` and `x_high` become the interval of `x`."""
    if not measured:
        return None
    cards = [_card(measurement) for measurement in measurements(measured, language)]
    title = say(language, "Measured", "测量结果")
    note = say(
        language,
        "On data that was not used for any choice.",
        "在未用于任何选择的数据上测得。",
    )
    return el(
        "section",
        el("h2", title),
        el("dl", *cards, class_="metrics"),
        el("p", note, class_="quiet"),
        class_="measured",
    )


def _card(measurement: Measurement) -> Html:
    interval = el("dd", measurement.interval, class_="interval") if measurement.interval else None
    return el("div", el("dt", measurement.label), el("dd", measurement.value), interval)


def sections(report: Report) -> Html:
    """The report's parts, in their order."""
    return join(*(_section(s) for s in sorted(report["sections"], key=lambda s: s["order"])))


def _section(section: Section) -> Html:
    return el(
        "section",
        el("h2", section["title"]),
        *(prose(paragraph) for paragraph in section["text"]),
        *(figure_html(f) for f in section["figures"]),
        *(table_html(t) for t in section["tables"]),
    )


def figure_html(figure: Figure) -> Html | None:
    """A plot; one that is not a PNG file is left out."""
    png = figure["png"]
    if not png.startswith(_PNG_SIGNATURE) or len(png) < 33:
        return None
    width, height = struct.unpack(">II", png[16:24])
    image = el(
        "img",
        src=raw("data:image/png;base64," + base64.b64encode(png).decode("ascii")),
        alt=figure["alt"] or figure["title"],
        width=width,
        height=height,
    )
    return el("figure", image, el("figcaption", figure["title"]) if figure["title"] else None, class_="plot")


def table_html(table: TableView) -> Html:
    """A table whose number columns are right-aligned."""
    numeric = [
        bool(table["rows"]) and all(isinstance(row[n], int | float) for row in table["rows"] if n < len(row))
        for n in range(len(table["columns"]))
    ]
    head = [
        el("th", name, scope="col", class_="number" if is_number else None)
        for name, is_number in zip(table["columns"], numeric, strict=True)
    ]
    rows = [el("tr", *(_cell(value) for value in row[: len(numeric)])) for row in table["rows"]]
    return el(
        "div",
        el(
            "table",
            el("caption", table["title"]) if table["title"] else None,
            el("thead", el("tr", *head)),
            el("tbody", *rows),
        ),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label=table["title"] or ", ".join(table["columns"]),
    )


def name_class(words: str) -> str | None:
    """The class of a cell whose words stay in one line, where they are short enough for a narrow screen."""
    return "name" if columns(words) <= _NAME_COLUMNS else None


def _cell(value: str | int | float) -> Html:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return el("td", text(value), class_=name_class(str(value)))
    shown = format_number(value) if isinstance(value, float) else f"{value:,}"
    return el("td", shown, class_="number")
