"""Tables as they enter: a user's file, read and named."""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.contribution import contribute
from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.core.report import DataSource
from easynet.specialists.libraries import require
from easynet.specialists.text_file import TextFile, read_text_file

if TYPE_CHECKING:
    import pandas as pd

_MISSING = ["", "NaN", "nan", "null", "NULL", "N/A", "n/a", "#N/A", "#DIV/0!", "?", "-", "--", "缺失"]


class RawTable(TypedDict):
    """A table as it was found."""

    frame: "pd.DataFrame"
    notes: list[str]
    """What had to be done to read it, as sentences."""


class Loaded(TypedDict):
    """A table and where it comes from."""

    table: RawTable
    source: DataSource


@contribute(
    en="Load a table: the user's own CSV or text file; encoding and delimiter are found out.",
    zh="读取数据表：用户自己的 CSV 或文本文件，自动识别编码和分隔符。",
    specialization="data-analysis",
    tags=("csv", "file", "read", "import", "open", "dataset", "读取", "导入", "文件", "数据", "表格"),
    examples=("load my data from a csv file", "读取我的数据文件"),
    price=1,
    expected_s=0.5,
)
def load_table(data: Path, language: Language = "en") -> Loaded:
    """A user's delimited text file as a table.

    Raises BadData where the file is missing, empty, binary, not a table, or ragged.
    """
    require("pandas")
    path = Path(data)
    file = read_text_file(path, language)
    frame, layout = _parse(file, path.name, language)
    notes = _notes(file, layout, language)
    frame.columns = _unique_names([str(c) for c in file.header], frame.shape[1])
    if len(frame) == 0:
        raise BadData(
            say(
                language,
                f"The file {path.name!r} has a header line but no rows.",
                f"文件 {path.name!r} 只有表头，没有数据行。",
            )
        )
    source = DataSource(
        name=path.name, is_demo=False, rows=len(frame), columns=frame.shape[1], note=" ".join(notes)
    )
    return Loaded(table=RawTable(frame=frame, notes=notes), source=source)


def _parse(file: TextFile, name: str, language: Language) -> "tuple[pd.DataFrame, _Layout]":
    import pandas as pd  # heavy

    if len(file.header) < 2 and not _is_one_column_of_numbers(file.text):
        raise BadData(
            say(
                language,
                f"The file {name!r} does not look like a table: no comma, semicolon, tab or | splits its"
                " lines"
                " into columns.",
                f"文件 {name!r} 看起来不是表格：逗号、分号、制表符和竖线都无法把各行分成多列。",
            ),
            hint=say(language, "Give a CSV file with at least two columns.", "请提供至少有两列的 CSV 文件。"),
        )
    if all(_is_number(cell) for cell in file.header):
        raise BadData(
            say(
                language,
                f"The first line of {name!r} holds numbers, not the names of columns.",
                f"{name!r} 的第一行是数字，而不是列名。",
            ),
            hint=say(language, "Add a first line that names the columns.", "请在第一行写上各列的名称。"),
        )
    layout = _layout(file, name, language)
    try:
        frame = pd.read_csv(
            StringIO(file.text),
            sep=file.delimiter,
            header=None,
            skiprows=layout.header_lines,
            names=range(layout.width),
            index_col=False,
            keep_default_na=False,
            na_values=_MISSING,
            skipinitialspace=True,
            low_memory=False,
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(len(file.header))), layout
    # What lies beyond the header is known to be empty: a delimiter at the end of each line.
    return frame.iloc[:, : len(file.header)].copy(), layout


@dataclass(frozen=True)
class _Layout:
    header_lines: int
    width: int
    """Of the widest line, in fields."""
    short_lines: int
    """Lines with fewer fields than the header."""


def _layout(file: TextFile, name: str, language: Language) -> _Layout:
    """How the lines are divided; raises BadData where a line has more values than the header has names."""
    expected = len(file.header)
    reader = csv.reader(StringIO(file.text), delimiter=file.delimiter, skipinitialspace=True)
    header_lines, width, short = 0, expected, 0
    try:
        for row in reader:
            if not row:
                continue
            if not header_lines:
                header_lines = reader.line_num
                continue
            if len(row) > expected and any(cell.strip() for cell in row[expected:]):
                raise _ragged(reader.line_num, len(row), expected, name, language)
            width = max(width, len(row))
            short += len(row) < expected
    except csv.Error as error:
        raise BadData(
            say(
                language,
                f"Line {reader.line_num} of {name!r} cannot be split into fields: {error}.",
                f"{name!r} 第 {reader.line_num} 行无法拆分成字段：{error}。",
            ),
            hint=say(language, "Look for a quote that is never closed.", "请检查是否有未闭合的引号。"),
        ) from error
    return _Layout(header_lines, width, short)


def _ragged(line: int, saw: int, expected: int, name: str, language: Language) -> BadData:
    return BadData(
        say(
            language,
            f"Line {line} of {name!r} has {saw} fields where the header has {expected}.",
            f"{name!r} 第 {line} 行有 {saw} 个字段，而表头有 {expected} 个。",
        ),
        hint=say(
            language,
            'Put quotes ("...") around values that contain the delimiter, and remove stray lines.',
            '请给含有分隔符的值加上引号（"..."），并删除多余的行。',
        ),
    )


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"\s*[+-]?\d+([.,]\d+)?\s*", cell))


def _is_one_column_of_numbers(text: str) -> bool:
    cells = [line.strip() for line in text.splitlines()[1:] if line.strip()]
    return bool(cells) and sum(_is_number(c) for c in cells) > 0.8 * len(cells)


def _unique_names(header: list[str], width: int) -> list[str]:
    names: list[str] = []
    for position in range(width):
        name = header[position].strip() or f"column {position + 1}"
        count = 2
        unique = name
        while unique in names:
            unique, count = f"{name} ({count})", count + 1
        names.append(unique)
    return names


def _notes(file: TextFile, layout: _Layout, language: Language) -> list[str]:
    notes: list[str] = []
    if file.encoding != "utf-8":
        notes.append(
            say(language, f"The file was read as {file.encoding}.", f"文件按 {file.encoding} 编码读取。")
        )
    if layout.short_lines:
        notes.append(
            say(
                language,
                f"{layout.short_lines} line(s) have fewer fields than the header; the rest counts as"
                " missing.",
                f"有 {layout.short_lines} 行的字段比表头少，缺少的部分按缺失值处理。",
            )
        )
    twice = [name for name, count in Counter(h.strip() for h in file.header).items() if count > 1 and name]
    if twice:
        listed = ", ".join(sorted(twice))
        notes.append(
            say(
                language,
                f"Some column names occur more than once and were numbered: {listed}.",
                f"有重复的列名，已加上编号：{listed}。",
            )
        )
    return notes
