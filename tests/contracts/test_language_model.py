"""What every language model promises: the scripted one, and the adapters over real HTTP or LangChain."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Literal

import pytest
from pydantic import SecretStr

from easynet.core.errors import (
    ModelError,
    ModelRateLimited,
    ModelRefused,
    ModelTruncated,
    ModelUnavailable,
)
from easynet.llm.anthropic_model import AnthropicModel
from easynet.llm.failures import Failures
from easynet.llm.langchain_model import LangChainModel
from easynet.llm.language_model import LanguageModel, Message, Prompt, Reply, Usage, complete, spent
from easynet.llm.openai_model import OpenAIModel
from easynet.testing.language_model import Scripted, ScriptedModel
from tests.llm.chat_model import ScriptedChatModel
from tests.llm.model_server import Turn, model_server
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow


KEY = SecretStr("sk-canary-0123456789")
PROMPT = Prompt(instructions="Be kind.", messages=(Message(role="user", text="Hello?"),))
USAGE = Usage(input_tokens=30, cached_tokens=8, written_tokens=2, output_tokens=5)
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}

Open = Callable[..., Awaitable[LanguageModel]]


def scripted(turn: Turn, failures: Failures) -> Scripted | ModelError:
    """The same in the fake's terms."""
    if turn.status >= 300 and not turn.fails_after:
        return failures.of_status(turn.status, turn.headers, turn.says, (turn.kind,))
    then: ModelError | None = None
    if turn.fails_after:
        then = failures.of_status(turn.status, {}, turn.says, (turn.kind,))
    elif turn.drops:
        then = failures.broke_off()
    elif turn.finish == "length":
        then = failures.truncated(100, USAGE)
    elif turn.finish in ("refusal", "filter"):
        then = failures.refused(turn.text, USAGE)
    elif not turn.text.strip():
        then = failures.empty(USAGE)
    text = "" if turn.finish == "refusal" else turn.text * (10_000 if turn.endless else 1)
    return Scripted(text, USAGE, then=then, stalls=turn.stalls)


@pytest.fixture(params=["fake", "openai", "compatible", "anthropic", "langchain"])
async def opened(request: pytest.FixtureRequest) -> AsyncGenerator[Open]:
    async with AsyncExitStack() as stack:

        async def open_model(*turns: Turn, timeout_s: float = PATIENCE_S) -> LanguageModel:
            model = await _open(turns, timeout_s)
            stack.push_async_callback(model.close)
            return model

        async def _open(turns: tuple[Turn, ...], timeout_s: float) -> LanguageModel:
            failures = Failures("m", key=KEY)
            if request.param == "fake":
                return ScriptedModel([scripted(turn, failures) for turn in turns], timeout_s=timeout_s)
            if request.param == "langchain":
                return LangChainModel(ScriptedChatModel(turns=[*turns]), timeout_s=timeout_s)
            url = (await stack.enter_async_context(model_server(*turns))).url
            if request.param == "anthropic":
                return AnthropicModel("m", failures, key=KEY, timeout_s=timeout_s, base_url=url)
            is_compatible = request.param == "compatible"
            return OpenAIModel(
                "m", failures, key=KEY, timeout_s=timeout_s, base_url=f"{url}/v1", compatible=is_compatible
            )

        yield open_model


async def answer(model: LanguageModel) -> Reply:
    return await complete(model, PROMPT, schema=SCHEMA, max_tokens=100)


async def read_all(model: LanguageModel) -> tuple[str, ModelError | None]:
    """All the pieces, and how they ended."""
    read = ""
    try:
        async for piece in model.stream(PROMPT, max_tokens=10):
            read += piece if isinstance(piece, str) else ""
    except ModelError as error:
        return read, error
    return read, None


async def test_pieces_come_first_and_the_whole_answer_last(opened: Open) -> None:
    model = await opened(Turn("One piece after another."))
    pieces = [piece async for piece in model.stream(PROMPT, max_tokens=100)]
    *texts, reply = pieces
    assert len(texts) > 1
    assert isinstance(reply, Reply)
    assert "".join(str(text) for text in texts) == reply.text == "One piece after another."


