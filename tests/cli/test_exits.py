"""Exit codes of errors and runs."""

import pytest

from easynet.cli.exits import exit_code, explain, result_exit_code
from easynet.core import errors
from easynet.core.errors import EasyNetError
from easynet.core.events import Problem, Status
from easynet.core.ids import RunId
from easynet.core.result import RunResult


@pytest.mark.parametrize(
    ("status", "problem_code", "expected"),
    [
        ("succeeded", None, 0),
        ("cancelled", None, 130),
        ("needs_input", "input_needed", 4),
        ("over_budget", "over_budget", 5),
        ("infeasible", "infeasible", 3),
        ("failed", "bug", 1),
        ("failed", "bad_data", 2),
        ("failed", "unsupported", 3),
        ("failed", "no_node_found", 3),
        ("failed", "remote_failure", 6),
        ("failed", "quality_not_met", 6),
        ("failed", "a code of a later version", 6),
    ],
)
def test_exit_code_of_a_run(status: Status, problem_code: str | None, expected: int) -> None:
    problem = Problem(code=problem_code, message="") if problem_code else None
    assert result_exit_code(RunResult(run_id=RunId("r"), status=status, problem=problem)) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.InvalidQuantity("x"), 2),
        (errors.DataDirectoryUnusable("x"), 2),
        (errors.Unsupported("x"), 3),
        (errors.OverBudget("x"), 5),
        (errors.RemoteFailure("ValueError", "x"), 6),
        (errors.GatewayUnreachable("x"), 7),
    ],
)
def test_exit_code_of_an_error(error: EasyNetError, expected: int) -> None:
    assert exit_code(error) == expected


def test_error_is_explained_in_a_sentence_with_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(errors.BadData("sales.csv is empty", hint="Give a file with rows.")) == 2
    assert capsys.readouterr().err == "easynet: sales.csv is empty\nGive a file with rows.\n"


def test_mistake_of_our_own_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(ZeroDivisionError("oops")) == 1
    assert "ZeroDivisionError: oops" in capsys.readouterr().err
