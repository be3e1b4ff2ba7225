"""What functions give: as recorded, and made up of the right form where no result was recorded."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from hashlib import sha256
from typing import Any

from easynet.core.artifact import Artifact
from easynet.core.capability import Capability, Role, TypeRef
from easynet.core.events import RunFinished, SubtaskFinished
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.execution.recording import Recording
from evals.simulation.call import Call

_PRIMITIVES: Mapping[str, Any] = {
    "any": "anything",
    "str": "text",
    "int": 3,
    "float": 0.5,
    "bool": True,
    "bytes": b"bytes",
    "dict": {},
    "list": [],
    "none": None,
}
_MANY = 2


class Answers:
    """The results and times of functions, as one run had them; `others` help where it did not call one."""

    def __init__(self, recording: Recording, others: Sequence[Recording] = ()) -> None:
        self._recording = recording
        self._others = [recording, *others]
        self.capabilities: Mapping[CapabilityName, Capability] = {
            c.name: c for r in reversed(self._others) for c in r.capabilities
        }
        self._metrics = _metrics(recording)
        self._by_subtask = {s.id: s.capability for s in recording.graph.subtasks}

    def with_capabilities(self, changed: Callable[[Capability], Capability]) -> "Answers":
        """The same answers of functions that are offered as something else."""
        copied = copy(self)
        copied.capabilities = {name: changed(c) for name, c in self.capabilities.items()}
        return copied

    def value(self, call: Call) -> Any:
        """What the function gives for this call: the same whichever node is asked, and however often."""
        if self._by_subtask.get(call.subtask) == call.capability:
            found = self._recording.results.get(call.subtask)
            if found is not None:
                return found
        for recording in self._others:
            for subtask in recording.graph.subtasks:
                if subtask.capability == call.capability and subtask.id in recording.results:
                    return recording.results[subtask.id]
        capability = self.capabilities[call.capability]
        made = _made_up(capability.output, f"{call.capability}/{call.subtask}")
        if capability.role is Role.CHECK and isinstance(made, dict) and self._metrics:
            made = {**made, "metrics": self._metrics}
        return made

    def seconds(self, capability: CapabilityName, subtask: SubtaskId | None = None) -> float:
        """How long the function took, on the mean where it was called several times; else what it claims."""
        for recording in self._others:
            took = _took(recording)
            if recording is self._recording and subtask is not None and subtask in took:
                return took[subtask]
            names = {s.id: s.capability for s in recording.graph.subtasks}
            of_it = [s for subtask, s in took.items() if names.get(subtask) == capability]
            if of_it:
                return sum(of_it) / len(of_it)
        return self.capabilities[capability].expected_s


def _took(recording: Recording) -> dict[SubtaskId, float]:
    return {e.subtask: e.duration_s for e in recording.events if isinstance(e, SubtaskFinished)}


def _metrics(recording: Recording) -> dict[str, float]:
    """What the run measured of itself; checks give it, though their own results were not recorded."""
    finished = [e for e in recording.events if isinstance(e, RunFinished)]
    return finished[-1].metrics if finished else {}


def _made_up(type_: TypeRef, name: str) -> Any:
    """A value of a type; whatever is neither plain nor a record stands as a reference to its bytes."""
    if type_.many:
        one = type_.model_copy(update={"many": False})
        return [_made_up(one, f"{name}/{n}") for n in range(_MANY)]
    if type_.fields:
        return {part: _made_up(of, f"{name}/{part}") for part, of in type_.fields.items()}
    if type_.name in _PRIMITIVES:
        return _PRIMITIVES[type_.name]
    digest = sha256(name.encode()).hexdigest()
    filename = f"{digest[:8]}.bin" if type_.name == "File" else ""
    return Artifact(digest=digest, size_bytes=1000, filename=filename)
