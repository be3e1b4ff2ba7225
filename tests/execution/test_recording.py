"""Runs in files of their own."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.capability import Capability
from easynet.core.errors import BadData
from easynet.core.events import NodesFound, PlanMade, RunEvent
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.execution.recording import Recording
from easynet.testing.example_run import example_run

EVENTS = example_run("zh", "succeeded", "runs")
SPLIT = Capability(name=CapabilityName("split"), description={"zh": "划分"})


def with_capabilities(events: list[RunEvent]) -> list[RunEvent]:
    return [
        e.model_copy(update={"capabilities": (SPLIT,)}) if isinstance(e, NodesFound) else e for e in events
    ]


def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    Recording.of(with_capabilities(EVENTS), {SubtaskId("split"): {"rows": 3}}).write(path)
    return path


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    recording = Recording.of(
        with_capabilities(EVENTS), {SubtaskId("split"): {"行": [1, 2.5, None, "x"]}}, [SPLIT]
    )
    recording.write(tmp_path / "a.jsonl")
    assert Recording.read(tmp_path / "a.jsonl") == recording
    assert recording.capabilities == (SPLIT,)


def test_it_tells_the_intent_the_plan_and_the_end(tmp_path: Path) -> None:
    recording = Recording.read(recorded(tmp_path))
    assert recording.intent.text == "训练一个医学异常检测模型"
    assert recording.graph == next(e.graph for e in EVENTS if isinstance(e, PlanMade))
    assert recording.ended == EVENTS[-1]
    assert recording.run_id == EVENTS[0].run_id
    assert recording.by_name == {"split": SPLIT}


def test_capabilities_are_in_the_first_line_alone(tmp_path: Path) -> None:
    lines = recorded(tmp_path).read_text().splitlines()
    assert [c["name"] for c in json.loads(lines[0])["capabilities"]] == ["split"]
    [found] = [json.loads(line) for line in lines if '"nodes_found"' in line]
    assert found["capabilities"] == []


def test_only_small_plain_results_are_kept() -> None:
    values = {
        SubtaskId("plain"): {"a": [1]},
        SubtaskId("large"): "x" * 5000,
        SubtaskId("bytes"): b"x",
        SubtaskId("nan"): float("nan"),
        SubtaskId("object"): object(),
    }
    assert Recording.of(EVENTS, values).results == {"plain": {"a": [1]}}


def test_a_run_without_a_plan_has_no_graph() -> None:
    with pytest.raises(BadData, match="never had a plan"):
        _ = Recording.of(EVENTS[:2]).graph


def test_a_run_that_has_not_ended_has_no_end() -> None:
    assert Recording.of(EVENTS[:5]).ended is None


BREAKS: dict[str, Callable[[list[str]], list[str]]] = {
    "empty": lambda lines: [],
    "foreign JSON": lambda lines: ["[1, 2]", *lines],
    "foreign text": lambda lines: ["a,b", "1,2"],
    "no header": lambda lines: lines[1:],
    "damaged header": lambda lines: ['{"recording": 1, "colour": "red"}', *lines[1:]],
    "half a line": lambda lines: [*lines[:4], lines[4][:20]],
    "lost event": lambda lines: [*lines[:4], *lines[5:]],
    "lost start": lambda lines: [lines[0], *lines[2:]],
    "only a header": lambda lines: lines[:1],
    "unknown event": lambda lines: [*lines, '{"kind": "party"}'],
    "damaged result": lambda lines: [*lines, '{"result": 5}'],
    "deep": lambda lines: ["[" * 100_000],
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_no_recording_is_refused_with_its_name_and_a_hint(name: str, tmp_path: Path) -> None:
    path = recorded(tmp_path)
    path.write_text("\n".join(BREAKS[name](path.read_text().splitlines())))
    with pytest.raises(BadData, match=r"run\.jsonl") as raised:
        Recording.read(path)
    assert "runs export" in raised.value.hint
    assert "无法读取" in raised.value.in_language("zh")[0]


def test_a_later_format_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    path.write_text(path.read_text().replace('"recording":1', '"recording":2', 1))
    with pytest.raises(BadData, match="format 2"):
        Recording.read(path)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="No such file"):
        Recording.read(tmp_path / "none.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadData, match="not text"):
        Recording.read(tmp_path / "bytes.jsonl")


@given(
    changes=st.dictionaries(st.floats(0, 1, exclude_max=True), st.integers(0, 255), max_size=3),
    kept=st.floats(0, 1),
)
def test_whatever_becomes_of_a_file_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[float, int], kept: float
) -> None:
    path = recorded(tmp_path_factory.mktemp("recordings"))
    content = bytearray(path.read_bytes())
    for where, byte in changes.items():
        content[int(where * len(content))] = byte
    path.write_bytes(content[: int(kept * len(content))])
    with suppress(BadData):
        assert Recording.read(path).events


def test_a_line_ends_only_where_the_file_says_so(tmp_path: Path) -> None:
    recording = Recording.of(EVENTS, {SubtaskId("split"): "a\u2028b\x85c\r"})
    recording.write(tmp_path / "a.jsonl")
    assert Recording.read(tmp_path / "a.jsonl") == recording
