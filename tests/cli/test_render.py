"""What the terminal shows: plain and live, in both languages, whatever the events say."""

import io
import json
import os
import pty
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from typer.testing import CliRunner

from easynet.agents.report_page import render_page
from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import Step
from easynet.agents.wording import about, columns, inputs_line, measurements
from easynet.cli.app import app
from easynet.cli.render import (
    Story,
    function_details,
    functions_json,
    functions_list,
    functions_table,
    nodes_table,
    offered,
    print_result,
    result_lines,
    run_story,
    runs_table,
)
from easynet.cli.render_live import LiveView, window
from easynet.cli.render_wrap import wrap_prose
from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.errors import UnknownFunction
from easynet.core.events import (
    ApprovalRequested,
    AttemptCancelled,
    AttemptFailed,
    AttemptProgressed,
    AttemptStarted,
    IntentParsed,
    ModelAnswered,
    ModelFellBack,
    NodesFound,
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
from easynet.core.intent import Intent, ParsedIntent
from easynet.core.language import Language, say
from easynet.core.offer import Node, Offer, Trust
from easynet.core.result import RunResult, replay
from easynet.core.task_graph import FromInput, Subtask, TaskGraph
from easynet.execution.journal import RunSummary
from easynet.fabric.access.grants import Limits
from easynet.testing.example_run import RunScript, example_run, rivals_run, wide_run
from tests.patience import PATIENCE_S

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
    script.add(ModelAnswered, 3, model="m\x1b[2J", purpose="plan", input_tokens=9, output_tokens=3, price=2)
    script.add(ModelFellBack, 3, model="m", reason="[red]no answer[/red]")
    script.add(Replanned, 4, reason="it failed", keeps=())
    script.failure("nobody\x07", "n\x1b]0;t\x07", 5, 6, will_retry=True)
    progress = {"subtask": "load", "attempt": 1, "fraction": None, "message": "[bold]\x1b[2Jhm"}
    script.add(AttemptProgressed, 7, **progress)
    script.add(AttemptProgressed, 8, **{**progress, "fraction": -3.0})
    script.add(RunFinished, 9, status="over_budget")
    return script.events


POOL = [*example_run(), *rivals_run(), *example_run("zh", "failed"), *rare_events(), *wide_run(70, 3)[:12]]


@given(st.lists(st.sampled_from(POOL), max_size=40), st.booleans())
@settings(max_examples=60, deadline=None)
def test_events_in_any_order_never_break_a_face(picked: list[RunEvent], live: bool) -> None:
    events = [e.model_copy(update={"seq": n}) for n, e in enumerate(picked)]
    assert not CONTROL.search(told(events, live=live).replace("\n", ""))
    assert run_story([e for e in events if not isinstance(e, RunFinished)])
    assert render_page(events, None, "en").endswith("</html>\n")


def test_plain_story_has_one_short_line_an_event_and_the_whole_plan() -> None:
    lines = told(example_run()).splitlines()
    assert lines[0] == "Run 20261122-114502-9f3a: train a medical anomaly detector"
    assert "[   0.2 s] 12 steps on 4 nodes · 30 credits ($0.30) · about 7.5 s" in lines
    assert "   6. Train supervised detectors · medical · 5 credits · about 2.6 s" in lines
    assert "Note: The words may mean images; this plan works on a table of measurements." in lines
    assert "[   0.7 s] ✓ Load the breast-cancer table · analysis · 0.4 s" in lines
    assert any("medical went away before it answered; trying again" in line for line in lines)
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
    reader.join(timeout=PATIENCE_S)
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


def ended(status: Status, code: str, *, inputs: Sequence[str] = (), hint: str = "") -> RunResult:
    arguments = {name: FromInput(name=name) for name in inputs}
    subtask = Subtask(id=SubtaskId("a"), capability=CapabilityName("c"), arguments=arguments)
    problem = Problem(code=code, message="it would not work", hint=hint)
    plan = TaskGraph(subtasks=(subtask,))
    return RunResult(run_id=RunId("r"), status=status, problem=problem, plan=plan)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("failed", "unsupported"),
        ("failed", "invalid_intent"),
        ("failed", "unknown_input"),
        ("failed", "invalid_quantity"),
        ("failed", "usage"),
        ("failed", "plan_rejected"),
        ("failed", "quality_not_met"),
        ("over_budget", "over_budget"),
        ("infeasible", "infeasible"),
    ],
)
def test_result_that_resuming_cannot_help_names_no_resume_command(status: Status, code: str) -> None:
    lines = result_lines(ended(status, code, hint="Ask for something else."), "en")
    assert lines[0].endswith(": It would not work")
    assert lines[1] == "Ask for something else."
    assert not any("resume" in line for line in lines)


