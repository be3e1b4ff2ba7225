"""Reports of evals: kept as JSON, compared with earlier ones, shown as a page."""

from dataclasses import replace

import pytest

from evals.comparison import declines, violations
from evals.drawing import draw
from evals.page import page
from evals.report import Measure, Plot, Report, SuiteReport

SUITE = SuiteReport(
    suite="faults",
    title="what goes wrong",
    measures=(
        Measure("success", "higher", slack=1.0, unit="%", digits=1),
        Measure("makespan", "lower", tolerance=0.1, unit="x"),
        Measure("breaches", "lower", must_be=0.0, digits=0),
    ),
    rows={
        "slow <nodes>": {"success": 99.0, "makespan": 2.0, "breaches": 0},
        "random": {"success": 50.0, "makespan": None, "breaches": 3},
    },
    baselines=("random",),
    plots=(Plot("Makespan", "bars", "fault", "x", {"": [("slow", 2.0), ("fast", 1.0)]}, is_log=True),),
)


def with_row(**scores: float | None) -> SuiteReport:
    rows = {**SUITE.rows, "slow <nodes>": {**SUITE.rows["slow <nodes>"], **scores}}
    return replace(SUITE, rows=rows)


def test_a_report_is_the_same_after_it_was_written_down() -> None:
    text = Report((SUITE,), short=True).dumped()
    assert Report.loaded(text).dumped() == text


@pytest.mark.parametrize(
    "text", ["[]", '{"version": 0}', '{"version": 1}', '{"version": 1, "suites": [{}]}', "no"]
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Report.loaded(text)


def test_an_equal_report_is_no_worse() -> None:
    assert declines(Report((SUITE,)), Report((SUITE,))) == []


def test_a_score_may_fall_as_far_as_its_tolerance() -> None:
    assert declines(Report((with_row(makespan=2.2, success=98.0),)), Report((SUITE,))) == []


def test_a_score_that_falls_further_is_named() -> None:
    [line] = declines(Report((with_row(makespan=2.21),)), Report((SUITE,)))
    assert line == "faults: makespan of 'slow <nodes>' went from 2.00x to 2.21x"
    [line] = declines(Report((with_row(success=97.9),)), Report((SUITE,)))
    assert "success" in line


def test_a_score_that_can_no_longer_be_told_is_named() -> None:
    assert "can no longer be told" in declines(Report((with_row(makespan=None),)), Report((SUITE,)))[0]


def test_a_row_that_is_gone_is_named() -> None:
    gone = replace(SUITE, rows={"random": SUITE.rows["random"]})
    assert declines(Report((gone,)), Report((SUITE,))) == ["faults: 'slow <nodes>' is no longer measured"]


def test_better_scores_and_other_suites_do_not_count() -> None:
    other = replace(SUITE, suite="other")
    assert declines(Report((with_row(makespan=1.0, success=100.0),)), Report((SUITE, other))) == []


def test_short_reports_are_compared_with_short_ones() -> None:
    with pytest.raises(ValueError, match="short"):
        declines(Report((SUITE,), short=True), Report((SUITE,)))


def test_what_must_not_happen_is_found_without_a_baseline_and_not_in_baselines() -> None:
    assert violations(Report((SUITE,))) == []
    [line] = violations(Report((with_row(breaches=1),)))
    assert line == "faults: breaches of 'slow <nodes>' is 1, and must be 0"


def test_the_page_needs_nothing_else_and_cannot_be_broken() -> None:
    made = page(Report((SUITE,)))
    assert "<nodes>" not in made
    assert "<script" not in made
    assert "http://" not in made.replace("http://www.w3.org", "")
    assert "default-src" in made


def test_lines_and_bars_are_drawn_from_any_numbers() -> None:
    lines = Plot("a", "lines", "nodes", "s", {"us": [(1, 0.0), (10, 5.0)], "them": [(1, 3.0)]})
    assert draw(lines).count("<circle") == 3
    assert "<rect" in draw(replace(SUITE.plots[0], series={"": [("none", 0.0)]}))
    assert "<svg" in draw(replace(lines, series={}))
