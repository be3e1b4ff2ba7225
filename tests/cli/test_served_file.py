"""Which functions of a file are offered, and what is said where it cannot be loaded."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from easynet.cli.served_file import functions_in
from easynet.core.errors import BadData


@pytest.fixture(autouse=True)
def same_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the files import is forgotten, and so are their folders."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def written(folder: Path, text: str, name: str = "my_functions.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_public_functions_of_the_file_itself_are_offered(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
from pathlib import Path
from os.path import join

LIMIT = 3

class Model: ...

def _hidden(): ...

def answer(prompt: str) -> str: ...

async def stream(n: int):
    yield n

double = lambda x: 2 * x
""",
    )
    assert [*functions_in(file)] == ["answer", "stream", "double"]


def test_where_some_are_marked_only_those_are_offered(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
from easynet import contribute

def helper(): ...

@contribute(name="ask", en="Answer a question.")
def answer(prompt: str) -> str: ...
""",
    )
    assert [*functions_in(file)] == ["ask"]


def test_file_finds_its_neighbours_and_data_classes_their_module(tmp_path: Path) -> None:
    written(tmp_path, "WORD = 'hi'", "neighbour_of_mine.py")
    file = written(
        tmp_path,
        """
from __future__ import annotations
import dataclasses
from neighbour_of_mine import WORD

@dataclasses.dataclass
class Answer:
    text: str

def answer() -> Answer:
    return Answer(WORD)
""",
    )
    assert functions_in(file)["answer"]().text == "hi"


def test_file_may_be_called_like_a_module_of_pythons(tmp_path: Path) -> None:
    file = written(tmp_path, "def now() -> int: return 1", "random.py")
    assert functions_in(file)["now"]() == 1
    assert not hasattr(sys.modules.get("random"), "now")


def test_mistake_in_the_file_is_told_by_where_it_is(tmp_path: Path) -> None:
    written(tmp_path, "def half(n):\n    return n / 0\n", "halves.py")
    file = written(tmp_path, "import halves\n\nTABLE = [halves.half(n) for n in range(3)]\n")
    with pytest.raises(BadData) as caught:
        functions_in(file)
    lines = caught.value.message.splitlines()
    assert lines[0] == "my_functions.py cannot be loaded: ZeroDivisionError: division by zero"
    assert lines[-1] == "  halves.py, line 2: return n / 0"
    assert not any("importlib" in line or "served_file" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def broken(:\n    pass", "  my_functions.py, line 1: def broken(:"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("import sys\nsys.exit(3)", "it ends the process"),
        ("x = 1", "no function to offer"),
        ("def _only(): ...", "no function to offer"),
        ("raise ValueError('a\\nb')", "cannot be loaded: ValueError: a b"),
    ],
)
def test_file_that_cannot_be_served_says_why(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        functions_in(written(tmp_path, text))
    assert said in caught.value.message


@pytest.mark.parametrize(("name", "said"), [("nowhere.py", "does not exist"), (".", "is a folder")])
def test_file_that_is_not_there_is_named(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=said):
        functions_in(tmp_path / name)
