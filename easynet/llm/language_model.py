"""What EasyNet asks of a language model, and the protocol of those who answer."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Literal, Protocol

from easynet.core.capability import Value
from easynet.core.errors import ModelError

Schema = Mapping[str, Any]
"""A closed JSON schema: every object lists its properties, requires all of them and allows no others.

Providers refuse most keywords beyond `type`, `properties`, `required`, `additionalProperties`, `items`,
`enum`, `const`, `anyOf`, `$ref`, `$defs` and `description`.
"""


class Message(Value):
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    text: str


class Prompt(Value):
    """A conversation that waits for its next answer."""

    instructions: str
    """What stays the same from call to call, so that the provider may keep it in its cache."""
    messages: tuple[Message, ...]
    """The last one is the user's."""


class Usage(Value):
    """Tokens that calls have taken."""

    input_tokens: int = 0
    """All that was read, from the cache as well."""
    cached_tokens: int = 0
    """Of the input, read from the provider's cache, which costs less."""
    written_tokens: int = 0
    """Of the input, written to the provider's cache, which costs more with some."""
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            written_tokens=self.written_tokens + other.written_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )


def counted(read: object, cached: object, written: object, output: object) -> Usage:
    """Tokens as a server tells them, which may be nonsense: what is no count counts as none."""
    whole = [n if isinstance(n, int) and n > 0 else 0 for n in (read, cached, written, output)]
    from_cache = min(whole[1], whole[0])
    to_cache = min(whole[2], whole[0] - from_cache)
    return Usage(
        input_tokens=whole[0], cached_tokens=from_cache, written_tokens=to_cache, output_tokens=whole[3]
    )


def spent(error: ModelError) -> Usage:
    """What a call took that failed, as far as its server told."""
    return Usage(**error.tokens)


class Reply(Value):
    """A whole answer."""

    text: str
    usage: Usage
    model: str
    """The model that answered, as it names itself."""


class LanguageModel(Protocol):
    """Continues conversations. How it is reached, and with which key, is the adapter's affair."""

    @property
    def name(self) -> str:
        """As users choose it: `openai:NAME`, `anthropic:NAME`, `http://host/v1#NAME`."""
        ...

    def stream(
        self, prompt: Prompt, *, schema: Schema | None = None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        """The answer in pieces as they come, then whole; with a schema it is one JSON value that should fit.

        Raises ModelRateLimited, ModelTruncated, ModelRefused or ModelUnavailable. Closing the generator ends
        the call.
        """
        ...

    async def close(self) -> None:
        """End the connections. Does nothing where that was done before."""
        ...


async def complete(
    model: LanguageModel, prompt: Prompt, *, schema: Schema | None = None, max_tokens: int
) -> Reply:
    """The whole answer; raises as `stream` does."""
    async for piece in model.stream(prompt, schema=schema, max_tokens=max_tokens):
        if isinstance(piece, Reply):
            return piece
    raise AssertionError(f"{model.name} ended without a reply")
