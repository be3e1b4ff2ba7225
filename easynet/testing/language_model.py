"""A language model that says what a test tells it to."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Final

from easynet.core.errors import ModelError
from easynet.llm.bounds import bounded
from easynet.llm.failures import Failures
from easynet.llm.language_model import Prompt, Reply, Schema, Usage

USAGE: Final = Usage(input_tokens=10, output_tokens=5)


@dataclass(frozen=True)
class Scripted:
    """One answer."""

    text: str = ""
    usage: Usage = USAGE
    then: ModelError | None = None
    """Raised after the text: a limit, a refusal, a break."""
    stalls: bool = False
    """After the text nothing comes any more, and no end."""


@dataclass(frozen=True)
class Asked:
    """One question."""

    prompt: Prompt
    schema: Schema | None
    max_tokens: int


@dataclass
class ScriptedModel:
    """Gives its answers in order, one a call, in pieces of a few characters."""

    answers: Iterable[str | ModelError | Scripted]
    name: str = "scripted"
    timeout_s: float = 60.0
    piece: int = 7
    """Characters of a piece."""
    asked: list[Asked] = field(default_factory=list[Asked])
    """All questions, in order."""
    given_up: int = 0
    """Answers that their reader did not read to the end."""
    closed: bool = False

    def __post_init__(self) -> None:
        self._answers = iter(self.answers)
        self._failures = Failures(self.name)

    def stream(
        self, prompt: Prompt, *, schema: Schema | None = None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        self.asked.append(Asked(prompt, schema, max_tokens))
        answer = next(self._answers, None)
        assert answer is not None, f"{self.name} was asked {len(self.asked)} times and has no answer left"
        return bounded(self._answer(answer), self._failures, timeout_s=self.timeout_s, max_tokens=max_tokens)

    async def _answer(self, answer: str | ModelError | Scripted) -> AsyncGenerator[str | Reply]:
        if isinstance(answer, ModelError):
            raise answer
        script = Scripted(answer) if isinstance(answer, str) else answer
        try:
            for start in range(0, len(script.text), self.piece):
                await asyncio.sleep(0)
                yield script.text[start : start + self.piece]
            if script.stalls:
                await asyncio.Event().wait()
        except (asyncio.CancelledError, GeneratorExit):
            self.given_up += 1
            raise
        if script.then is not None:
            raise script.then
        yield Reply(text=script.text, usage=script.usage, model=self.name)

    async def close(self) -> None:
        self.closed = True
