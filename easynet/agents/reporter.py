"""The end of a run: its files, its report page and its last event."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from easynet.agents.evaluator import measured, unmeasured
from easynet.agents.report_page import render_page
from easynet.agents.run_memory import RunMemory
from easynet.agents.wording import inputs_line
from easynet.core.artifact import Artifact
from easynet.core.errors import DataDirectoryUnusable
from easynet.core.events import Problem, RunFinished, Status
from easynet.core.ids import RunId, SubtaskId
from easynet.core.plain_data import plain
from easynet.core.redaction import Redaction, told_inputs
from easynet.core.report import Report

_REPORT: TypeAdapter[Report] = TypeAdapter(Report)
_SMALL_OUTPUT_BYTES = 16_384
"""A larger result stays in the journal; the last event carries what fits on a screen."""

Download = Callable[[Artifact, Path], Awaitable[None]]


_OUR_FILES = frozenset({"report.html", "bug.txt"})
"""Names in a run's folder that no result may take."""


@dataclass(frozen=True)
class Ending:
    """How a run is about to end."""

    status: Status
    problem: Problem | None
    at: float
    """Unix seconds."""


@dataclass(frozen=True)
class Reporter:
    """Writes what a run leaves behind."""

    runs_dir: Path
    download: Download

    async def finish(
        self, run_id: RunId, memory: RunMemory, values: Mapping[SubtaskId, Any], ending: Ending
    ) -> RunFinished:
        """The run's last event, after its files and its report page have been written to its folder.

        Raises DataDirectoryUnusable, and what `download` raises.
        """
        asked_for = {i: values[i] for i in (memory.graph.outputs if memory.graph else ()) if i in values}
        report = _report(memory, values)
        metrics = measured(memory.graph, memory.catalogue, values) if memory.graph else {}
        quality = memory.parsed.requirements.quality if memory.parsed else {}
        outputs: dict[SubtaskId, JsonValue] = {
            i: small for i, v in asked_for.items() if (small := plain(v, _SMALL_OUTPUT_BYTES)) is not None
        }
        folder = self.runs_dir / run_id
        finished = self.bare(run_id, memory, ending).model_copy(
            update={
                "headline": (
                    *_headline(memory, report, outputs),
                    *(unmeasured(metrics, quality, memory.language) if ending.status == "succeeded" else ()),
                ),
                "metrics": metrics,
                "outputs": outputs,
                "files": _named_files(asked_for),
                "folder": str(folder),
            }
        )
        redaction = Redaction()
        told = [*redaction.all([*memory.events, finished])]
        page = render_page(told, redaction.value(report), memory.language)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, artifact in finished.files.items():
                await self.download(artifact, folder / name)
            (folder / "report.html").write_text(page, encoding="utf-8")
        except OSError as error:
            raise DataDirectoryUnusable.at(folder, error) from error
        return finished

    def bare(
        self, run_id: RunId, memory: RunMemory, ending: Ending, problem: Problem | None = None
    ) -> RunFinished:
        """The run's last event without anything that had to be written; `problem` says why."""
        return RunFinished(
            run_id=run_id,
            seq=len(memory.events),
            at=ending.at,
            status=ending.status,
            problem=problem or ending.problem,
            duration_s=max(0.0, ending.at - memory.started_at),
        )


def _named_files(values: Mapping[SubtaskId, Any]) -> dict[str, Artifact]:
    """Every file in the results under a name of its own."""
    named: dict[str, Artifact] = {}
    for subtask, value in values.items():
        for artifact in files_in(value):
            name = artifact.filename
            while name in _OUR_FILES or named.get(name, artifact) != artifact:
                name = f"{subtask}-{name}"
            named[name] = artifact
    return named


def _report(memory: RunMemory, values: Mapping[SubtaskId, Any]) -> Report | None:
    """The report among a run's results, if a step made one and it has the right shape."""
    for subtask in reversed(memory.graph.subtasks if memory.graph else ()):
        capability = memory.catalogue.get(subtask.capability)
        if capability is not None and capability.output.name == "Report" and subtask.id in values:
            try:
                return _REPORT.validate_python(values[subtask.id])
            except ValidationError:
                continue
    return None


def _headline(memory: RunMemory, report: Report | None, outputs: Mapping[SubtaskId, JsonValue]) -> list[str]:
    if report is not None:
        return list(report["headline"])
    given = {} if memory.parsed is None else told_inputs(memory.parsed)
    inputs = inputs_line(given, memory.language)
    data = [inputs] if inputs else []
    return data + [f"{i}: {json.dumps(v, ensure_ascii=False)}" for i, v in outputs.items()]


def files_in(value: Any) -> Iterator[Artifact]:
    """The files anywhere inside a result."""
    match value:
        case Artifact(filename=str(name)) if name:
            yield value
        case dict():
            for part in value.values():
                yield from files_in(part)
        case list():
            for part in value:
                yield from files_in(part)
        case _:
            pass
