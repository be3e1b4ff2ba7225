"""Anthropic's messages."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from easynet.core.errors import MissingExtra, ModelError
from easynet.llm.bounds import bounded
from easynet.llm.failures import Failures
from easynet.llm.language_model import Prompt, Reply, Schema, Usage, counted

if TYPE_CHECKING:
    from anthropic import APIError
    from anthropic.types import MessageDeltaUsage as TokensLater
    from anthropic.types import Usage as TokensAtStart

ANTHROPIC_URL: Final = "https://api.anthropic.com"


class AnthropicModel:
    """A model at Anthropic."""

    def __init__(
        self,
        model: str,
        failures: Failures,
        *,
        key: SecretStr,
        timeout_s: float,
        base_url: str = ANTHROPIC_URL,
    ) -> None:
        """`timeout_s` is for a whole answer. Raises MissingExtra where the SDK is not installed."""
        try:  # a second, so only for those who use it
            import anthropic
            import httpx2
        except ImportError:
            raise MissingExtra(
                "Anthropic's protocol needs the library 'anthropic', which is not installed",
                hint="Run: pip install 'easynet-os[llm]'",
            ) from None
        self.name = f"anthropic:{model}"
        self._model = model
        self._failures = failures
        self._timeout_s = timeout_s
        self._sdk = anthropic
        self._broken_connection = httpx2.HTTPError
        self._client = anthropic.AsyncAnthropic(
            api_key=key.get_secret_value(),
            base_url=base_url,
            max_retries=0,
            timeout=httpx2.Timeout(timeout_s),
            http_client=anthropic.DefaultAsyncHttpxClient(follow_redirects=False),
        )

    def stream(
        self, prompt: Prompt, *, schema: Schema | None = None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        return bounded(
            self._answer(self._request(prompt, schema, max_tokens), max_tokens),
            self._failures,
            timeout_s=self._timeout_s,
            max_tokens=max_tokens,
        )

    async def close(self) -> None:
        await self._client.close()

    def _request(self, prompt: Prompt, schema: Schema | None, max_tokens: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "max_tokens": max_tokens,
            "stream": True,
            "messages": [{"role": message.role, "content": message.text} for message in prompt.messages],
        }
        if prompt.instructions:
            cached = {"type": "text", "text": prompt.instructions, "cache_control": {"type": "ephemeral"}}
            request["system"] = [cached]
        if schema is not None:
            request["output_config"] = {"format": {"type": "json_schema", "schema": dict(schema)}}
        return request

    async def _answer(self, request: dict[str, Any], max_tokens: int) -> AsyncGenerator[str | Reply]:
        said: list[str] = []
        tokens = _Tokens()
        finish, why, model = "", "", self._model
        try:
            async with await self._client.messages.create(**request) as events:
                async for event in events:
                    if event.type == "content_block_delta" and event.delta.type == "text_delta":
                        said.append(event.delta.text + "")  # the SDK does not check that it is text
                        yield event.delta.text
                    elif event.type == "message_start":
                        model = event.message.model
                        tokens.take(event.message.usage)
                    elif event.type == "message_delta":
                        finish = event.delta.stop_reason or finish
                        details = event.delta.stop_details
                        why = (details and details.explanation) or why
                        tokens.take(event.usage)
            usage = tokens.usage()
        except self._sdk.APIError as error:
            raise self._failure(error) from None
        except self._broken_connection:
            raise self._failures.broke_off() from None
        except (AttributeError, TypeError, ValueError):
            # The SDK hands on whatever JSON the server sent, in the guise of its own types.
            raise self._failures.malformed() from None
        if finish == "refusal":
            raise self._failures.refused(why, usage)
        if finish in ("max_tokens", "model_context_window_exceeded"):
            raise self._failures.truncated(max_tokens, usage)
        if not finish:
            raise self._failures.broke_off()
        if not "".join(said).strip():
            raise self._failures.empty(usage)
        yield Reply(text="".join(said), usage=usage, model=self._failures.clean(model))

    def _failure(self, error: "APIError") -> ModelError:
        sdk = self._sdk
        if isinstance(error, sdk.APITimeoutError):
            return self._failures.timed_out(self._timeout_s)
        if isinstance(error, sdk.APIStatusError):
            # Within a stream an error has the stream's own status, 200, and says its kind.
            status = error.status_code if error.status_code != 200 else 500
            return self._failures.of_status(status, error.response.headers, error.api_message, (error.type,))
        return self._failures.unreachable()


@dataclass
class _Tokens:
    """Counts as they are told: at the start, then as they have grown, without those that did not."""

    read: int | None = None
    cached: int | None = None
    written: int | None = None
    output: int | None = None

    def take(self, told: "TokensAtStart | TokensLater") -> None:
        self.read = _later(told.input_tokens, self.read)
        self.cached = _later(told.cache_read_input_tokens, self.cached)
        self.written = _later(told.cache_creation_input_tokens, self.written)
        self.output = _later(told.output_tokens, self.output)

    def usage(self) -> Usage:
        # Anthropic's count of the input leaves out what was read from and written to the cache.
        read = (self.read or 0) + (self.cached or 0) + (self.written or 0)
        return counted(read, self.cached, self.written, self.output)


def _later(told: int | None, before: int | None) -> int | None:
    return before if told is None else told
