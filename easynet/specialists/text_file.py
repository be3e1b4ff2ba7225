"""A text file of unknown encoding and delimiter, read."""

import codecs
import csv
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from easynet.core.errors import BadData
from easynet.core.language import Language, say

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive", "Excel 工作簿或 zip 压缩包"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "旧版 Excel 工作簿"),
    (b"\x1f\x8b", "a gzip archive", "gzip 压缩包"),
    (b"PAR1", "a Parquet file", "Parquet 文件"),
    (b"%PDF", "a PDF document", "PDF 文档"),
    (b"\x89PNG", "a PNG image", "PNG 图像"),
    (b"\xff\xd8\xff", "a JPEG image", "JPEG 图像"),
    (b"GIF8", "a GIF image", "GIF 图像"),
    (b"II*\x00", "a TIFF image", "TIFF 图像"),
)
_DELIMITERS = (",", ";", "\t", "|")
_LINES_SNIFFED = 200


@dataclass(frozen=True)
class TextFile:
    """The text of a table, and how it was written down."""

    text: str
    encoding: str
    delimiter: str
    header: list[str]


def read_text_file(path: Path, language: Language) -> TextFile:
    """Read a delimited text file; encoding and delimiter are found out.

    Raises BadData where the file is missing, empty, binary or not a table.
    """
    name = path.name
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadData(
            say(language, f"There is no file {name!r}.", f"找不到文件 {name!r}。"),
            hint=say(language, "Check the path given as data=...", "请检查 data=... 给出的路径。"),
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadData(
            say(
                language, f"The file {name!r} cannot be read: {reason}.", f"无法读取文件 {name!r}：{reason}。"
            )
        ) from error
    if not raw.strip(b" \r\n\t\x00\xef\xbb\xbf"):
        raise BadData(
            say(language, f"The file {name!r} is empty.", f"文件 {name!r} 是空的。"),
            hint=say(
                language,
                "Give a CSV file with a header line and one row per record.",
                "请提供带表头、每行一条记录的 CSV 文件。",
            ),
        )
    _refuse_binary(raw, name, language)
    text, encoding = decode(raw)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter, header = sniff(text)
    return TextFile(text, encoding, delimiter, header)


def _refuse_binary(raw: bytes, name: str, language: Language) -> None:
    what = next(((en, zh) for magic, en, zh in _MAGIC if raw.startswith(magic)), None)
    if what is None and raw[128:132] == b"DICM":
        what = ("a DICOM image", "DICOM 图像")
    is_wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if what is None and (is_wide or b"\x00" not in raw[:65536]):
        return
    en, zh = what or ("a binary file", "二进制文件")
    raise BadData(
        say(language, f"{name!r} is {en}, not a table in text form.", f"{name!r} 是{zh}，不是文本表格。"),
        hint=say(
            language,
            "Export the table as CSV (comma, semicolon or tab separated) and give that file.",
            "请把表格导出为 CSV（逗号、分号或制表符分隔）再提供。",
        ),
    )


def decode(raw: bytes) -> tuple[str, str]:
    """The text and the name of its encoding: UTF-8, UTF-16 by its mark, GB18030, otherwise Windows-1252.

    Western text often decodes as GB18030 too, but to characters outside the common GB2312 set.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace"), "utf-16"
    try:
        return raw.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        text = raw.decode("gb18030")
        foreign = {c for c in text if ord(c) > 127}
        common = sum(_is_gb2312(c) for c in foreign)
        if common >= 0.8 * len(foreign):
            return text, "gb18030"
    except UnicodeDecodeError:
        pass
    return raw.decode("cp1252", errors="replace"), "cp1252"


def _is_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def sniff(text: str) -> tuple[str, list[str]]:
    """The delimiter that splits most lines into the same number (>1) of fields, and the first line's fields.

    A comma where none does, which then gives a single column.
    """
    sample = "\n".join(text.split("\n", _LINES_SNIFFED)[:_LINES_SNIFFED])
    best, best_header, best_score = ",", [text.strip().split("\n", 1)[0].strip()], (0.0, 0)
    for delimiter in _DELIMITERS:
        try:
            lines = list(csv.reader(StringIO(sample), delimiter=delimiter, skipinitialspace=True))
        except csv.Error:
            continue
        rows = [row for row in lines if row]
        widths = Counter(len(row) for row in rows)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        # A delimiter must occur in the header too: commas in prose do not make a table.
        if width < 2 or len(rows[0]) < 2:
            continue
        score = (count / len(rows), width)
        if score > best_score:
            best, best_header, best_score = delimiter, rows[0], score
    return best, best_header
