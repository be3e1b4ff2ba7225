"""What counts as a command, what as a sentence, and what as a mistake."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from easynet._version import __version__
from easynet.cli.app import COMMANDS, app
from easynet.cli.session import named_values
from easynet.core.errors import UsageError


def test_help_lists_every_command_and_the_exit_codes() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(command in shown for command in COMMANDS)
    assert "5 over budget" in shown


def test_bare_command_shows_the_help() -> None:
    assert "Usage" in CliRunner().invoke(app, []).output


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"easynet {__version__}\n"


@pytest.mark.parametrize(
    "words", [["chta"], ["nodse"], ["rnus", "show", "x"], ["frobnicate"], ["--budgt", "5"]]
)
def test_mistyped_command_is_an_error_not_an_intent(words: list[str]) -> None:
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code == 2
    assert ended.stdout == ""


def test_near_miss_names_the_command_that_was_meant() -> None:
    assert "Did you mean functions" in CliRunner().invoke(app, ["function"]).stderr


@pytest.mark.parametrize(
    "words",
    [
        ["summarise the files"],
        ["summarise", "the", "files"],
        ["summarise\nfiles"],
        ["训练模型"],
        ["do", "chat"],
    ],
)
def test_sentence_reaches_the_command_that_does_it(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from easynet.cli import session

    seen: list[str] = []

    class Listening:
        """A session that only hears what it would do."""

        def __init__(self, **_: object) -> None: ...

        def run(self, start: object) -> int:
            seen.append("ran")
            return 0

        ask = None

    monkeypatch.setattr(session, "Session", Listening)
    assert CliRunner().invoke(app, words).exit_code == 0
    assert seen == ["ran"]


def test_named_values_are_read() -> None:
    assert named_values(["data=a=b.csv", "target=x"], "--input") == {"data": "a=b.csv", "target": "x"}


@pytest.mark.parametrize("pairs", [["data"], ["=x"], ["data="], ["a=1", "a=2"]])
def test_value_without_a_name_is_refused(pairs: list[str]) -> None:
    with pytest.raises(UsageError, match="--input"):
        named_values(pairs, "--input")


def test_module_can_be_run() -> None:
    ran = subprocess.run(
        (sys.executable, "-m", "easynet", "--version"), capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == f"easynet {__version__}"
