"""The recordings that evals replay: enough of them, varied, small, and silent about whoever made them."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import pytest

from easynet.core.events import IntentParsed, NodesFound
from easynet.execution.recording import Recording
from evals.portable import MOST_BYTES
from evals.record import record
from evals.recorded_requests import REQUESTS
from evals.simulation.case import RECORDINGS

PATHS = sorted(RECORDINGS.glob("*.jsonl"))
OURS = {r.name for r in REQUESTS}


def language_of(recording: Recording) -> str:
    return next(e.parsed.language for e in recording.events if isinstance(e, IntentParsed))


def width_of(recording: Recording) -> int:
    """The most steps that could run at once, by their depth."""
    depth: dict[str, int] = {}
    for subtask in recording.graph.in_order:
        depth[subtask.id] = 1 + max((depth[n] for n in subtask.needs), default=0)
    return max(Counter(depth.values()).values())


@pytest.fixture(scope="module")
def recordings() -> dict[str, Recording]:
    return {path.stem: Recording.read(path) for path in PATHS}


def test_there_are_enough_in_both_languages_over_many_fields(recordings: dict[str, Recording]) -> None:
    assert len(recordings) >= 40
    languages = Counter(language_of(r) for r in recordings.values())
    assert min(languages.values()) >= 0.4 * len(recordings)
    assert len({name.split("-")[0] for name in recordings}) >= 6


def test_each_succeeded_and_tells_what_its_functions_are(recordings: dict[str, Recording]) -> None:
    for name, recording in recordings.items():
        assert recording.ended is not None, name
        assert recording.ended.status == "succeeded", name
        assert {*recording.graph.capabilities} <= recording.by_name.keys(), name


def test_plans_are_small_and_large_and_some_are_wide(recordings: dict[str, Recording]) -> None:
    steps = [len(r.graph.subtasks) for r in recordings.values()]
    assert max(steps) >= 9
    assert sum(s >= 3 for s in steps) >= 30
    assert sum(width_of(r) >= 3 for r in recordings.values()) >= 10
    assert max(map(width_of, recordings.values())) >= 5


def test_most_functions_of_our_own_were_offered_on_different_terms(recordings: dict[str, Recording]) -> None:
    offers = [
        o
        for r in recordings.values()
        for e in r.events
        if isinstance(e, NodesFound)
        for o in e.offers.values()
    ]
    varied = [o for o in offers if len({(x.price, x.expected_s) for x in o}) > 1]
    assert len(varied) > len(offers) / 2


def test_some_hide_their_values(recordings: dict[str, Recording]) -> None:
    assert 2 <= sum(r.is_redacted for r in recordings.values()) <= len(recordings) / 3


def test_they_are_small_and_name_no_place_of_a_machine() -> None:
    assert sum(p.stat().st_size for p in PATHS) < 1_500_000
    for path in PATHS:
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) <= MOST_BYTES, path.name
        assert not re.search(r"/(home|root|tmp|Users|var|work)/|[A-Z]:\\", text), path.name


def test_each_request_has_its_recording() -> None:
    assert {p.stem for p in PATHS} >= OURS


@pytest.mark.slow
def test_a_request_is_recorded_by_really_doing_it(tmp_path: Path) -> None:
    wanted = [r for r in REQUESTS if r.name in ("finance-loan-zh", "school-timetable-en")]
    assert asyncio.run(record(wanted, tmp_path)) == []
    loan = Recording.read(tmp_path / "finance-loan-zh.jsonl")
    kept = Recording.read(RECORDINGS / "finance-loan-zh.jsonl")
    assert loan.results == kept.results
    assert loan.graph == kept.graph
    assert Recording.read(tmp_path / "school-timetable-en.jsonl").is_redacted
