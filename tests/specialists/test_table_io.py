from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadData
from easynet.specialists.table_io import load_table
from easynet.specialists.text_file import decode

Write = Callable[..., Path]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_out(write: Write, delimiter: str) -> None:
    lines = ["name,age,city", "Ann,31,Rome", "Bob,42,Oslo"]
    loaded = load_table(write("\n".join(lines).replace(",", delimiter)))
    assert list(loaded["table"]["frame"].columns) == ["name", "age", "city"]
    assert loaded["table"]["frame"]["age"].tolist() == [31, 42]
    assert loaded["source"]["rows"] == 2
    assert not loaded["source"]["is_demo"]


def test_commas_inside_quotes_do_not_split(write: Write) -> None:
    frame = load_table(write('name,note\nAnn,"a, b"\nBob,"c, d, e"\n'))["table"]["frame"]
    assert frame["note"].tolist() == ["a, b", "c, d, e"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_file_is_read_in_each_usual_encoding(write: Write, encoding: str) -> None:
    text = "日期,地区,销售额\n2024-01-01,华东,100\n2024-01-02,华北,200\n"
    frame = load_table(write(text.encode(encoding)))["table"]["frame"]
    assert list(frame.columns) == ["日期", "地区", "销售额"]
    assert frame["地区"].tolist() == ["华东", "华北"]


def test_western_file_is_not_taken_for_chinese() -> None:
    text, encoding = decode("naïve café, Zürich, señor\n".encode("cp1252"))
    assert encoding == "cp1252"
    assert "Zürich" in text


@given(st.text(min_size=1))
def test_every_utf8_text_decodes_to_itself(text: str) -> None:
    raw = text.encode("utf-8", errors="ignore")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return
    assert decode(raw) == (raw.decode(), "utf-8")


def test_region_called_na_is_kept(write: Write) -> None:
    frame = load_table(write("region,amount\nNA,1\nEU,2\n"))["table"]["frame"]
    assert frame["region"].tolist() == ["NA", "EU"]


def test_repeated_column_names_are_numbered_and_said(write: Write) -> None:
    table = load_table(write("a,a,b\n1,2,3\n4,5,6\n"))["table"]
    assert list(table["frame"].columns) == ["a", "a (2)", "b"]
    assert "more than once" in table["notes"][0]


def test_delimiter_at_the_end_of_lines_is_ignored(write: Write) -> None:
    frame = load_table(write("a,b\n1,2,\n3,4,\n"))["table"]["frame"]
    assert frame.to_numpy().tolist() == [[1, 2], [3, 4]]


def test_short_lines_count_as_missing_and_are_said(write: Write) -> None:
    table = load_table(write("a,b,c\n1,2,3\n4,5\n6,7,8\n9,9,9\n"))["table"]
    assert table["frame"]["c"].isna().sum() == 1
    assert "fewer fields" in table["notes"][0]


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"no file 'nowhere\.csv'"):
        load_table(tmp_path / "nowhere.csv")


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="cannot be read"):
        load_table(tmp_path)


@pytest.mark.parametrize("content", ["", "\n\n  \n", b"\xef\xbb\xbf"])
def test_empty_file_is_refused(write: Write, content: str | bytes) -> None:
    with pytest.raises(BadData, match="is empty"):
        load_table(write(content))


def test_file_with_a_header_only_is_refused(write: Write) -> None:
    with pytest.raises(BadData, match="no rows"):
        load_table(write("a,b,c\n"))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04rest", "Excel"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\x00" * 128 + b"DICM" + b"\x00" * 50, "DICOM"),
        (bytes(range(256)) * 4, "binary"),
    ],
)
def test_binary_file_is_named_for_what_it_is(write: Write, content: bytes, what: str) -> None:
    with pytest.raises(BadData, match=what) as refused:
        load_table(write(content))
    assert "CSV" in refused.value.hint


def test_line_with_too_many_fields_is_pointed_at(write: Write) -> None:
    with pytest.raises(BadData, match=r"Line 3 of 'data\.csv' has 4 fields where the header has 3"):
        load_table(write("a,b,c\n1,2,3\n1,2,3,4\n1,2,3\n"))


def test_open_quote_is_pointed_at(write: Write) -> None:
    text = 'a,b\n1,"never closed\n' + "x,y\n" * 60_000
    with pytest.raises(BadData) as refused:
        load_table(write(text))
    assert "quote" in refused.value.hint


def test_prose_is_not_a_table(write: Write) -> None:
    with pytest.raises(BadData, match="does not look like a table"):
        load_table(write("Dear all\nthis is a letter\nwith several lines\n"))


def test_numbers_in_the_first_line_are_no_header(write: Write) -> None:
    with pytest.raises(BadData, match="not the names of columns"):
        load_table(write("1,2,3\n4,5,6\n"))


def test_errors_come_in_chinese(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="找不到文件"):
        load_table(tmp_path / "无.csv", language="zh")
