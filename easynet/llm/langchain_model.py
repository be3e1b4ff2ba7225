"""Any chat model of LangChain's."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr

from easynet.core.errors import ModelError
from easynet.llm.bounds import bounded
from easynet.llm.failures import Failures
from easynet.llm.language_model import Prompt, Reply, Schema, Usage, counted
from easynet.settings import telemetry_off

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

_FINISHES = "finish_reason", "stop_reason", "done_reason"
"""What integrations call the reason why an answer ended."""
_TRUNCATED = {"length", "max_tokens", "MAX_TOKENS", "model_context_window_exceeded"}
_REFUSED = {"content_filter", "refusal", "SAFETY"}


class LangChainModel:
    """A chat model that the caller has made, with its own key. Its own retries are best switched off."""

    def __init__(self, model: "BaseChatModel", *, timeout_s: float) -> None:
        """`timeout_s` is for a whole answer. From here on LangSmith gets no traces."""
        telemetry_off()
        chosen = getattr(model, "model_name", None) or getattr(model, "model", None) or type(model).__name__
        self.name = f"langchain:{chosen}"
        self._model = model
        self._timeout_s = timeout_s
        keys = [value for value in vars(model).values() if isinstance(value, SecretStr)]
        self._failures = Failures(self.name, key=keys[0] if keys else None)

    def stream(
        self, prompt: Prompt, *, schema: Schema | None = None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        return bounded(
            self._answer(prompt, schema, max_tokens),
            self._failures,
            timeout_s=self._timeout_s,
            max_tokens=max_tokens,
        )

    async def close(self) -> None:
        """Nothing: the model is the caller's."""

    def _arguments(self, schema: Schema | None, max_tokens: int) -> dict[str, Any]:
        """What this model takes; some integrations fail on arguments that they do not know."""
        arguments: dict[str, Any] = {}
        if "max_tokens" in type(self._model).model_fields:
            arguments["max_tokens"] = max_tokens
        if schema is not None and (self._model.profile or {}).get("structured_output"):
            answer = {"name": "answer", "strict": True, "schema": dict(schema)}
            arguments["response_format"] = {"type": "json_schema", "json_schema": answer}
        return arguments

    async def _answer(
        self, prompt: Prompt, schema: Schema | None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        said: list[str] = []
        finish, model, usage = "", self.name, Usage()
        try:
            chunks = self._model.astream(_messages(prompt, schema), **self._arguments(schema, max_tokens))
            async with aclosing(cast("AsyncGenerator[AIMessageChunk]", chunks)):
                async for chunk in chunks:
                    usage += _usage(chunk)
                    about: Mapping[str, Any] = chunk.response_metadata
                    finish = next((str(about[name]) for name in _FINISHES if about.get(name)), finish)
                    model = about.get("model_name") or about.get("model") or model
                    if text := str(chunk.text):
                        said.append(text)
                        yield text
        except Exception as error:  # integrations raise what their SDKs raise
            raise self._failure(error, max_tokens, begun=bool(said)) from None
        if finish in _REFUSED:
            raise self._failures.refused("".join(said), usage)
        if finish in _TRUNCATED:
            raise self._failures.truncated(max_tokens, usage)
        if not "".join(said).strip():
            raise self._failures.empty(usage)
        yield Reply(text="".join(said), usage=usage, model=self._failures.clean(model))

    def _failure(self, error: Exception, max_tokens: int, *, begun: bool) -> ModelError:
        """By what the errors of the usual SDKs have in common: their names, a status, a kind."""
        name = type(error).__name__
        if isinstance(error, ModelError):
            return error
        if isinstance(error, TimeoutError) or "Timeout" in name:
            return self._failures.timed_out(self._timeout_s)
        if name == "LengthFinishReasonError":
            return self._failures.truncated(max_tokens)
        if name == "ContentFilterFinishReasonError":
            return self._failures.refused("")
        if isinstance(error, OSError) or any(word in name for word in ("Connect", "Protocol", "ReadError")):
            return self._failures.broke_off() if begun else self._failures.unreachable()
        status = getattr(error, "status_code", None)
        if not isinstance(status, int) or status == 200:  # told within a stream
            status = 500
        headers = getattr(getattr(error, "response", None), "headers", {})
        kinds = getattr(error, "code", None), getattr(error, "type", None)
        return self._failures.of_status(status, headers, f"{name}: {error}", kinds)


def _messages(prompt: Prompt, schema: Schema | None) -> "list[BaseMessage]":
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage  # slow to import

    instructions = prompt.instructions
    if schema is not None:
        told = json.dumps(schema, ensure_ascii=False)
        instructions += (
            f"\n\nAnswer with one JSON value, and nothing else, that fits this JSON schema:\n{told}"
        )
    said: list[BaseMessage] = [
        HumanMessage(message.text) if message.role == "user" else AIMessage(message.text)
        for message in prompt.messages
    ]
    return [SystemMessage(instructions), *said] if instructions else said


def _usage(chunk: "AIMessageChunk") -> Usage:
    """LangChain's convention: the input counts all that was read, and the chunks' counts add up."""
    told: Mapping[str, Any] = chunk.usage_metadata or {}
    details = told.get("input_token_details") or {}
    return counted(
        told.get("input_tokens"),
        details.get("cache_read"),
        details.get("cache_creation"),
        told.get("output_tokens"),
    )