def test_bad_data_is_gone_on_with_by_naming_the_right_file() -> None:
    lines = result_lines(ended("failed", "bad_data", inputs=("data", "language")), "en")
    assert "Go on with the right file: easynet runs resume r --answer data=FILE" in lines
    lines = result_lines(ended("failed", "bad_data", inputs=("left", "right")), "zh")
    assert "改正输入后继续：easynet runs resume r --answer 名称=值" in lines


def test_command_that_the_hint_names_is_not_named_again() -> None:
    hint = "Agree with `easynet runs resume r --yes`."
    assert str(result_lines(ended("needs_input", "input_needed", hint=hint))).count("resume") == 1


def test_story_of_a_run_that_waits_for_approval_says_how_to_agree() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.add(ApprovalRequested, 1, question=Question(name="approve", text="Go ahead?"), price=5)
    text = run_story(script.events)
    assert text.count("Go ahead?") == 1
    assert "Answer with: easynet runs resume 20261122-114502-9f3a --yes" in text


def asking_run(language: Language = "en") -> RunScript:
    """A run whose one step asks which column it should take."""
    script = RunScript()
    intent = Intent(description="prepare my sales")
    question = Question(name="column", text="Which column is it?", choices=("a", "b"))
    graph = TaskGraph(subtasks=(Subtask(id=SubtaskId("p"), capability=CapabilityName("prepare")),))
    script.add(RunStarted, 0, intent=intent, version="1")
    script.add(IntentParsed, 0, parsed=ParsedIntent(text="x", language=language))
    script.add(PlanMade, 0.1, graph=graph, planner="c", titles={"prepare": "Prepare sales data"})
    script.add(AttemptStarted, 1, subtask="p", attempt=1, node="n")
    problem = Problem(code="input_needed", message=question.text)
    script.add(AttemptFailed, 2, subtask="p", attempt=1, node="n", problem=problem, will_retry=False)
    script.add(QuestionAsked, 2, question=question)
    return script


def answered_run() -> list[RunEvent]:
    script = asking_run()
    parsed = ParsedIntent(text="x", language="en", inputs={"column": "a"})
    script.add(IntentParsed, 3, parsed=parsed)
    script.attempt("p", "n", 3, 4, number=2)
    script.add(RunFinished, 4, status="succeeded")
    return script.events


def growing_run() -> RunScript:
    """A run whose plan has grown twice and is not complete; its first step is at work."""
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    for n in (1, 2):
        ids = [SubtaskId(f"s{i}") for i in range(n)]
        graph = TaskGraph(subtasks=tuple(Subtask(id=i, capability=CapabilityName(i)) for i in ids))
        script.add(PlanMade, n, graph=graph, planner="", titles={}, is_complete=False)
    script.add(AttemptStarted, 3, subtask="s0", attempt=1, node="n")
    return script


def test_growing_plan_is_told_as_it_grows() -> None:
    text = told(growing_run().events)
    assert "Planning: 1 step so far" in text
    assert "Planning: 2 steps so far" in text
    assert "planning goes on" in told(growing_run().events, live=True)


