"""The report page: what it says, in which order, and that nothing from outside can break it."""

import re
import struct
import zlib
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easynet.agents.report_findings import figure_html
from easynet.agents.report_layout import lay_out, layers_of
from easynet.agents.report_page import render_page
from easynet.agents.report_timeline import ticks
from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import Step
from easynet.core.events import (
    RUN_EVENT,
    AttemptFailed,
    AttemptStarted,
    IntentParsed,
    PlanMade,
    Problem,
    Question,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
    SubtaskFinished,
)
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent
from easynet.core.report import Report, Section
from easynet.core.result import replay
from easynet.core.task_graph import FromSubtask, Subtask, TaskGraph
from easynet.testing.example_run import RunScript, example_run, rivals_run, wide_run

HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror='a()'>\"'&\x1b[2J\u202e\ud800"
EMPTY_TAGS = {"meta", "img"}


def tiny_png() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0\0\0\0" * 2)) + chunk(b"IEND", b"")
    )


def a_report(words: str = "Models", png: bytes | None = None, *, is_demo: bool = True) -> Report:
    late = Section(title="Limits", order=9, headline=[], text=["One test set."], tables=[], figures=[])
    early = Section(
        title=words,
        order=1,
        headline=[words],
        text=[words],
        tables=[{"title": words, "columns": [words, "AUC"], "rows": [[words, 0.98214], ["b", 12000]]}],
        figures=[{"title": words, "alt": words, "png": png if png is not None else tiny_png()}],
    )
    return Report(
        title=words,
        source={"name": words, "is_demo": is_demo, "rows": 569, "columns": 31, "note": words},
        headline=[f"Demo data: {words}", "Best of five."],
        sections=[late, early],
    )


