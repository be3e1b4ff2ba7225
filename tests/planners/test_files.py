"""Files that a sentence names."""

import pytest

from easynet.core.language import Language
from easynet.planners.files import files_in, unmentioned, without_files
from easynet.planners.words import keys, units


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("find unusual rows in patients.csv", ("patients.csv",)),
        ("count the words in words.txt.", ("words.txt",)),
        ("统计words.txt里的单词", ("words.txt",)),
        ("找出 病人.csv 里的异常行", ("病人.csv",)),
        ("找出“病人数据.csv”里的异常行", ("病人数据.csv",)),
        ('read "my data/a b.csv" please', ("my data/a b.csv",)),
        ("compare /tmp/x.csv, ../y.XLSX", ("/tmp/x.csv", "../y.XLSX")),
        ("C:\\data\\a.csv and ~/b.tar.gz", ("C:\\data\\a.csv", "~/b.tar.gz")),
    ],
)
def test_a_path_is_found(text: str, found: tuple[str, ...]) -> None:
    assert files_in(text) == found


@pytest.mark.parametrize(
    "text", ["e.g. version 1.2 of node.js", "see https://x.org/a.csv", "mail a@b.csv", "a.csvx", "a csv file"]
)
def test_what_only_looks_like_a_path_is_none(text: str) -> None:
    assert files_in(text) == ()
    assert without_files(text) == text


def test_a_name_says_nothing_about_the_work() -> None:
    assert [u.text for u in units(without_files("describe patients.csv"))] == ["describe", "file"]
    assert keys(without_files("描述patients.csv", "zh")) == {"描述", "文件"}


@pytest.mark.parametrize(
    ("text", "language", "left"),
    [
        ("describe patients.csv", "en", "describe"),
        ("描述patients.csv", "zh", "描述"),
        ("my file", "en", "my file"),
    ],
)
def test_the_words_for_paths_can_be_taken_out(text: str, language: Language, left: str) -> None:
    assert unmentioned(without_files(text, language)).strip() == left
