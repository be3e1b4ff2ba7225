"""What the terminal shows: plain and live, in both languages, whatever the events say."""

import io
import os
import pty
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easynet.agents.report_page import render_page
from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import Step
from easynet.cli.render import (
    Story,
    events_table,
    functions_table,
    nodes_table,
    result_lines,
    run_story,
    runs_table,
)
from easynet.cli.render_live import LiveView, window
from easynet.core.capability import Capability
from easynet.core.events import (
    ApprovalRequested,
    AttemptProgressed,
    AttemptStarted,
    ModelFellBack,
    PlanMade,
    Problem,
    Question,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
    Status,
)
from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId
from easynet.core.intent import Intent
from easynet.core.offer import Node, Trust
from easynet.core.result import RunResult, replay
from easynet.execution.journal import RunSummary
from easynet.testing.example_run import RunScript, example_run, wide_run

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def told(events: Sequence[RunEvent], *, live: bool = False) -> str:
    stream = io.StringIO()
    with Story(stream, live=live) as story:
        for event in events:
            story.show(event)
    return stream.getvalue()


def rare_events() -> list[RunEvent]:
    """One of each event that the example runs have none of, with hostile words."""
    script = RunScript()
    question = Question(name="data", text="Which file?\x1b[2J", choices=("a.csv", "b.csv"))
    script.add(RunStarted, 0, intent=Intent(description="x\x1b[31m"), version="1", resumed=True)
    script.add(QuestionAsked, 1, question=question)
    script.add(ApprovalRequested, 2, question=question, price=5)
    script.add(ModelFellBack, 3, model="m", reason="[red]no answer[/red]")
    script.add(Replanned, 4, reason="it failed", keeps=())
    script.failure("nobody\x07", "n\x1b]0;t\x07", 5, 6, will_retry=True)
    progress = {"subtask": "load", "attempt": 1, "fraction": None, "message": "[bold]\x1b[2Jhm"}
    script.add(AttemptProgressed, 7, **progress)
    script.add(AttemptProgressed, 8, **{**progress, "fraction": -3.0})
    script.add(RunFinished, 9, status="over_budget")
    return script.events


POOL = [*example_run(), *example_run("zh", "failed"), *rare_events(), *wide_run(70, 3)[:12]]


@given(st.lists(st.sampled_from(POOL), max_size=40), st.booleans())
@settings(max_examples=60, deadline=None)
def test_events_in_any_order_never_break_a_face(picked: list[RunEvent], live: bool) -> None:
    events = [e.model_copy(update={"seq": n}) for n, e in enumerate(picked)]
    assert not CONTROL.search(told(events, live=live).replace("\n", ""))
    assert events_table(events)
    assert run_story([e for e in events if not isinstance(e, RunFinished)])
    assert render_page(events, None, "en").endswith("</html>\n")


def test_plain_story_has_one_short_line_an_event_and_the_whole_plan() -> None:
    lines = told(example_run()).splitlines()
    assert lines[0] == "Run 20261122-114502-9f3a: train a medical anomaly detector"
    assert "[   0.2 s] 12 steps on 4 nodes · 30 credits ($0.30) · about 7.5 s" in lines
    assert "   6. Train supervised detectors · medical · 5 credits · about 2.6 s" in lines
    assert "Note: The words may mean images; this plan works on a table of measurements." in lines
    assert "[   0.7 s] ✓ Load the breast-cancer table · analysis · 0.4 s" in lines
    assert any("medical went away before it answered. Trying again." in line for line in lines)
    assert lines[-1] == "Succeeded"


def test_plain_story_is_told_in_the_language_of_the_run() -> None:
    text = told(example_run("zh"))
    assert "12 个步骤，4 个节点 · 30 积分（0.30 美元） · 约 7.5 秒" in text
    assert text.endswith("成功\n")