@pytest.mark.parametrize("live", [True, False])
def test_question_is_not_shown_as_a_failure(live: bool) -> None:
    text = told(asking_run().events, live=live)
    assert "? Prepare sales data · waits for an answer" in text
    assert "✗" not in text
    assert "? Prepare sales data · 等待回答" in told(asking_run("zh").events, live=live)


@pytest.mark.parametrize("live", [True, False])
def test_answered_question_leaves_no_failed_attempt_behind(live: bool) -> None:
    assert RunAccount.of(answered_run()).step(SubtaskId("p")).state == "succeeded"
    text = told(answered_run(), live=live)
    assert "✓ Prepare sales data" in " ".join(text.split())
    for words in (text, run_story(answered_run())):
        assert "attempt" not in words
        assert "✗" not in words


def test_step_whose_question_was_answered_waits_for_its_turn() -> None:
    until_answer = answered_run()[:7]
    assert isinstance(until_answer[-1], IntentParsed)
    assert RunAccount.of(asking_run().events).step(SubtaskId("p")).state == "asking"
    assert RunAccount.of(until_answer).step(SubtaskId("p")).state == "waiting"


def test_story_of_an_open_question_asks_it_once_and_says_how_to_answer() -> None:
    text = run_story(asking_run().events)
    assert text.count("Which column is it?") == 1
    assert "Answer with: easynet runs resume 20261122-114502-9f3a --answer column=VALUE" in text
    assert "?  Prepare sales data" in text


def test_cancelled_run_tells_of_each_attempt_that_was_cut_short() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.add(AttemptStarted, 1, subtask="a", attempt=1, node="n")
    script.add(RunFinished, 3, status="cancelled")
    assert told(script.events).splitlines()[-2:] == ["[   3.0 s] – a · n · stopped", "Cancelled"]
    assert "3 s  – a · n · stopped" in run_story(script.events)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                "1 s  → a · swift, beside slow, which takes long",
                "2 s  – a · slow · overtaken by swift after 2 s",
                "3 s  → b · other, for a second opinion",
                "4 s  ✓ b · first · 1 s, confirmed by other",
            ],
        ),
        (
            "zh",
            [
                "1 秒  → a · swift，slow 耗时较长，与它同时进行",
                "2 秒  – a · slow · 2 秒后被 swift 赶超",
                "3 秒  → b · other，由它再算一次以便核对",
                "4 秒  ✓ b · first · 1 秒，other 得到相同结果",
            ],
        ),
    ],
)
def test_story_tells_who_overtook_whom_and_who_confirmed_what(language: Language, lines: list[str]) -> None:
    text = run_story(rivals_run(language))
    assert [line.strip() for line in text.splitlines() if line.strip() in lines] == lines
    table = text[: text.index(say(language, "On the way", "途中"))]
    assert say(language, "faster than slow", "比 slow 更快") in table
    assert say(language, "confirmed by other", "other 得到相同结果") in table
    assert say(language, "attempts", "次尝试") not in table


@pytest.mark.parametrize("live", [True, False])
def test_attempts_beside_each_other_are_told_while_they_happen(live: bool) -> None:
    text = told(rivals_run("en"), live=live)
    assert "faster than slow" in text
    assert "confirmed by other" in text


def test_attempt_that_was_cancelled_with_its_run_is_told_once() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.add(AttemptStarted, 1, subtask="a", attempt=1, node="n")
    script.add(AttemptCancelled, 2, subtask="a", attempt=1, node="n", why="stopped")
    script.add(RunFinished, 3, status="cancelled")
    assert run_story(script.events).count("a · n · stopped") == 1
    assert told(script.events).count("a · n · stopped") == 1


