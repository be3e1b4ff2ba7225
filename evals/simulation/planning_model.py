"""A language model that writes down recorded plans, at the speed of a hosted one."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from easynet.core.errors import ModelUnavailable
from easynet.core.task_graph import TaskGraph
from easynet.llm.language_model import Prompt, Reply, Schema, Usage
from easynet.planners.model_answer import written
from evals.simulation.mock_model import SLOW, tokens

_PIECE = 60
"""Letters that come at a time."""


@dataclass(frozen=True)
class PlanningModel:
    """Answers every question with one plan; `is_down` where its server cannot be reached."""

    graph: TaskGraph
    is_down: bool = False
    name: str = "mock"

    async def stream(
        self, prompt: Prompt, *, schema: Schema | None = None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        await asyncio.sleep(SLOW.first_s)
        if self.is_down:
            raise ModelUnavailable(f"{self.name}: its server does not answer")
        text = json.dumps(written(self.graph), ensure_ascii=False)
        for start in range(0, len(text), _PIECE):
            piece = text[start : start + _PIECE]
            await asyncio.sleep(tokens(piece) / SLOW.tokens_a_second)
            yield piece
        read = sum(tokens(part) for part in (prompt.instructions, *(m.text for m in prompt.messages)))
        usage = Usage(input_tokens=read, output_tokens=tokens(text))
        yield Reply(text=text, usage=usage, model=self.name)

    async def close(self) -> None:
        """There is nothing to close."""