async def test_characters_of_every_kind_arrive_whole(opened: Open) -> None:
    text = "训练一个模型 🧪 — “fine”\n\t{}\\ "
    assert (await answer(await opened(Turn(text)))).text == text


async def test_usage_counts_all_input_and_what_the_cache_gave(opened: Open) -> None:
    assert (await answer(await opened(Turn()))).usage == USAGE


async def test_a_model_answers_again_and_again(opened: Open) -> None:
    model = await opened(Turn("a"), Turn(status=500), Turn("b"))
    assert (await answer(model)).text == "a"
    with pytest.raises(ModelUnavailable):
        await answer(model)
    assert (await answer(model)).text == "b"


async def test_rate_limit_says_when_to_come_back(opened: Open) -> None:
    model = await opened(Turn(status=429, headers={"retry-after": "7"}))
    with pytest.raises(ModelRateLimited) as caught:
        await answer(model)
    assert caught.value.retry_after_s == 7
    assert caught.value.retryable


async def test_overload_is_a_rate_limit(opened: Open) -> None:
    with pytest.raises(ModelRateLimited):
        await answer(await opened(Turn(status=529, kind="overloaded_error")))


async def test_cut_off_answer_is_an_error_that_tells_its_tokens(opened: Open) -> None:
    with pytest.raises(ModelTruncated) as caught:
        await answer(await opened(Turn('{"n": 1', finish="length")))
    assert spent(caught.value) == USAGE


@pytest.mark.parametrize("finish", ["refusal", "filter"])
async def test_refusal_is_an_error(opened: Open, finish: Literal["refusal", "filter"]) -> None:
    with pytest.raises(ModelRefused) as caught:
        await answer(await opened(Turn("I would rather not.", finish=finish)))
    assert spent(caught.value) == USAGE


@pytest.mark.parametrize("text", ["", " \n "])
async def test_empty_answer_is_an_error(opened: Open, text: str) -> None:
    with pytest.raises(ModelUnavailable, match="empty"):
        await answer(await opened(Turn(text)))


@pytest.mark.parametrize(
    ("status", "passing"), [(400, False), (401, False), (403, False), (404, False), (500, True), (503, True)]
)
async def test_failures_say_whether_they_pass(opened: Open, status: int, passing: bool) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        await answer(await opened(Turn(status=status)))
    assert caught.value.retryable is passing


async def test_error_within_the_stream_is_an_error(opened: Open) -> None:
    model = await opened(Turn(status=529, kind="overloaded_error", fails_after=True))
    with pytest.raises(ModelRateLimited):
        await answer(model)


async def test_broken_connection_is_an_error_after_the_pieces(opened: Open) -> None:
    read, error = await read_all(await opened(Turn("The first half", drops=True)))
    assert isinstance(error, ModelUnavailable)
    assert read == "The first half"


async def test_silence_ends_with_the_time(opened: Open) -> None:
    with pytest.raises(ModelUnavailable, match="no whole answer came within"):
        await answer(await opened(Turn("The first half", stalls=True), timeout_s=0.2))


async def test_endless_answer_is_cut_off(opened: Open) -> None:
    read, error = await read_all(await opened(Turn("again ", endless=True)))
    assert isinstance(error, ModelTruncated)
    assert len(read) <= 1000


async def test_reader_may_leave_at_any_time(opened: Open) -> None:
    model = await opened(Turn("again ", stalls=True), Turn("next"))
    async with aclosing(model.stream(PROMPT, max_tokens=100)) as pieces:
        async for _ in pieces:
            break
    assert (await answer(model)).text == "next"


async def test_cancelled_reader_does_not_wait(opened: Open) -> None:
    model = await opened(Turn("x", stalls=True))
    reading = asyncio.create_task(answer(model))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_closing_twice_does_nothing(opened: Open) -> None:
    model = await opened(Turn())
    await model.close()
    await model.close()
