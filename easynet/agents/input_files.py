"""The inputs of a run: looked at before anything runs, and files taken in so that nodes can read them."""

from collections.abc import Mapping
from errno import EACCES, EISDIR, ENOENT, ENOTDIR
from pathlib import Path
from stat import S_ISREG
from typing import Any

from easynet.agents.work import Work
from easynet.core.artifact import Artifact
from easynet.core.capability import Capability, Parameter
from easynet.core.errors import BadData, UnknownInput, nearest
from easynet.core.ids import CapabilityName
from easynet.core.language import say
from easynet.core.task_graph import TaskGraph
from easynet.core.typed_input import typed_input

_WHY_ZH = {ENOENT: "文件不存在", ENOTDIR: "文件不存在", EACCES: "没有读取权限", EISDIR: "它是一个文件夹"}
"""Why a file cannot be read, for those reasons that the system tells in English."""

Files = Mapping[str, Any]
"""The files that a run holds, by the name of the input: `path` and `artifact`, as in its checkpoint."""


def check_private(work: Work) -> None:
    """Raise UnknownInput where something is to be private that is no input: it may be misspelt."""
    assert work.memory.parsed is not None
    known = [*{**work.memory.parsed.inputs, **work.plan.inputs}]
    for name in work.memory.parsed.requirements.private:
        if name not in known:
            raise UnknownInput(
                f"{name!r} is to be private, but there is no such input",
                hint=nearest(name, known),
                zh=f"要求 {name!r} 保密，但没有这个输入",
                hint_zh=nearest(name, known, "zh"),
            )


def check_inputs(work: Work, graph: TaskGraph, held: Files) -> None:
    """Raise ArgumentMismatch or BadData where an input that a plan reads cannot be used."""
    assert work.memory.parsed is not None
    inputs = work.memory.parsed.inputs
    for parameter, name in _inputs_read(graph, work.memory.catalogue):
        if name in inputs:
            typed_input(inputs[name], parameter, name)
    for name, path in _files_to_take_in(work, graph, held).items():
        _check_readable(work, name, path)


async def take_in(work: Work, graph: TaskGraph, held: Files) -> dict[str, Any]:
    """What the run holds once the files that a plan reads are uploaded."""
    files = dict(held)
    for name, path in _files_to_take_in(work, graph, held).items():
        artifact = await work.services.catalogue.upload(path)
        files[name] = {"path": str(path), "artifact": artifact.model_dump()}
    return files


def call_inputs(work: Work, files: Files) -> dict[str, Any]:
    """The values of the intent's inputs, files as artifacts."""
    assert work.memory.parsed is not None
    taken_in = {name: Artifact.model_validate(file["artifact"]) for name, file in files.items()}
    return {"language": work.memory.language, **work.memory.parsed.inputs, **taken_in}


def _files_to_take_in(work: Work, graph: TaskGraph, held: Files) -> dict[str, Path]:
    """The input files that the run does not hold yet, by the name of the input.

    As long as nothing is built on a file, it counts as it is now: it may have been mended since.
    """
    assert work.memory.parsed is not None
    inputs = work.memory.parsed.inputs
    read = _inputs_read(graph, work.memory.catalogue)
    files = {name for parameter, name in read if parameter.type.name == "File"}
    paths = {name: Path(str(inputs[name])) for name in sorted(files & inputs.keys())}
    return {
        name: path
        for name, path in paths.items()
        if held.get(name, {}).get("path") != str(path) or (not work.memory.done and path.is_file())
    }


def _inputs_read(
    graph: TaskGraph, catalogue: Mapping[CapabilityName, Capability]
) -> list[tuple[Parameter, str]]:
    """The parameters of a plan that take an input of the intent, each with the input's name."""
    return [
        (parameter, binding.name)
        for subtask in graph.subtasks
        for argument, binding in subtask.arguments.items()
        if binding.kind == "input"
        and (parameter := catalogue[subtask.capability].parameter(argument)) is not None
    ]


def _check_readable(work: Work, name: str, path: Path) -> None:
    """Raise BadData unless `path` is a file. Looking at it, unlike opening it, cannot block."""
    language = work.memory.language
    try:
        is_file = S_ISREG(path.stat().st_mode)
        why = "" if is_file else say(language, "it is not a file", "它不是文件")
    except (OSError, ValueError) as error:
        known = _WHY_ZH.get(getattr(error, "errno", None) or 0) if language == "zh" else None
        why = known or getattr(error, "strerror", None) or str(error)
    if not why:
        return
    raise BadData(
        say(
            language,
            f"the input {name!r} cannot be read: {path} ({why})",
            f"无法读取输入 {name!r}：{path}（{why}）",
        ),
        hint=say(
            language,
            f"Give a readable file: --input {name}=FILE.",
            f"请提供可读取的文件：--input {name}=文件。",
        ),
    )