@pytest.mark.parametrize("name", ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"])
def test_piped_story_has_no_control_codes_whatever_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    stream = io.StringIO()
    story = Story(stream)
    for event in [*example_run()[:-1], *rare_events()]:
        story.show(event)
    story.close()
    assert not CONTROL.search(stream.getvalue().replace("\n", ""))


def test_plain_progress_is_told_now_and_then_only() -> None:
    script = RunScript()
    script.add(AttemptStarted, 0, subtask="a", attempt=1, node="n")
    for n in range(1, 101):
        message = {"fraction": n / 100, "message": f"epoch {n}"}
        script.add(AttemptProgressed, n * 0.12, subtask="a", attempt=1, **message)
    lines = [line for line in told(script.events).splitlines() if "epoch" in line]
    assert len(lines) == 2
    assert "42% epoch 42" in lines[0]


def test_stream_without_unicode_still_gets_the_story() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    story = Story(stream)
    for event in example_run():
        story.show(event)
    assert b"12 steps on 4 nodes ? 30 credits" in raw.getvalue()


def test_question_is_shown_with_its_choices() -> None:
    text = told(rare_events()[:2])
    assert "? Which file?" in text
    assert "One of: a.csv / b.csv" in text


def test_resumed_run_knows_its_titles_once_it_recalls_the_past() -> None:
    events = example_run()
    stream = io.StringIO()
    story = Story(stream)
    story.recall(events[:20])
    for event in events[20:]:
        story.show(event)
    assert "Write the report" in stream.getvalue()
    assert "Run 20261122" not in stream.getvalue()


def test_live_view_ends_with_every_step_and_the_totals() -> None:
    text = told(example_run(), live=True)
    assert text.count("✓") == 12
    assert "Train supervised detectors" in text
    assert "2 attempts" in text
    assert "Succeeded · 12 of 12 steps · 30 credits ($0.30) · 10 s" in text


def read_all(descriptor: int, into: list[bytes]) -> None:
    try:
        while chunk := os.read(descriptor, 65536):
            into.append(chunk)
    except OSError:
        pass  # The other end is closed.


def test_live_view_on_a_terminal_gives_the_cursor_back() -> None:
    ours, theirs = pty.openpty()
    chunks: list[bytes] = []
    reader = threading.Thread(target=read_all, args=(ours, chunks))
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        story = Story(stream, live=True)
        for event in example_run()[:30]:
            story.show(event)
        story.close()
    reader.join(timeout=10)
    os.close(ours)
    written = b"".join(chunks)
    assert not reader.is_alive()
    assert b"\x1b[?25l" in written
    assert written.rfind(b"\x1b[?25h") > written.rfind(b"\x1b[?25l")
    assert b"Load the breast-cancer table" in written


def test_dumb_terminals_and_files_get_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not LiveView.suits(io.StringIO())
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, os.fdopen(ours):
        monkeypatch.setenv("TERM", "xterm")
        assert LiveView.suits(stream)
        monkeypatch.setenv("TERM", "dumb")
        assert not LiveView.suits(stream)


@given(st.integers(1, 200), st.integers(1, 40), st.data())
def test_window_shows_what_runs_and_counts_the_rest(count: int, rows: int, data: st.DataObject) -> None:
    steps = [Step(SubtaskId(f"s{n}"), f"s{n}") for n in range(count)]
    running = data.draw(st.integers(0, count - 1))
    steps[running].attempt(1).outcome = "running"
    shown, before, after = window(steps, rows)
    assert len(shown) == min(rows, count)
    assert before + len(shown) + after == count
    assert steps[running] in shown


def test_result_starts_with_the_data_and_ends_with_the_run(tmp_path: Path) -> None:
    lines = result_lines(replay(example_run(folder=str(tmp_path))), "en")
    assert lines[0].startswith("Demo data: Wisconsin")
    assert "AUC: 0.953 (0.907 – 0.986)" in lines
    assert f"detector.skops: {tmp_path / 'detector.skops'}" in lines
    assert f"Report: {tmp_path / 'report.html'}" in lines
    assert lines[-1] == "Run 20261122-114502-9f3a · 30 credits ($0.30) · 10 s"


def test_failed_result_says_why_and_how_to_go_on() -> None:
    lines = result_lines(replay(example_run(ending="failed")), "en")
    assert lines[0] == "Failed: “Train supervised detectors” failed on medical and on spare"
    assert lines[1] == "See whether the nodes are up: easynet nodes"
    assert lines[2] == "Go on with: easynet runs resume 20261122-114502-9f3a"


def test_result_that_resuming_cannot_help_names_no_resume_command() -> None:
    problem = Problem(code="over_budget", message="it costs 34 credits", hint="Raise the budget.")
    lines = result_lines(RunResult(run_id=RunId("r"), status="over_budget", problem=problem), "en")
    assert lines[:2] == ["Over budget: it costs 34 credits", "Raise the budget."]
    assert not any("resume" in line for line in lines)


def test_result_is_said_in_chinese() -> None:
    lines = result_lines(replay(example_run("zh")), "zh")
    assert lines[0].startswith("演示数据")
    assert "灵敏度：0.829" in lines


def test_story_of_a_finished_run_has_plan_trouble_money_and_result() -> None:
    text = run_story(example_run())
    assert "Started 2026-11-22 11:45:02 UTC" in text
    assert re.search(r"✓  Train supervised detectors +spare +2 attempts +2.6 s  5 credits", text)
    assert "2.9 s  ✗ Train supervised detectors" in text
    assert "Paid 30 credits ($0.30) of an estimated 30 credits ($0.30)" in text
    assert text.index("On the way") < text.index("Demo data")


def test_story_of_an_interrupted_run_says_what_was_running() -> None:
    text = run_story(example_run(ending="interrupted"))
    assert "Not finished" in text
    assert "running: Train supervised detectors 40%" in text
    assert "easynet runs resume 20261122-114502-9f3a" in text


def test_story_of_nothing_is_not_an_error() -> None:
    assert "Not finished" in run_story([])


def some_nodes() -> list[Node]:
    train = Capability(
        name=CapabilityName("train_one_class"),
        description={"en": "Trains detectors on normal cases only, and a good deal more is said here\x1b[2J"},
        price=5,
    )
    load = Capability(name=CapabilityName("load_table"), description={"en": "Reads a CSV", "zh": "读取表格"})
    return [
        Node(name=NodeId("medical"), instance="1", trust=Trust.OWN, capabilities=(train, load), running=1),
        Node(name=NodeId("分析节点"), instance="2", capabilities=(load.model_copy(update={"price": 3}),)),
    ]


def test_functions_table_lists_each_function_once_with_its_nodes_and_price_range() -> None:
    text = functions_table(some_nodes())
    assert re.search(r"load_table +1–3 +medical, 分析节点 +Reads a CSV", text)
    assert text.count("train_one_class") == 1
    assert "读取表格" in functions_table(some_nodes(), "zh")


def test_nodes_table_says_whose_they_are_and_how_busy() -> None:
    text = nodes_table(some_nodes())
    assert re.search(r"medical +own +1/1 +load_table, train_one_class", text)
    assert re.search(r"分析节点 +public +0/1 +load_table", text)


def test_runs_table_shows_every_status_and_never_cuts_an_id() -> None:
    statuses: tuple[Status, ...] = (
        "succeeded",
        "failed",
        "cancelled",
        "needs_input",
        "infeasible",
        "over_budget",
    )
    runs = [
        RunSummary(RunId(f"20261122-114502-{n:04x}"), 1e9, "训练" * 60, s, n) for n, s in enumerate(statuses)
    ]
    runs.append(RunSummary(RunId("20261122-114502-ffff"), 1e9, "x", "interrupted", 1200))
    text = runs_table(runs)
    assert all(run.id in text for run in runs)
    assert "needs input" in text
    assert "interrupted" in text
    assert "1,200" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_tables_fit_the_terminal_and_have_no_control_codes(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    run = RunSummary(RunId("20261122-114502-9f3a"), 1e9, "训练一个模型\x1b[31m" * 20, "failed", 5)
    tables = [nodes_table(some_nodes()), functions_table(some_nodes()), runs_table([run])]
    tables.append(events_table(example_run()))
    for text in tables:
        assert not CONTROL.search(text.replace("\n", ""))
        for line in text.splitlines():
            assert sum(2 if c >= "\u2e80" else 1 for c in line) <= width


def test_empty_lists_say_so() -> None:
    assert runs_table([]) == "There is no run yet."
    assert nodes_table([]) == "No node is on this network."
    assert functions_table([]) == "No node offers a function."


def test_a_plan_of_a_thousand_steps_is_told_in_few_lines() -> None:
    events = wide_run(1000, 10)
    until_plan = next(n for n, e in enumerate(events) if isinstance(e, PlanMade))
    assert len(RunAccount.of(events[: until_plan + 1]).current) == 1000
    live = told(events[: until_plan + 1], live=True)
    assert "… " in live
    assert len(live.splitlines()) < 40
