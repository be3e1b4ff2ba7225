"""A sentence becomes finished work: from the command line to the files it leaves."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from easynet.core.events import PlanMade, RunFinished
from easynet.core.result import replay
from easynet.execution.journal import SqliteJournal
from tests.journeys.command import COMMAND, Cli, events_of
from tests.journeys.sales import write_sales

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("sentence", "first_line", "not_promised"),
    [
        ("train a medical anomaly detector", "demo data", ""),
        ("训练一个能检测医学影像异常的AI模型", "演示数据", "影像"),  # images, and the data is a table
    ],
)
def test_detector_is_trained_measured_saved_and_reported(
    sentence: str, first_line: str, not_promised: str, cli: Cli, own_data_dir: Path
) -> None:
    done = cli(sentence, "--json")
    assert done.returncode == 0, done.stderr

    events = events_of(done.stdout)
    plan = next(e for e in events if isinstance(e, PlanMade))
    assert not not_promised or any(not_promised in caveat for caveat in plan.caveats)
    result = replay(events)
    assert result.ok
    assert first_line in result.headline[0].lower()
    assert 0.85 < result.metrics["accuracy"] <= 1
    assert len({s.capability for s in result.plan.subtasks}) >= 8 if result.plan else False

    journal = SqliteJournal(own_data_dir / "journal.db")
    assert replay(journal.events(result.run_id)) == result
    journal.close()

    assert result.report is not None
    page = result.report.read_text(encoding="utf-8")
    assert first_line in page.lower()
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page

    [model] = [path for path in result.files.values() if path.suffix == ".easynet"]
    scored = subprocess.run(
        (sys.executable, "-c", SCORE, str(model)), capture_output=True, text=True, check=True
    )
    normal, malignant = json.loads(scored.stdout)
    assert malignant > normal


SCORE = """
import json, sys
from sklearn.datasets import load_breast_cancer
from easynet import load_model
rows, target = load_breast_cancer(return_X_y=True, as_frame=True)
scores = load_model(sys.argv[1]).score(rows)
print(json.dumps([float(scores[target == 1].mean()), float(scores[target == 0].mean())]))
"""


def test_sales_file_is_analysed_with_column_names_of_its_own(cli: Cli, tmp_path: Path) -> None:
    sales = write_sales(tmp_path / "umsatz.csv")
    done = cli("find growth opportunities in my sales data", "--input", f"data={sales}", "--json")
    assert done.returncode == 0, done.stderr
    result = replay(events_of(done.stdout))
    assert "umsatz.csv" in result.headline[0]
    assert "region that grew most is north" in result.headline[1]
    assert "product that grew most is tea" in result.headline[2]
    assert 0 < result.metrics["wape"] < 0.2


def test_sales_without_a_file_ask_for_one_and_go_on_when_it_is_given(cli: Cli, tmp_path: Path) -> None:
    asked = cli("find growth opportunities in my sales data")
    assert asked.returncode == 4
    assert "--input data=" in asked.stdout + asked.stderr
    listed = cli("runs").stdout
    run_id = next(word for word in listed.split() if word.startswith("20"))
    sales = write_sales(tmp_path / "s.csv")
    resumed = cli("runs", "resume", run_id, "--answer", f"data={sales}")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "s.csv" in resumed.stdout


def test_two_commands_at_once_do_not_disturb_each_other(cli: Cli, own_data_dir: Path, tmp_path: Path) -> None:
    sales = write_sales(tmp_path / "s.csv")
    sentences = (["train a medical anomaly detector"], ["forecast my sales", "--input", f"data={sales}"])
    running = [
        subprocess.Popen((*COMMAND, *words, "--json"), stdout=subprocess.PIPE, text=True, cwd=tmp_path)
        for words in sentences
    ]
    for process in running:
        stdout, _ = process.communicate(timeout=250)
        last = events_of(stdout)[-1]
        assert isinstance(last, RunFinished)
        assert last.status == "succeeded"


def test_model_that_cannot_be_reached_is_told_of_and_the_work_is_done(cli: Cli, tmp_path: Path) -> None:
    file = write_sales(tmp_path / "sales.csv")
    done = cli("describe my data", "--input", f"data={file}", "--model", "http://127.0.0.1:1/v1#m")
    assert done.returncode == 0, done.stderr
    assert "The model http://127.0.0.1:1/v1#m did not serve" in done.stderr


def test_model_of_no_known_form_is_refused_before_anything_is_done(cli: Cli) -> None:
    done = cli("describe my data", "--model", "sk-canary")
    assert done.returncode == 2
    assert "openai:NAME" in done.stderr
    assert "sk-canary" not in done.stderr