class Page(HTMLParser):
    """What a browser would find: elements, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in EMPTY_TAGS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def assert_is_inert(page: Page) -> None:
    """Nothing on the page runs, and nothing is fetched."""
    assert not page.open
    assert not {"script", "iframe", "object", "embed", "link", "form", "base", "a"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ("src", "href", "srcset", "action", "xlink:href"):
            assert tag == "img"
            assert value.startswith("data:image/png;base64,")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_says_in_order_what_was_used_found_measured_and_how(language: str) -> None:
    page = Page(render_page(example_run("en"), a_report(), "zh" if language == "zh" else "en"))
    en = ["Models", "Demo data", "Best of five.", "What this does not do", "Measured", "0.907 – 0.986"]
    en += ["One test set.", "How this was done", "The plan", "The run", "Steps", "Money"]
    zh = ["Models", "演示数据", "Best of five.", "本次没有做到的", "测量结果", "0.907 – 0.986"]
    zh += ["One test set.", "过程", "计划", "运行", "步骤", "费用"]
    places = [page.text.find(words) for words in (zh if language == "zh" else en)]
    assert -1 not in places
    assert places[:8] == sorted(places[:8])
    assert ("html", "lang", "zh-CN" if language == "zh" else "en") in page.attributes


def test_demo_data_is_marked_and_own_data_is_not_called_demo() -> None:
    demo = render_page(example_run(), a_report(is_demo=True), "en")
    own = render_page(example_run(), a_report(is_demo=False), "en")
    assert 'class="badge mark-demo">Demo data</strong>' in demo
    assert 'class="badge mark-own">Your data</strong>' in own
    assert "mark-demo" not in own.split("</style>")[1]


def test_page_forbids_everything_but_its_own_style_and_pictures() -> None:
    html = render_page(example_run(), a_report(), "en")
    page = Page(html)
    assert (
        "meta",
        "content",
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    ) in page.attributes
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", html)
    assert_is_inert(page)


def test_hostile_text_from_nodes_stays_text() -> None:
    events = [RUN_EVENT.validate_python(e.model_dump()) for e in example_run(ending="failed")]
    titles = {CapabilityName("load"): HOSTILE.replace("\ud800", "")}
    words = HOSTILE.replace("\ud800", "")
    bad = Problem(code="x", message=words, hint=words)
    hostile: list[RunEvent] = []
    for event in events:
        if isinstance(event, PlanMade):
            event = event.model_copy(update={"titles": titles, "caveats": (words,)})
        if isinstance(event, AttemptStarted | SubtaskFinished):
            event = event.model_copy(update={"node": NodeId(words)})
        if isinstance(event, AttemptFailed):
            event = event.model_copy(update={"problem": bad})
        if isinstance(event, RunFinished):
            event = event.model_copy(update={"problem": bad, "headline": (words,), "metrics": {words: 0.5}})
        hostile.append(event)
    html = render_page(hostile, a_report(HOSTILE), "en")
    page = Page(html)
    assert_is_inert(page)
    assert "<script>alert(1)</script>" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", html)
    html.encode("utf-8")


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_text_gives_a_page_that_parses(title: str, node: str) -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description=title), version="1")
    graph = TaskGraph(subtasks=(Subtask(id=SubtaskId("a"), capability=CapabilityName("c")),))
    script.add(PlanMade, 1, graph=graph, planner="p", titles={"c": title}, caveats=(node,))
    script.attempt("a", node, 1, 2)
    assert_is_inert(Page(render_page(script.events, a_report(title), "en")))


def test_only_a_png_is_shown_and_it_keeps_its_size() -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>" + b" " * 40
    assert figure_html({"title": "t", "alt": "a", "png": svg}) is None
    assert figure_html({"title": "t", "alt": "a", "png": b"\x89PNG\r\n\x1a\n"}) is None
    shown = figure_html({"title": "t", "alt": "a curve", "png": tiny_png()})
    assert shown is not None
    assert 'alt="a curve"' in shown
    assert 'width="3" height="2"' in shown


def test_failed_run_says_why_and_what_to_do_next() -> None:
    page = Page(render_page(example_run(ending="failed"), None, "en"))
    assert "“Train supervised detectors” failed on medical and on spare" in page.text
    assert "See whether the nodes are up" in page.text
    assert "easynet runs resume 20261122-114502-9f3a" in page.text
    assert "6 of 12 steps" in page.text


def test_unfinished_run_shows_what_is_running_and_how_to_go_on() -> None:
    page = Page(render_page(example_run(ending="interrupted"), None, "en"))
    assert "Not finished" in page.text
    assert "running" in page.text
    assert "easynet runs resume" in page.text


def test_open_question_is_shown_with_its_choices() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="grow my sales"), version="1")
    question = Question(name="data", text="Which file?", choices=("sales.csv", "old.csv"))
    script.add(QuestionAsked, 1, question=question)
    hint = "Answer with `easynet runs resume x --answer data=...`"
    problem = Problem(code="input_needed", message="Which file?", hint=hint)
    script.add(RunFinished, 2, status="needs_input", problem=problem)
    page = Page(render_page(script.events, None, "en"))
    assert "Waiting for an answer" in page.text
    assert "old.csv" in page.text
    assert page.text.count("runs resume") == 1, "the hint has the command already"


def asking_run(*, answered: bool) -> list[RunEvent]:
    """A run whose one step asks which column it should take."""
    script = RunScript()
    graph = TaskGraph(subtasks=(Subtask(id=SubtaskId("p"), capability=CapabilityName("prepare")),))
    question = Question(name="column", text="Which column is it?")
    problem = Problem(
        code="input_needed", message=question.text, hint="Answer with `easynet runs resume x -a`."
    )
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.add(PlanMade, 0.1, graph=graph, planner="c", titles={"prepare": "Prepare sales data"})
    script.add(AttemptStarted, 1, subtask="p", attempt=1, node="n")
    script.add(AttemptFailed, 2, subtask="p", attempt=1, node="n", problem=problem, will_retry=False)
    script.add(QuestionAsked, 2, question=question)
    if answered:
        script.add(IntentParsed, 3, parsed=ParsedIntent(text="x", language="en"))
        script.attempt("p", "n", 3, 4, number=2)
        script.add(RunFinished, 4, status="succeeded")
    else:
        script.add(RunFinished, 2, status="needs_input", problem=problem)
    return script.events


def body(html: str) -> str:
    return html.split("</style>")[1]


def test_open_question_looks_like_a_question_and_is_asked_once() -> None:
    html = body(render_page(asking_run(answered=False), None, "en"))
    assert html.count("Which column is it?") == 1
    assert "<code>easynet runs resume x -a</code>" in html
    assert 'class="notice"' in html
    assert "notice-problem" not in html
    assert 'class="state state-asking">waits for an answer</span>' in html
    assert 'class="outcome-asked"' in html
    assert 'class="box-note">waits for an answer</text>' in html
    assert "failed" not in html
    assert "等待回答" in render_page(asking_run(answered=False), None, "zh")


def test_answered_question_is_no_failed_attempt() -> None:
    page = Page(render_page(asking_run(answered=True), None, "en"))
    assert "Prepare sales data n done 1 1 s 2" in page.text
    assert "Amber: asked a question." in page.text
    assert "failed" not in page.text.lower()


def test_cancelled_run_is_not_shown_as_a_fault_and_its_attempts_are_stopped() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.add(AttemptStarted, 1, subtask="a", attempt=1, node="n")
    script.add(RunFinished, 2, status="cancelled")
    html = body(render_page(script.events, None, "en"))
    assert "notice-problem" not in html
    assert 'class="outcome-stopped"' in html
    assert "state-stopped" in html
    assert "<code>easynet runs resume 20261122-114502-9f3a</code>" in html


def test_problem_is_a_sentence_and_its_hint_a_list_with_commands_in_code() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    hint = "It can do, among others:\n  - forecast\n  - train\n`easynet functions` lists all."
    problem = Problem(code="unsupported", message="nothing on this network does “x”", hint=hint)
    script.add(RunFinished, 2, status="failed", problem=problem)
    html = body(render_page(script.events, None, "en"))
    assert "<p>Nothing on this network does “x”</p>" in html
    assert "<ul><li>forecast</li><li>train</li></ul><p><code>easynet functions</code> lists all.</p>" in html
    assert "resume" not in html


def test_shortest_attempts_have_a_bar_and_a_time() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.attempt("a", "n", 0.5, 0.502)
    script.attempt("b", "n", 0.6, 0.6)
    html = body(render_page(script.events, None, "en"))
    widths = [float(w) for w in re.findall(r'<rect[^>]* width="([\d.]+)"[^>]*outcome-', html)]
    assert len(widths) == 2
    assert min(widths) >= 3
    assert 'class="lane-note">under 0.01 s</text>' in html
    assert 'class="lane-note">0 s</text>' in html


def test_short_names_stay_in_one_line_and_long_ones_may_break() -> None:
    report = a_report()
    rows: list[list[str | int | float]] = [["Trail shoes", 1], ["A name that would be wider than a phone", 2]]
    report["sections"][1]["tables"] = [{"title": "t", "columns": ["product", "n"], "rows": rows}]
    html = render_page(example_run(), report, "en")
    assert '<td class="name">Trail shoes</td>' in html
    assert "<td>A name that would be wider than a phone</td>" in html


@pytest.mark.parametrize("count", [0, 1])
def test_page_of_a_run_that_hardly_began_is_a_page(count: int) -> None:
    page = Page(render_page(example_run()[:count], None, "en"))
    assert_is_inert(page)
    assert "h1" in page.tags


@pytest.mark.parametrize("steps", [1, 2, 12, 60])
def test_each_step_has_a_box_up_to_sixty(steps: int) -> None:
    html = render_page(wide_run(steps, 6), None, "en")
    assert html.count('class="box"') == steps


@pytest.mark.parametrize(("steps", "layers"), [(61, 6), (1000, 10), (300, 300)])
def test_many_steps_are_drawn_in_summary(steps: int, layers: int) -> None:
    html = render_page(wide_run(steps, layers), None, "en")
    assert 1 < html.count('class="box"') <= 60
    assert f"All {steps} steps" in html
    assert_is_inert(Page(html))


def test_timeline_has_a_bar_for_each_attempt_and_colours_failures() -> None:
    html = render_page(example_run(), None, "en")
    assert html.count('class="outcome-succeeded"') == 12
    assert html.count('class="outcome-failed"') == 1
    assert "Red: failed." in html


def test_attempts_beside_each_other_have_rows_and_words_of_their_own() -> None:
    html = render_page(rivals_run(), None, "en")
    assert html.count('class="outcome-succeeded"') == 2
    assert html.count('class="outcome-superseded"') == html.count('class="outcome-confirmed"') == 1
    tops = re.findall(r'<rect[^>]* y="([\d.]+)"[^>]*outcome-', html)
    assert len({*tops}) == 4
    text = Page(html).text
    assert "Slow: overtaken by swift after 2 s" in text
    assert "Faster than slow" in text
    assert "Confirmed by other" in text
    assert "2 秒后被 swift 赶超" in render_page(rivals_run("zh"), None, "zh")


def test_money_names_estimate_reserved_paid_and_returned() -> None:
    page = Page(render_page(example_run(), None, "en"))
    assert "Estimated 30 credits ($0.30) Set aside 32 credits ($0.32)" in page.text
    assert "Paid 30 credits ($0.30) Returned 2 credits ($0.02)" in page.text


def test_pause_before_a_resumption_is_left_out_of_the_clock() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.add(AttemptStarted, 1, subtask="a", attempt=1, node="n")
    script.add(RunStarted, 5000, intent=Intent(description="x"), version="1", resumed=True)
    script.attempt("a", "n", 5001, 5003, number=2)
    account = RunAccount.of(script.events)
    assert account.now_s == pytest.approx(4.0)
    assert account.breaks_s == [pytest.approx(1.0)]
    first, second = account.step(SubtaskId("a")).sent
    assert (first.outcome, second.outcome) == ("stopped", "succeeded")
    assert "the pause is left out" in render_page(script.events, None, "en")


def test_new_plan_keeps_what_was_tried_and_says_that_it_was_replaced() -> None:
    script = RunScript()
    old = TaskGraph(subtasks=(Subtask(id=SubtaskId("old"), capability=CapabilityName("old")),))
    new = TaskGraph(subtasks=(Subtask(id=SubtaskId("new"), capability=CapabilityName("new")),))
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.add(PlanMade, 1, graph=old, planner="p", titles={})
    script.failure("old", "n", 2, 3, will_retry=False)
    script.add(Replanned, 4, reason="old failed", keeps=())
    script.add(PlanMade, 5, graph=new, planner="p", titles={})
    script.attempt("new", "n", 6, 7)
    page = Page(render_page(script.events, None, "en"))
    assert "failed, replaced" in page.text
    assert "Planned anew: old failed" in page.text
    assert "1 step on 1 node" in page.text


@pytest.mark.parametrize("is_complete", [True, False])
def test_page_says_where_a_plan_was_never_complete(is_complete: bool) -> None:
    script = RunScript()
    begun, whole = (
        TaskGraph(subtasks=tuple(Subtask(id=SubtaskId(i), capability=CapabilityName(i)) for i in ids))
        for ids in ("a", "ab")
    )
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.add(PlanMade, 1, graph=begun, planner="", titles={}, is_complete=False)
    script.attempt("a", "n", 2, 3)
    if is_complete:
        script.add(PlanMade, 4, graph=whole, planner="p", titles={})
    script.add(RunFinished, 5, status="cancelled")
    text = Page(render_page(script.events, None, "en")).text
    assert ("The plan was not complete." in text) != is_complete
    result = replay(script.events)
    assert (result.plan, result.is_plan_complete) == (whole if is_complete else begun, is_complete)


def test_circular_plan_gives_a_page_without_a_picture_of_it() -> None:
    a, b = SubtaskId("a"), SubtaskId("b")
    subtasks = tuple(
        Subtask(id=i, capability=CapabilityName(i), arguments={"x": FromSubtask(subtask=j)})
        for i, j in ((a, b), (b, a))
    )
    script = RunScript()
    script.add(PlanMade, 0, graph=TaskGraph(subtasks=subtasks), planner="p", titles={})
    html = render_page(script.events, None, "en")
    assert 'class="box"' not in html
    assert "<tbody>" in html
    with pytest.raises(ValueError, match="cycle"):
        layers_of({"a": ["b"], "b": ["a"]})


@given(st.lists(st.frozensets(st.integers(0, 30), max_size=4), min_size=1, max_size=30))
@settings(deadline=None)
def test_boxes_of_a_layer_never_overlap_and_arrows_go_forward(sources: list[frozenset[int]]) -> None:
    before = {n: [s for s in found if s < n] for n, found in enumerate(sources)}
    layout = lay_out(before, size=100, gap=10)
    for layer in range(layout.layers):
        row = sorted(layout.across[k] for k in before if layout.layer[k] == layer)
        assert all(b - a >= 110 - 1e-6 for a, b in pairwise(row))
    for n, needs in before.items():
        assert all(layout.layer[s] < layout.layer[n] for s in needs)
    assert all(50 - 1e-6 <= x <= layout.extent - 50 + 1e-6 for x in layout.across.values())


@given(st.floats(0, 1e6), st.floats(0.001, 1e6))
def test_ticks_are_few_round_and_within_the_stretch(begins: float, takes: float) -> None:
    found = ticks(begins, begins + takes)
    assert 2 <= len(found) <= 8
    assert begins - 1e-6 * takes <= found[0] + 1e-9
    assert found[-1] <= (begins + takes) * (1 + 1e-6)
    assert ticks(0, takes)[0] == 0


def test_timeline_begins_where_the_work_begins() -> None:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.attempt("a", "n", 5, 5.5)
    html = body(render_page(script.events, None, "en"))
    assert re.search(r'<rect x="236"[^>]*class="outcome-succeeded"', html)
    assert ">5 s</text>" in html
    assert ">0 s</text>" not in html


@pytest.mark.parametrize(
    ("description", "title"),
    [
        ("Clean a table: turn text into numbers, trim values.", "Clean a table"),
        ("清洗数据表：将文本转为数字。", "清洗数据表"),
        ("Adds 2:1 mixes of a, b and c.", "Adds 2:1 mixes of a, b and c"),
        ("train_v1.2", "train_v1.2"),
        (": odd", ": odd"),
        ("", ""),
    ],
)
def test_title_of_a_step_is_the_first_clause_of_its_description(description: str, title: str) -> None:
    assert Step(SubtaskId("a"), description).title == title


def test_note_on_the_data_is_said_once_and_code_is_set_as_code() -> None:
    report = a_report("Cells")
    report["headline"].insert(1, "From the 1990s.")
    report["source"]["note"] = "From the 1990s."
    report["sections"][0]["text"] = ["Use `load_model(<path>)` then.", "One ` alone."]
    html = render_page(example_run(), report, "en")
    assert html.count("From the 1990s.") == 1
    assert "<p>Use <code>load_model(&lt;path&gt;)</code> then.</p>" in html
    assert "<p>One ` alone.</p>" in html
