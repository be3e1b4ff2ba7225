"""`Recording`: a run in a file of its own, to look at elsewhere and to replay.

A file has JSON, one value a line: first `{"recording": 1, "easynet": VERSION, "redacted": bool,
"capabilities": [...]}`, then the run's events in order, then `{"result": SUBTASK, "value": ...}` for each
result that is small plain data.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from easynet._version import __version__
from easynet.core.capability import Capability
from easynet.core.errors import BadData
from easynet.core.events import RUN_EVENT, NodesFound, PlanMade, RunEvent, RunFinished, RunStarted
from easynet.core.ids import CapabilityName, RunId, SubtaskId
from easynet.core.intent import Intent
from easynet.core.plain_data import plain
from easynet.core.task_graph import TaskGraph

FORMAT: Final = 1
_MOST_CHARACTERS: Final = 4096
"""A larger result is left out."""


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    recording: int
    easynet: str
    redacted: bool = False
    capabilities: tuple[Capability, ...] = ()


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    result: SubtaskId
    value: JsonValue


_RESULT: Final = TypeAdapter(_Result)


@dataclass(frozen=True)
class Recording:
    """What happened in one run, and what came of its subtasks."""

    events: tuple[RunEvent, ...]
    """At least one; the first is a `RunStarted`, and their `seq` has no gaps."""
    results: Mapping[SubtaskId, JsonValue] = field(default_factory=dict[SubtaskId, JsonValue])
    """The results that are small plain data, by subtask."""
    capabilities: tuple[Capability, ...] = ()
    """What the plan's functions were offered as, and whatever else was said to be offered."""
    easynet: str = __version__
    """The version that wrote it."""
    is_redacted: bool = False
    """Whether values are hidden; see `execution.redaction`."""

    @classmethod
    def of(
        cls,
        events: Sequence[RunEvent],
        results: Mapping[SubtaskId, Any] | None = None,
        capabilities: Sequence[Capability] = (),
    ) -> Self:
        """The recording of a run in a journal; `results` are decoded.

        `capabilities` are added to those that the events tell of. Raises BadData where there is no event.
        """
        _check(events)
        known = {c.name: c for c in capabilities}
        stripped: list[RunEvent] = []
        for event in events:
            if isinstance(event, NodesFound):
                known |= {c.name: c for c in event.capabilities}
                event = event.model_copy(update={"capabilities": ()})  # they are in the first line
            stripped.append(event)
        small = {s: plain(v, _MOST_CHARACTERS) for s, v in (results or {}).items()}
        return cls(tuple(stripped), {s: v for s, v in small.items() if v is not None}, (*known.values(),))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The recording in a file. Raises BadData where it is none, or cannot be read."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise BadData(
                f"cannot read the recording {path}: {why or error}",
                hint="`easynet runs export ID -o FILE` writes one.",
                zh=f"无法读取运行记录 {path}：{why or error}",
                hint_zh="`easynet runs export ID -o FILE` 可以导出运行记录。",
            ) from error
        return cls._parsed(text.removesuffix("\n").split("\n"), path)

    @classmethod
    def _parsed(cls, lines: Sequence[str], path: Path) -> Self:
        header = _header(lines, path)
        events: list[RunEvent] = []
        results: dict[SubtaskId, JsonValue] = {}
        for number, line in enumerate(lines[1:], 2):
            try:
                if line.startswith('{"result":'):
                    found = _RESULT.validate_json(line)
                    results[found.result] = found.value
                else:
                    events.append(RUN_EVENT.validate_json(line))
            except ValidationError as error:
                raise _broken(
                    path, number, "it is neither an event nor a result", "既不是事件也不是结果"
                ) from error
        try:
            _check(events)
        except BadData as error:
            raise _broken(path, len(lines), error.message, error.in_language("zh")[0]) from error
        return cls(tuple(events), results, header.capabilities, header.easynet, header.redacted)

    def write(self, path: Path) -> None:
        """Write the file anew; raises OSError."""
        path.write_bytes(b"".join(line + b"\n" for line in self.lines()))

    def lines(self) -> Iterator[bytes]:
        """The lines of its file, without their ends."""
        header = {
            "recording": FORMAT,
            "easynet": self.easynet,
            "redacted": self.is_redacted,
            # Most of what can be said of a function is not said of most.
            "capabilities": [c.model_dump(mode="json", exclude_defaults=True) for c in self.capabilities],
        }
        yield json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        for event in self.events:
            yield RUN_EVENT.dump_json(event)
        for subtask, value in self.results.items():
            yield _RESULT.dump_json(_Result(result=subtask, value=value))

    @property
    def run_id(self) -> RunId:
        return self.events[0].run_id

    @cached_property
    def intent(self) -> Intent:
        """What was asked for."""
        return next(e.intent for e in self.events if isinstance(e, RunStarted))

    @cached_property
    def graph(self) -> TaskGraph:
        """The last plan that is complete. Raises BadData where the run never had one."""
        made = [e.graph for e in self.events if isinstance(e, PlanMade) and e.is_complete]
        if not made:
            raise BadData(
                f"run {self.run_id} never had a plan",
                hint="Record a run that got as far as a plan.",
                zh=f"运行 {self.run_id} 没有得到计划",
                hint_zh="请选择一个已有计划的运行。",
            )
        return made[-1]

    @property
    def ended(self) -> RunFinished | None:
        """How the run ended; None where it has not."""
        last = self.events[-1]
        return last if isinstance(last, RunFinished) else None

    @cached_property
    def by_name(self) -> Mapping[CapabilityName, Capability]:
        return {c.name: c for c in self.capabilities}


def _check(events: Sequence[RunEvent]) -> None:
    if not events or not isinstance(events[0], RunStarted):
        raise BadData("it does not begin with the start of a run", zh="缺少运行的开头")
    for seq, event in enumerate(events):
        if event.seq != seq or event.run_id != events[0].run_id:
            raise BadData(
                f"event {event.seq} stands where {seq} was due", zh=f"应为事件 {seq}，却是 {event.seq}"
            )


def _header(lines: Sequence[str], path: Path) -> _Header:
    try:
        found = json.loads(lines[0])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or "recording" not in found:
        raise _broken(path, 1, "it is no recording of EasyNet's", "不是 EasyNet 的运行记录")
    if found["recording"] != FORMAT:
        raise BadData(
            f"{path} is a recording of format {found['recording']!r}, and this version reads {FORMAT}",
            hint="Read it with the version of EasyNet that wrote it.",
            zh=f"{path} 的格式是 {found['recording']!r}，本版本只能读取格式 {FORMAT}",
            hint_zh="请用写出它的 EasyNet 版本读取。",
        )
    try:
        return _Header.model_validate_json(lines[0])
    except ValidationError as error:
        raise _broken(path, 1, "its first line is damaged", "首行已损坏") from error


def _broken(path: Path, line: int, why: str, why_zh: str) -> BadData:
    return BadData(
        f"cannot read the recording {path}, line {line}: {why}",
        hint="Export the run again with `easynet runs export ID -o FILE`.",
        zh=f"无法读取运行记录 {path} 第 {line} 行：{why_zh}",
        hint_zh="请用 `easynet runs export ID -o FILE` 重新导出。",
    )