def test_killed_run_has_stopped_attempts_before_and_after_it_is_resumed() -> None:
    events = example_run(ending="interrupted")
    text = run_story(events, is_running=False)
    assert "– Train supervised detectors · medical · stopped" in text
    assert "running" not in text
    resumed = events[0].model_copy(update={"resumed": True, "at": events[-1].at + 60, "seq": len(events)})
    text = run_story([*events, resumed])
    assert text.index("– Train supervised detectors") < text.index("Resuming")


def test_one_node_can_do_it() -> None:
    script = RunScript()
    name = CapabilityName("c")
    offers = {name: (Offer(node=NodeId("n"), capability=name, price=1, expected_s=1),)}
    script.add(NodesFound, 0, offers=offers)
    assert "1 node can do it." in told(script.events)


def test_chinese_lines_have_chinese_marks_and_none_twice() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="整理数据"), version="1")
    script.add(IntentParsed, 0, parsed=ParsedIntent(text="x", language="zh"))
    for n, words in enumerate(("没有这一列。", "是哪一列？"), 1):
        problem = Problem(code="bad_data", message=words)
        key = {"subtask": "a", "attempt": n, "node": "n", "problem": problem}
        script.add(AttemptFailed, n, **key, will_retry=n == 1)
    script.add(RunFinished, 3, status="failed", problem=Problem(code="bad_data", message="是哪一列？"))
    text = told(script.events)
    assert "✗ a · n：没有这一列；将重试" in text
    assert "✗ a · n：是哪一列？\n" in text
    assert result_lines(replay(script.events), "zh")[0] == "失败：是哪一列？"


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (7.53, "about 7.5 s", "约 7.5 秒"),
        (0.004, "under 0.01 s", "不到 0.01 秒"),
        (0.0, "about 0 s", "约 0 秒"),
    ],
)
def test_estimates_read_like_sentences(seconds: float, en: str, zh: str) -> None:
    assert about(seconds, "en") == en
    assert about(seconds, "zh") == zh


def test_inputs_are_named_and_files_go_by_their_own_names() -> None:
    inputs: dict[str, JsonValue] = {"a": 1, "data": "/home/me/my sales.csv", "rate": "3/4 of it"}
    assert inputs_line(inputs, "en") == "Input: a = 1, data = my sales.csv, rate = 3/4 of it"
    assert inputs_line({"a": 1, "b": [1, 2]}, "zh") == "输入：a = 1，b = [1, 2]"
    assert inputs_line({}, "en") == ""


def test_metrics_are_labelled_in_words() -> None:
    metrics = {"wape": 0.1, "wape_low": 0.05, "wape_high": 0.2, "baseline_wape": 0.3, "odd_low": 4.0}
    assert measurements(metrics, "en") == [
        ("Error (WAPE)", "0.100", "0.050 – 0.200"),
        ("Error of the simple rule (WAPE)", "0.300", ""),
        ("Odd low", "4", ""),
    ]
    assert [m.label for m in measurements(metrics, "zh")][:2] == ["误差 (WAPE)", "简单规则的误差 (WAPE)"]


LONG = RunResult(
    run_id=RunId("r"),
    status="failed",
    headline=(
        "Your data: sales.csv has far more rows than anybody would read on one line of a terminal.",
        "数据共有一万二千行，其中有三列是文本，其余各列是数字；没有一列是空的，也没有重复的行。",
    ),
    files={
        "model": Path("/tmp/a folder with a long name/and another one within it/and then the model.skops")
    },
    problem=Problem(
        code="bad_data",
        message="the file cannot be read: /tmp/somewhere/very/deep/in/the/tree/of/folders/sales-of-2026.csv"
        " (gone)",
        hint="Look with `easynet runs show 20261122-114502-9f3a` at what was done until the file went away.",
    ),
)


