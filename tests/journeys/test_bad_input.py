"""What goes wrong says so in a sentence, with its exit code, and never as a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.command import Cli
from tests.journeys.sales import write_sales

SALES = "find growth opportunities in my sales data"
DETECTOR = "train a medical anomaly detector"


def one_class(path: Path) -> None:
    path.write_text("age,score,diagnosis\n" + "\n".join(f"{i},{i * 2},healthy" for i in range(60)))


FILES: dict[str, Callable[[Path], object]] = {
    "empty.csv": lambda p: p.write_text(""),
    "binary.csv": lambda p: p.write_bytes(bytes(range(256)) * 20),
    "text.csv": lambda p: p.write_text("name,city\n" + "\n".join(f"n{i},c{i}" for i in range(50))),
    "other.csv": lambda p: p.write_text("a,b\n" + "\n".join(f"{i},{i}" for i in range(50))),
    "one_class.csv": one_class,
    "sales.csv": write_sales,
}

CASES = [
    pytest.param([""], 3, "growth", id="empty sentence"),
    pytest.param(["asdf qwer zxcv"], 3, "asdf qwer zxcv", id="meaningless sentence"),
    pytest.param(["chta"], 2, "chta", id="a typo is not an intent"),
    pytest.param([DETECTOR, "--budget", "banana"], 2, "budget", id="budget that is no amount"),
    pytest.param([DETECTOR, "--budget", "$0.01"], 5, "budget", id="budget that does not suffice"),
    pytest.param([DETECTOR, "--deadline", "soonish"], 2, "deadline", id="deadline that is no time"),
    pytest.param([DETECTOR, "--privacy", "sometimes"], 2, "privacy", id="privacy that is no level"),
    pytest.param([DETECTOR, "--input", "banana"], 2, "NAME=VALUE", id="input without a name"),
    pytest.param([SALES, "--input", "data=nowhere.csv"], 2, "nowhere.csv", id="missing file"),
    pytest.param([SALES, "--input", "data=."], 2, "data", id="a folder for a file"),
    pytest.param([SALES, "--input", "data=empty.csv"], 2, "empty.csv", id="empty file"),
    pytest.param([SALES, "--input", "data=binary.csv"], 2, "binary.csv", id="binary file"),
    pytest.param([SALES, "--input", "data=text.csv"], (2, 4), "", id="text only"),
    pytest.param([SALES, "--input", "data=other.csv"], (2, 4), "", id="wrong columns"),
    pytest.param([SALES, "--input", "data=sales.csv", "--input", "dta=x"], 2, "dta", id="unknown input"),
    pytest.param(
        [SALES, "--input", "data=sales.csv", "--input", "amount=revenue"], 2, "revenue_eur", id="wrong column"
    ),
    pytest.param(
        [DETECTOR, "--input", "data=one_class.csv", "--input", "target=diagnosis"],
        2,
        "healthy",
        id="one class",
    ),
    pytest.param(
        [DETECTOR, "--input", "data=other.csv", "--input", "target=outcome"], 2, "outcome", id="wrong target"
    ),
    pytest.param(["nodes", "--gateway", "127.0.0.1:9"], 7, "127.0.0.1:9", id="no gateway"),
    pytest.param(["runs", "show", "nothing"], 2, "nothing", id="no such run"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "code", "said"), CASES)
def test_bad_input_ends_with_a_sentence(
    arguments: list[str], code: int | tuple[int, ...], said: str, cli: Cli, tmp_path: Path
) -> None:
    for argument in arguments:
        name = argument.partition("=")[2]
        if name in FILES:
            FILES[name](tmp_path / name)
    ended = cli(*arguments)
    told = ended.stdout + ended.stderr
    assert ended.returncode in (code if isinstance(code, tuple) else (code,)), told
    assert said.lower() in told.lower()
    assert "Traceback" not in told


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["runs"], [DETECTOR]])
def test_data_directory_that_cannot_be_written_is_named(
    arguments: list[str], cli: Cli, tmp_path: Path
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where the folder should be")
    ended = cli(*arguments, EASYNET_DATA_DIR=str(occupied))
    assert ended.returncode == 2
    assert str(occupied) in ended.stderr
    assert "Traceback" not in ended.stderr
