"""`easynet experience`: what is shown, forgotten and exported."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from easynet.cli import main
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import model_path
from easynet.planners.past_run import Edit
from tests.planners.experience_world import past

Easynet = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteExperience]:
    monkeypatch.setenv("EASYNET_DATA_DIR", str(tmp_path))
    opened = SqliteExperience(tmp_path / "experience.db")
    yield opened
    opened.close()


@pytest.fixture
def easynet(
    store: SqliteExperience, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Easynet:
    """Run a command where nobody is at the terminal; its exit code, and what it printed."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["easynet", "experience", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def fill(store: SqliteExperience) -> None:
    store.add(past(1, "book a train to Rome", "search_train", "book_train"))
    store.add(past(2, "pay my bill", "pay_bill", failed="pay_bill"))
    weather = past(3, "weather for ann@example.com", "read_weather")
    edits = (Edit(kind="answered", name="city", value="Ulm"),)
    store.add(weather.model_copy(update={"inputs": {"city": "Ulm", "to": "ann@example.com"}, "edits": edits}))


def test_nothing_to_show_is_said(easynet: Easynet) -> None:
    assert easynet() == (0, "There is no past run to plan by yet.\n", "")


def test_the_latest_runs_are_shown_with_their_plans(easynet: Easynet, store: SqliteExperience) -> None:
    fill(store)
    code, out, _ = easynet()
    assert code == 0
    assert out.startswith("3 past runs: 2 to learn plans from, 1 that failed.\nThere is no model yet.\n")
    assert "run-0001  succeeded  book a train to Rome\n    catalogue: search_train, book_train\n" in out
    assert "catalogue: pay_bill (failed: pay_bill)" in out
    assert out.index("run-0003") < out.index("run-0001")
    assert easynet("show")[1] == out


def test_functions_that_fail_of_late_are_named(easynet: Easynet, store: SqliteExperience) -> None:
    for i in range(4):
        store.add(past(i, "pay my bill", "pay_bill", failed="pay_bill"))
    assert "Avoided, because they fail of late: pay_bill." in easynet()[1]


def test_chinese_runs_are_shown_in_chinese(easynet: Easynet, store: SqliteExperience) -> None:
    store.add(past(1, "订一张火车票", "book_train"))
    assert "1 次历史运行" in easynet()[1]
    assert "计划：" in easynet("show", "run-0001")[1]
    assert easynet("forget", "--all", "--yes")[1] == "已删除 1 次历史运行。\n"


def test_one_run_is_shown_with_all_about_it(easynet: Easynet, store: SqliteExperience) -> None:
    fill(store)
    code, out, _ = easynet("show", "run-0003")
    assert code == 0
    assert 'Answered: city = "Ulm"' in out
    assert "  read_weather: read_weather(city = <city>)" in out


def test_runs_are_shown_as_json_one_a_line(easynet: Easynet, store: SqliteExperience) -> None:
    fill(store)
    assert [json.loads(line)["id"] for line in easynet("show", "--json")[1].splitlines()] == [
        "run-0001",
        "run-0002",
        "run-0003",
    ]
    [only] = easynet("show", "run-0002", "--json")[1].splitlines()
    assert json.loads(only)["failed"] == "pay_bill"


def test_text_that_could_steer_a_terminal_does_not(easynet: Easynet, store: SqliteExperience) -> None:
    store.add(past(1, "book \x1b[2J a train", "book_train"))
    assert "\x1b" not in easynet()[1] + easynet("show", "run-0001")[1]


# ── forgetting ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--run", "run-0001"), {"run-0002", "run-0003"}),
        (("--function", "pay_bill"), {"run-0001", "run-0003"}),
        (("--all",), set()),
    ],
)
def test_what_is_named_is_forgotten_and_the_model_with_it(
    easynet: Easynet, store: SqliteExperience, tmp_path: Path, options: tuple[str, ...], left: set[str]
) -> None:
    fill(store)
    model = model_path(tmp_path / "experience.db")
    model.write_bytes(b"x")
    code, out, _ = easynet("forget", *options, "--yes")
    assert (code, out) == (0, f"{3 - len(left)} past run{'s' * (len(left) == 0)} forgotten.\n")
    assert store.ids() == left
    assert not model.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "one of --run ID, --function NAME and --all"),
        (("--all", "--run", "run-0001"), "one of --run ID, --function NAME and --all"),
        (("--all",), "nobody is here to agree"),
        (("--function", "pay_bil", "--yes"), "Did you mean 'pay_bill'"),
    ],
)
def test_nothing_is_forgotten_by_mistake(
    easynet: Easynet, store: SqliteExperience, options: tuple[str, ...], said: str
) -> None:
    fill(store)
    code, _, err = easynet("forget", *options)
    assert code == 2
    assert said in err
    assert len(store.ids()) == 3


def test_an_unknown_run_is_named(easynet: Easynet, store: SqliteExperience) -> None:
    fill(store)
    code, _, err = easynet("forget", "--run", "run-9", "--yes")
    assert code == 2
    assert "no run 'run-9'" in err


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("yes\n", 0), ("\n", 3), ("n\n", 3), ("", 3)])
def test_the_person_at_the_terminal_is_asked(
    easynet: Easynet, store: SqliteExperience, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    fill(store)

    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    code, _, err = easynet("forget", "--all")
    assert "Forget 3 past runs for good? [y/N]" in err
    assert len(store.ids()) == left
    assert code == (130 if left else 0)


# ── exporting ───────────────────────────────────────────────────────────────────────────────────


def test_runs_are_exported_as_lines_that_can_be_read_again(
    easynet: Easynet, store: SqliteExperience, tmp_path: Path
) -> None:
    from easynet.planners.past_run import PastRun

    fill(store)
    file = tmp_path / "runs.jsonl"
    assert easynet("export", file)[:2] == (0, "")
    assert [PastRun.model_validate_json(line) for line in file.read_text("utf-8").splitlines()] == [
        *store.runs()
    ]
    assert file.stat().st_mode & 0o077 == 0
    assert easynet("export")[1] == file.read_text("utf-8")


def test_a_redacted_export_has_no_input(easynet: Easynet, store: SqliteExperience) -> None:
    fill(store)
    out = easynet("export", "--redact")[1]
    assert "ann@example.com" not in out
    assert "Ulm" not in out
    assert "read_weather" in out


def test_an_export_takes_the_place_of_a_file_that_others_may_read(
    easynet: Easynet, store: SqliteExperience, tmp_path: Path
) -> None:
    fill(store)
    file = tmp_path / "out" / "runs.jsonl"
    file.parent.mkdir()
    file.write_text("old")
    file.chmod(0o644)
    with file.open() as reader:
        assert easynet("export", file)[0] == 0
        assert reader.read() == "old"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in file.parent.iterdir()] == ["runs.jsonl"]


def test_an_export_follows_a_link_and_writes_to_a_device(
    easynet: Easynet, store: SqliteExperience, tmp_path: Path
) -> None:
    fill(store)
    link, file = tmp_path / "link", tmp_path / "runs.jsonl"
    link.symlink_to(file)
    assert easynet("export", link)[0] == 0
    assert link.is_symlink()
    assert len(file.read_text("utf-8").splitlines()) == 3
    assert easynet("export", "/dev/null")[0] == 0
    assert Path("/dev/null").is_char_device()


def test_a_file_that_cannot_be_written_is_named(easynet: Easynet, tmp_path: Path) -> None:
    code, _, err = easynet("export", tmp_path / "none" / "runs.jsonl")
    assert code == 2
    assert "cannot write" in err
