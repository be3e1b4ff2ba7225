"""OpenAI's chat completions, at OpenAI and at all the servers that speak the same protocol."""

from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from easynet.core.errors import MissingExtra, ModelError
from easynet.llm.bounds import bounded
from easynet.llm.failures import Failures
from easynet.llm.language_model import Prompt, Reply, Schema, Usage, counted
from easynet.llm.model_choice import may_use_proxy

if TYPE_CHECKING:
    from httpx2 import Request
    from openai import APIError
    from openai.types.chat import ChatCompletionChunk

OPENAI_URL: Final = "https://api.openai.com/v1"

_HEADERS = {"host", "accept", "accept-encoding", "connection", "content-length", "content-type", "user-agent"}
"""What a server that is not OpenAI's gets to see, besides a key of its own."""


class OpenAIModel:
    """A model at OpenAI, or with `compatible` at another server, where only what all know is asked for."""

    def __init__(
        self,
        model: str,
        failures: Failures,
        *,
        key: SecretStr | None,
        timeout_s: float,
        base_url: str = OPENAI_URL,
        compatible: bool = False,
    ) -> None:
        """`timeout_s` is for a whole answer. Raises MissingExtra where the SDK is not installed."""
        try:  # half a second, so only for those who use it
            import openai
            from httpx2 import Timeout
        except ImportError:
            raise MissingExtra(
                "OpenAI's protocol needs the library 'openai', which is not installed",
                hint="Run: pip install 'easynet-os[llm]'",
            ) from None
        self.name = f"{base_url}#{model}" if compatible else f"openai:{model}"
        self._model = model
        self._failures = failures
        self._compatible = compatible
        self._timeout_s = timeout_s
        self._key = key
        self._sdk = openai
        self._client = openai.AsyncOpenAI(
            # Given even where there is none: left out, it would be OpenAI's from the environment.
            api_key=key.get_secret_value() if key else "none",
            base_url=base_url,
            max_retries=0,
            timeout=Timeout(timeout_s),
            http_client=openai.DefaultAsyncHttpxClient(
                follow_redirects=False,
                trust_env=may_use_proxy(base_url),
                event_hooks={"request": [self._only_what_is_needed]} if compatible else {},
            ),
        )

    async def _only_what_is_needed(self, request: "Request") -> None:
        # The SDK adds what OpenAI's environment variables say, keys as well, and facts about this machine.
        for name in [name for name in request.headers if name.lower() not in _HEADERS]:
            del request.headers[name]
        request.headers["user-agent"] = "easynet"
        if self._key:
            request.headers["authorization"] = f"Bearer {self._key.get_secret_value()}"

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
        said = [{"role": message.role, "content": message.text} for message in prompt.messages]
        if prompt.instructions:
            said.insert(0, {"role": "system", "content": prompt.instructions})
        request: dict[str, Any] = {
            "model": self._model,
            "messages": said,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if schema is not None:
            answer = {"name": "answer", "strict": True, "schema": dict(schema)}
            request["response_format"] = {"type": "json_schema", "json_schema": answer}
        if self._compatible:
            return {**request, "max_tokens": max_tokens}
        # Requests with one cache key go to one machine, whose cache then has the instructions.
        cache_key = sha256(prompt.instructions.encode()).hexdigest()[:32]
        return {**request, "max_completion_tokens": max_tokens, "prompt_cache_key": cache_key, "store": False}

    async def _answer(self, request: dict[str, Any], max_tokens: int) -> AsyncGenerator[str | Reply]:
        said: list[str] = []
        refusal, finish, model, usage = "", "", self._model, Usage()
        try:
            async with await self._client.chat.completions.create(**request) as chunks:
                async for chunk in chunks:
                    usage, model = _usage(chunk) or usage, chunk.model or model
                    for choice in (chunk.choices or [])[:1]:
                        finish = choice.finish_reason or finish
                        refusal += getattr(choice.delta, "refusal", None) or ""
                        if text := choice.delta.content:
                            said.append(text + "")  # the SDK does not check that it is text
                            yield text
        except self._sdk.APIError as error:
            raise self._failure(error, begun=bool(said)) from None
        except (AttributeError, TypeError, ValueError):
            # The SDK hands on whatever JSON the server sent, in the guise of its own types.
            raise self._failures.malformed() from None
        if refusal or finish == "content_filter":
            raise self._failures.refused(refusal, usage)
        if finish == "length":
            raise self._failures.truncated(max_tokens, usage)
        if not finish:
            raise self._failures.broke_off()
        if not "".join(said).strip():
            raise self._failures.empty(usage)
        yield Reply(text="".join(said), usage=usage, model=self._failures.clean(model))

    def _failure(self, error: "APIError", *, begun: bool) -> ModelError:
        sdk = self._sdk
        if isinstance(error, sdk.APITimeoutError):
            return self._failures.timed_out(self._timeout_s)
        if isinstance(error, sdk.APIConnectionError):
            return self._failures.broke_off() if begun else self._failures.unreachable()
        body = error.body if isinstance(error.body, dict) else {}
        kinds = (error.code, error.type)
        if isinstance(error, sdk.APIStatusError):
            said = body.get("message", "")
            return self._failures.of_status(error.status_code, error.response.headers, said, kinds)
        code = str(error.code)  # told within the stream
        return self._failures.of_status(int(code) if code.isdecimal() else 500, {}, error.message, kinds)


def _usage(chunk: "ChatCompletionChunk") -> Usage | None:
    """Most servers tell it once, with the last chunk; some with each, as it has grown."""
    if (told := chunk.usage) is None:
        return None
    details = told.prompt_tokens_details
    return counted(
        told.prompt_tokens,
        details and details.cached_tokens,
        details and details.cache_write_tokens,
        told.completion_tokens,
    )
