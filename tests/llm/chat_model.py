"""A chat model of LangChain's that answers as scripted, in LangChain's own terms."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field

from tests.llm.model_server import MODEL, Turn


class StatusError(Exception):
    """As the SDKs below LangChain's integrations raise it."""

    def __init__(self, turn: Turn) -> None:
        super().__init__(turn.says)
        self.status_code = turn.status
        self.type = turn.kind
        self.response = turn  # has headers, as a response has


class ScriptedChatModel(BaseChatModel):
    """Answers each call with the next turn, the last one again and again."""

    turns: list[Turn]
    model_name: str = MODEL
    calls: list[tuple[list[BaseMessage], dict[str, Any]]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("it only streams")

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.calls.append((messages, kwargs))
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if turn.status >= 300 and not turn.fails_after:
            raise StatusError(turn)
        while turn.finish != "refusal":
            for start in range(0, len(turn.text), 4):
                yield _chunk(turn.text[start : start + 4])
                await asyncio.sleep(0)
            if not turn.endless:
                break
        if turn.stalls:
            await asyncio.Event().wait()
        if turn.drops:
            raise ConnectionResetError("gone")
        if turn.fails_after:
            raise StatusError(turn)
        finish = {"filter": "content_filter"}.get(turn.finish, turn.finish)
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                response_metadata={"finish_reason": finish, "model_name": MODEL},
                usage_metadata=_usage() if turn.tokens else None,
            )
        )


def _chunk(text: str) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text))


def _usage() -> UsageMetadata:
    details = InputTokenDetails(cache_read=8, cache_creation=2)
    return UsageMetadata(input_tokens=30, output_tokens=5, total_tokens=35, input_token_details=details)
