"""A recorded run made ready to be run again: its words, its input files, the answers that it got."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any

from pydantic import JsonValue

from easynet.core.events import IntentParsed, Question
from easynet.core.ids import CapabilityName
from easynet.core.intent import Intent
from easynet.core.language import say
from easynet.core.task_graph import FromInput
from easynet.execution.recording import Recording
from evals.simulation.answers import Answers
from evals.simulation.chance import Chance
from evals.simulation.world import World

RECORDINGS = Path(__file__).parent.parent / "data" / "recordings"
_CREDITS_A_DOLLAR = 100


@dataclass(frozen=True)
class Case:
    """One recording to replay."""

    name: str
    recording: Recording
    world: World
    folder: Path
    """Its input files are made here."""

    @cached_property
    def intent(self) -> Intent:
        """What was asked for, with files that exist, and a budget where it has none: thrice the least."""
        intent = self.recording.intent
        words = say(intent.language, "do as recorded", "照记录执行") if self.is_hidden else intent.description
        for file, path in self._paths.items():
            words = words if self.is_hidden else words.replace(file, path)
        inputs = {name: self._here(name, value) for name, value in intent.input_data.items()}
        constraints = {"budget": self.budget(3), **intent.constraints}
        return intent.model_copy(
            update={"description": words, "input_data": inputs, "constraints": constraints}
        )

    def budget(self, times: int) -> str:
        """So many times what the cheapest way to do it costs."""
        return f"${times * self.world.cheapest() / _CREDITS_A_DOLLAR:.2f}"

    @property
    def is_hidden(self) -> bool:
        """Its words were redacted, so that nobody can plan by them."""
        return self.recording.is_redacted and not any(map(str.isalnum, self.recording.intent.text))

    @property
    def has_files(self) -> bool:
        """It has input files, whose bytes nobody else should get."""
        return bool(self._files)

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Digests of the input files: what stands for their bytes in calls."""
        return frozenset(sha256(self._body(path)).hexdigest() for path in self._paths.values())

    @cached_property
    def inputs(self) -> Mapping[str, JsonValue]:
        """The inputs as they were in the end, with what was answered and what was found in the words."""
        return {name: self._here(name, value) for name, value in self._parsed.items()}

    def answer(self, question: Question) -> str | None:
        """What the user says, as in the recording; the first choice to what was not asked there."""
        found = self.inputs.get(question.name)
        if found is not None:
            return str(found)
        return "yes" if "yes" in question.choices else next(iter(question.choices), None)

    def write_files(self) -> None:
        """Make the input files, each with a canary in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self._paths.values():
            Path(path).write_bytes(self._body(path))

    @cached_property
    def _parsed(self) -> Mapping[str, JsonValue]:
        parsed = [e.parsed for e in self.recording.events if isinstance(e, IntentParsed)]
        return {**self.recording.intent.input_data, **(parsed[-1].inputs if parsed else {})}

    @cached_property
    def _files(self) -> set[str]:
        """The names of inputs that are files."""
        by_name = self.recording.by_name
        return {
            binding.name
            for subtask in self.recording.graph.subtasks
            for argument, binding in subtask.arguments.items()
            if isinstance(binding, FromInput)
            and (parameter := by_name[CapabilityName(subtask.capability)].parameter(argument)) is not None
            and parameter.type.name == "File"
        }

    @cached_property
    def _paths(self) -> Mapping[str, str]:
        """Where the recorded files are now."""
        named = {str(self._parsed[name]) for name in sorted(self._files) if name in self._parsed}
        return {file: str(self.folder / PurePath(file.replace("\\", "/")).name) for file in sorted(named)}

    def _here(self, name: str, value: Any) -> Any:
        return self._paths.get(str(value), value) if name in self._files else value

    def _body(self, path: str) -> bytes:
        return f"canary of {self.name}/{PurePath(path).name}\n".encode()


def cases(folder: Path, most: int | None = None, recordings: Path = RECORDINGS) -> list[Case]:
    """The recorded runs that had a plan and succeeded, by name; of more than `most`, small ones and large."""
    read = {path.stem: Recording.read(path) for path in sorted(recordings.glob("*.jsonl"))}
    known = {n: r for n, r in read.items() if r.ended is not None and r.ended.status == "succeeded"}
    names = sorted(known)
    if most is not None and len(names) > most:
        names.sort(key=lambda name: (len(known[name].graph.subtasks), name))
        names = sorted(names[i * (len(names) - 1) // (most - 1)] for i in range(most))
    everything = [*known.values()]
    made = []
    for name in names:
        others = [r for r in everything if r is not known[name]]
        world = World(known[name], Answers(known[name], others), Chance("evals"))
        made.append(Case(name, known[name], world, folder / name))
    return made
