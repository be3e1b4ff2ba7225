"""What a user wants, in words plus constraints; and the same once understood."""

import json
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticSerializationError

from easynet.core.capability import Value
from easynet.core.errors import UsageError
from easynet.core.language import Language, language_of


class Intent(BaseModel):
    """A goal, in the user's words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    goal: str = ""
    """A short name of the goal, such as `train_anomaly_detector`; empty where `description` says it all."""
    description: str = ""
    """The goal in a sentence, English or Chinese."""
    input_data: dict[str, JsonValue] = Field(default_factory=dict)
    """Named inputs; a path to a file is given as text."""
    quality_requirements: dict[str, str | int | float] = Field(default_factory=dict)
    """Measured qualities and their bounds: `{"accuracy": ">90%"}`."""
    constraints: dict[str, str | int | float] = Field(default_factory=dict)
    """`budget` ("$5"), `deadline` ("10 minutes"), `privacy` ("high"), `memory` ("8GB+"), `private`
    ("patients, notes"): the inputs that are private where not all are, and `approve_above` ("$1"): a step
    that costs more waits until a person agrees."""

    @model_validator(mode="after")
    def _can_be_written_down(self) -> Self:
        try:
            json.dumps(self.input_data, allow_nan=False)
        except ValueError as error:
            raise UsageError(f"the inputs hold a number that JSON cannot hold: {error}") from error
        try:
            self.model_dump_json()
        except PydanticSerializationError as error:
            raise UsageError(
                "the intent holds text that is not valid Unicode",
                hint="Use a UTF-8 locale such as LANG=C.UTF-8, and rename files whose names are not UTF-8.",
            ) from error
        return self

    @classmethod
    def from_text(cls, text: str, **fields: Any) -> Self:
        """An intent that is one sentence; its constraints are read out of it when it is parsed."""
        return cls(description=text, **fields)

    @property
    def text(self) -> str:
        """All words of the intent."""
        goal = self.goal.replace("_", " ")
        return goal if not self.description else f"{self.description} {goal}".strip()

    @property
    def language(self) -> Language:
        """The language that its writer is answered in; a short goal is a name, and no language."""
        return language_of(self.description or self.text)


class Privacy(StrEnum):
    """How far the intent's data may travel."""

    NORMAL = "normal"
    HIGH = "high"
    """Only to the user's own nodes, and to those that the user trusts."""


class Bound(Value):
    """A comparison with a number in SI units; a share is between 0 and 1."""

    comparison: Literal["<", "<=", "=", ">=", ">"]
    value: float

    def holds(self, measured: float) -> bool:
        match self.comparison:
            case "<":
                return measured < self.value
            case "<=":
                return measured <= self.value
            case "=":
                return measured == self.value
            case ">=":
                return measured >= self.value
            case ">":
                return measured > self.value

    def __str__(self) -> str:
        return f"{self.comparison}{self.value:g}"


class Requirements(Value):
    """What the constraints of an intent come to, in whole credits and SI units."""

    budget: int | None = None
    """Credits."""
    deadline_s: float | None = None
    """Seconds from the start of the run."""
    privacy: Privacy = Privacy.NORMAL
    """Of the whole intent: its words and all of its inputs."""
    private: tuple[str, ...] = ()
    """The inputs that are private, where not all are."""
    approve_above: int | None = None
    """Credits. A step that costs more waits until a person agrees."""
    memory_bytes: Bound | None = None
    quality: dict[str, Bound] = Field(default_factory=dict)
    """By the name of the metric: `{"accuracy": >0.9}`."""


class ParsedIntent(Value):
    """An intent as the network understood it."""

    text: str
    """The words that say what to do, without those that state constraints."""
    language: Language
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    requirements: Requirements = Requirements()
