"""A language model that knows its answers, and takes its time over them."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from easynet.llm.language_model import Prompt, Reply, Schema, Usage

_CHARACTERS_A_TOKEN = 4
"""A common estimate for English and JSON; the same for all that are compared."""


@dataclass(frozen=True)
class Latency:
    """How long a model's answers take; how long a prompt is changes nothing."""

    name: str
    first_s: float
    """Seconds to the first token."""
    tokens_a_second: float
    """After it."""


SLOW = Latency("gpt-5.4", 0.912, 44.8)
FAST = Latency("gemini-2.5-flash", 0.412, 235.6)
"""Medians of hourly probes of 15 models, as published at
https://www.jonathanwrede.de/en/blog/ttft-varies-13x-across-llm-providers/ (2026): a usual and a fast one."""


def tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text) // _CHARACTERS_A_TOKEN)


class MockModel:
    """Gives prepared answers one after the other, token by token."""

    def __init__(self, latency: Latency, answers: Iterator[str]) -> None:
        self.name = f"mock:{latency.name}"
        self._latency = latency
        self._answers = answers
        self.calls = 0
        self.usage = Usage()

    async def stream(
        self, prompt: Prompt, *, schema: Schema | None = None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        text = next(self._answers)
        read = sum(tokens(part) for part in (prompt.instructions, *(m.text for m in prompt.messages)))
        usage = Usage(input_tokens=read, output_tokens=tokens(text))
        self.calls += 1
        self.usage += usage
        await asyncio.sleep(self._latency.first_s)
        for at in range(0, len(text), _CHARACTERS_A_TOKEN):
            if at:
                await asyncio.sleep(1 / self._latency.tokens_a_second)
            yield text[at : at + _CHARACTERS_A_TOKEN]
        yield Reply(text=text, usage=usage, model=self.name)

    async def close(self) -> None:
        """There is nothing to close."""