@pytest.mark.parametrize("width", [60, 80])
def test_result_on_a_terminal_breaks_between_words_and_never_within_paths_and_commands(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("easynet.cli.render_result.terminal_columns", lambda: width)
    print_result(LONG, "en")
    rows = capsys.readouterr().out.splitlines()
    assert "Your data: sales.csv has far more rows than anybody would" in rows[0]
    path = "/tmp/somewhere/very/deep/in/the/tree/of/folders/sales-of-2026.csv"
    for whole in (path, "`easynet runs show 20261122-114502-9f3a`", str(LONG.files["model"])):
        assert any(whole in row for row in rows)
    assert all(columns(row) <= width for row in rows if "/tmp/" not in row)
    assert not any(row.startswith(("，", "。", "；")) for row in rows)


def test_piped_result_has_one_line_an_item(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(LONG, "zh")
    assert capsys.readouterr().out.splitlines() == result_lines(LONG, "zh")


@given(st.text(alphabet="ab ,.-:/`数据，。（）“”", max_size=80), st.integers(10, 40))
def test_wrapping_loses_nothing_but_spaces(line: str, width: int) -> None:
    assert "".join("".join(wrap_prose(line, width)).split()) == "".join(line.split())


def test_items_are_wrapped_below_their_words() -> None:
    assert wrap_prose("  - one two three four", 14) == ["  - one two", "    three four"]


def test_result_is_said_in_chinese() -> None:
    lines = result_lines(replay(example_run("zh")), "zh")
    assert lines[0].startswith("演示数据")
    assert "灵敏度：0.829" in lines


def test_story_of_a_finished_run_has_plan_trouble_money_and_result() -> None:
    text = run_story(example_run())
    assert "Started 2026-11-22 11:45:02 UTC" in text
    assert re.search(r"✓  Train supervised detectors +spare +2 attempts +2.6 s  5 credits", text)
    assert "2.9 s  ✗ Train supervised detectors" in text
    assert "→ Train supervised detectors · spare, attempt 2" in text
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
    load = Capability(
        name=CapabilityName("load_table"),
        description={"en": "Reads a CSV", "zh": "读取表格"},
        parameters=(
            Parameter(name="data", type=TypeRef(name="File")),
            Parameter(name="sep", type=TypeRef(name="str"), required=False, default=","),
        ),
        output=TypeRef(name="Table"),
        examples=("read my table",),
    )
    return [
        Node(name=NodeId("medical"), instance="1", trust=Trust.OWN, capabilities=(train, load), running=1),
        Node(name=NodeId("分析节点"), instance="2", capabilities=(load.model_copy(update={"price": 3}),)),
    ]


def test_piped_functions_are_one_uncut_line_each_with_their_nodes_and_price_range() -> None:
    text = functions_table(some_nodes())
    assert re.search(r"load_table +1–3 +medical, 分析节点 +Reads a CSV", text)
    assert text.count("train_one_class") == 1
    assert "and a good deal more is said here" in text
    assert "读取表格" in functions_table(some_nodes(), "zh")


def test_nodes_are_listed_with_how_far_they_are_trusted() -> None:
    nodes = [n.model_copy(update={"trust": t}) for n, t in zip(some_nodes() * 2, Trust, strict=False)]
    told: dict[Language, tuple[str, ...]] = {
        "en": ("own", "trusted", "public"),
        "zh": ("自有", "受信", "公共"),
    }
    for language, words in told.items():
        text = nodes_table(nodes, language)
        assert all(word in text for word in words)


def test_functions_on_a_terminal_are_wrapped_and_not_cut() -> None:
    rows = functions_list(some_nodes(), 60).splitlines()
    assert rows[0] == "load_table · 1–3 credits · medical, 分析节点"
    assert " ".join(rows[3:]).split()[-3:] == ["is", "said", "here[2J"]
    assert all(columns(row) <= 60 for row in rows)


def test_one_function_is_shown_in_full() -> None:
    text = function_details(offered(some_nodes(), "load_table"))
    assert text.splitlines()[0] == "load_table(data: File, sep: str = ',') -> Table"
    assert "    Reads a CSV\n    读取表格\n" in text
    assert re.search(r"data: File +needed\n +sep: str +otherwise ','", text)
    assert (
        "    medical (own) · 1 credit ($0.01) · about 1 s\n    分析节点 (public) · 3 credits ($0.03)" in text
    )
    assert text.endswith('Example:\n    easynet "read my table" --input data=FILE')


def test_unknown_function_names_the_nearest() -> None:
    with pytest.raises(UnknownFunction) as raised:
        offered(some_nodes(), "load_tabel")
    assert raised.value.hint == "Did you mean 'load_table'?"
    with pytest.raises(UnknownFunction, match="'zzz'"):
        offered(some_nodes(), "zzz")


@pytest.mark.parametrize(
    ("words", "kind", "count"),
    [(["functions"], Capability, 3), (["nodes"], Node, 2), (["functions", "load_table"], Capability, 2)],
)
def test_lists_for_programs_are_one_object_a_line(
    words: list[str], kind: type[Capability | Node], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.cli.look.nodes_of", lambda _: some_nodes())
    monkeypatch.setattr("easynet.cli.look.nodes_and_rights", lambda _: (some_nodes(), Limits()))
    ran = CliRunner().invoke(app, [*words, "--json"])
    assert ran.exit_code == 0
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert all(item.pop("allowed", True) for item in found)
    assert len([kind.model_validate(item) for item in found]) == count


@pytest.mark.parametrize(
    ("functions", "allowed"),
    [((), "yes yes"), (("load_table",), "yes no"), (("分析节点.load_table",), "yes no"), (("x",), "no no")],
)
def test_functions_that_may_not_be_called_are_marked(functions: tuple[str, ...], allowed: str) -> None:
    rights, expected = Limits(functions), allowed.split()
    found = {
        (f := json.loads(line))["name"]: f["allowed"]
        for line in functions_json(offered(some_nodes()), rights)
    }
    table = functions_table(some_nodes(), rights=rights)
    listed = functions_list(some_nodes(), 200, rights=rights).splitlines()
    for name, word in zip(("load_table", "train_one_class"), expected, strict=True):
        assert ("Allowed" in table) == ("no" in expected)
        assert bool(re.search(rf"{name} .* no ", table)) == (word == "no")
        [line] = [line for line in listed if line.startswith(name)]
        assert line.endswith("not allowed") == (word == "no")
    assert found["train_one_class"] == (expected[1] == "yes")


def test_function_is_shown_with_the_nodes_at_which_it_may_be_called() -> None:
    text = function_details(offered(some_nodes(), "load_table"), rights=Limits(("medical.load_table",)))
    assert re.search(r"medical \(own\) .* about 1 s\n", text)
    assert re.search(r"分析节点 \(public\) .* about 1 s · not allowed\n", text)


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
    monkeypatch.setattr("easynet.cli.render_table.terminal_columns", lambda: width)
    monkeypatch.setenv("FORCE_COLOR", "1")
    run = RunSummary(RunId("20261122-114502-9f3a"), 1e9, "训练一个模型\x1b[31m" * 20, "failed", 5)
    tables = [nodes_table(some_nodes()), functions_list(some_nodes(), width), runs_table([run])]
    for text in tables:
        assert not CONTROL.search(text.replace("\n", ""))
        for line in text.splitlines():
            assert sum(2 if c >= "\u2e80" else 1 for c in line) <= width


def test_empty_lists_say_so() -> None:
    assert runs_table([]) == "There is no run yet."
    assert nodes_table([]) == "No node is on this network."
    assert functions_table([]) == functions_list([], 80) == "No node offers a function."


def test_a_plan_of_a_thousand_steps_is_told_in_few_lines() -> None:
    events = wide_run(1000, 10)
    until_plan = next(n for n, e in enumerate(events) if isinstance(e, PlanMade))
    assert len(RunAccount.of(events[: until_plan + 1]).current) == 1000
    live = told(events[: until_plan + 1], live=True)
    assert "… " in live
    assert len(live.splitlines()) < 40
