"""Sections put together into one report."""

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import DataSource, Report, Section

_LINES_PER_SECTION = 3


@contribute(
    en="Compose the final report: its sections in order, a title, the data used and the main findings first.",
    zh="汇编最终报告：各部分依次排列，标题、所用数据和主要发现放在最前面。",
    specialization="reporting",
    role="present",
    tags=("report", "summary", "findings", "document", "报告", "总结", "汇总", "结论", "文档"),
    examples=("write a report", "生成一份报告"),
    price=1,
    expected_s=0.2,
)
def compose_report(source: DataSource, sections: list[Section], language: Language = "en") -> Report:
    """One report; its first line names the data, and says so where it is demo data."""
    ordered = sorted(sections, key=lambda s: (s["order"], s["title"]))
    first = ordered[0]["title"] if ordered else say(language, "Report", "报告")
    headline = source_lines(source, language)
    for section in ordered:
        headline.extend(section["headline"][:_LINES_PER_SECTION])
    separator = say(language, ": ", "：")
    return Report(
        title=f"{first}{separator}{source['name']}", source=source, headline=headline, sections=ordered
    )


def source_lines(source: DataSource, language: Language) -> list[str]:
    """Which data was used; for demo data also what it is and is not."""
    name, rows, columns = source["name"], f"{source['rows']:,}", source["columns"]
    if not source["is_demo"]:
        return [
            say(
                language,
                f"Data: {name} ({rows} rows, {columns} columns).",
                f"数据：{name}（{rows} 行，{columns} 列）。",
            )
        ]
    named = say(
        language,
        f"Demo data: {name} ({rows} rows, {columns} columns), not yours.",
        f"演示数据：{name}（{rows} 行，{columns} 列），不是您的数据。",
    )
    return [named, *filter(None, [source["note"]])]
