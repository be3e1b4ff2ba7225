"""What the adapters send, and what they make of answers that are not in form."""

import asyncio
import logging
import traceback

import pytest
from pydantic import SecretStr

from easynet.core.errors import EasyNetError, ModelUnavailable
from easynet.llm.anthropic_model import AnthropicModel
from easynet.llm.failures import Failures
from easynet.llm.language_model import LanguageModel, Message, Prompt, Usage, complete
from easynet.llm.openai_model import OpenAIModel
from easynet.testing.language_model import ScriptedModel
from tests.llm.model_server import ModelServer, Turn, model_server
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

CANARY = "sk-canary-0123456789"
PROMPT = Prompt(
    instructions="Be kind.",
    messages=(
        Message(role="user", text="Hello?"),
        Message(role="assistant", text="Yes?"),
        Message(role="user", text="Plan."),
    ),
)
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
KINDS = ["openai", "compatible", "anthropic"]


def open_model(kind: str, url: str, key: str | None = CANARY, timeout_s: float = PATIENCE_S) -> LanguageModel:
    secret = SecretStr(key) if key else None
    failures = Failures("m", key=secret)
    if kind == "anthropic":
        return AnthropicModel("m", failures, key=SecretStr(key or ""), timeout_s=timeout_s, base_url=url)
    return OpenAIModel(
        "m", failures, key=secret, timeout_s=timeout_s, base_url=f"{url}/v1", compatible=kind == "compatible"
    )


async def ask(model: LanguageModel) -> str:
    try:
        return (await complete(model, PROMPT, schema=SCHEMA, max_tokens=100)).text
    finally:
        await model.close()


async def sent(kind: str, key: str | None = CANARY) -> ModelServer:
    async with model_server() as server:
        await ask(open_model(kind, server.url, key))
    assert len(server.requests) == 1
    return server


async def test_openai_gets_a_closed_schema_and_a_cache_key() -> None:
    [first] = (await sent("openai")).requests
    [second] = (await sent("openai")).requests
    assert first.path == "/v1/chat/completions"
    assert first.headers["authorization"] == f"Bearer {CANARY}"
    answer = {"name": "answer", "strict": True, "schema": SCHEMA}
    assert first.body["response_format"] == {"type": "json_schema", "json_schema": answer}
    assert first.body["max_completion_tokens"] == 100
    assert first.body["store"] is False
    assert first.body["stream_options"] == {"include_usage": True}
    assert [m["role"] for m in first.body["messages"]] == ["system", "user", "assistant", "user"]
    assert first.body["prompt_cache_key"] == second.body["prompt_cache_key"]


async def test_anthropic_gets_a_schema_and_a_mark_to_cache_up_to() -> None:
    [request] = (await sent("anthropic")).requests
    assert request.path == "/v1/messages"
    assert CANARY in request.headers["authorization"]
    assert request.body["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert request.body["system"] == [
        {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}
    ]
    assert [m["role"] for m in request.body["messages"]] == ["user", "assistant", "user"]


async def test_other_servers_get_no_more_than_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-of-openai")
    monkeypatch.setenv("OPENAI_ORG_ID", "sk-of-openai")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "sk-of-openai")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: sk-of-openai\nAuthorization: sk-of-openai")
    [request] = (await sent("compatible", key=None)).requests
    assert set(request.headers) <= {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "user-agent",
    }
    assert "sk-of-openai" not in str(request)
    assert set(request.body) == {
        "model",
        "messages",
        "stream",
        "stream_options",
        "response_format",
        "max_tokens",
    }
    assert (await sent("compatible")).requests[0].headers["authorization"] == f"Bearer {CANARY}"


async def test_no_proxy_comes_between_us_and_a_model_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    async with model_server(Turn("from the proxy")) as proxy, model_server(Turn("from the model")) as server:
        for variable in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        assert await ask(open_model("compatible", server.url)) == "from the model"
    assert not proxy.requests


@pytest.mark.parametrize("kind", KINDS)
async def test_empty_instructions_are_left_out(kind: str) -> None:
    async with model_server() as server:
        model = open_model(kind, server.url)
        await complete(model, Prompt(instructions="", messages=PROMPT.messages), max_tokens=5)
        await model.close()
    assert len(server.requests[0].body["messages"]) == 3
    assert "system" not in server.requests[0].body


async def test_nothing_is_asked_twice_behind_our_back() -> None:
    for kind in KINDS:
        async with model_server(Turn(status=500)) as server:
            with pytest.raises(ModelUnavailable):
                await ask(open_model(kind, server.url))
        assert len(server.requests) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_redirections_are_not_followed(kind: str) -> None:
    async with model_server() as other:
        moved = Turn(status=307, headers={"location": f"{other.url}/v1/chat/completions"})
        async with model_server(moved) as server:
            with pytest.raises(ModelUnavailable, match="sends elsewhere"):
                await ask(open_model(kind, server.url))
    assert not other.requests


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "raw",
    [
        "",
        "data: {\n\n",
        "data: 5\n\n",
        "data: [1]\n\n",
        'data: "x"\n\n',
        "data: null\n\n",
        "\x00\xff\n\n",
        "<html>Welcome</html>",
        'data: {"choices": 7}\n\n',
        'data: {"choices": [{"delta": null}]}\n\n',
        'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        'data: {"choices": [{"delta": {"content": ["a"]}}]}\n\n',
        'data: {"choices": [], "usage": 3}\n\n',
        'data: {"choices": [], "usage": {"prompt_tokens": "many", "prompt_tokens_details": 4}}\n\n',
        'event: message_start\ndata: {"type": "message_start"}\n\n',
        'event: message_start\ndata: {"type": "message_start", "message": {"content": 4}}\n\n',
        'event: message_stop\ndata: {"type": "message_stop"}\n\n',
        'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 9, "delta": {}}\n\n',
        'event: message_start\ndata: {"type": "message_start", "message": {"content": []}}\n\n'
        'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 9, "delta": '
        '{"type": "text_delta", "text": "x"}}\n\n',
        "event: error\ndata: {}\n\n",
        "event: error\ndata: x\n\n",
        'data: {"error": "it broke"}\n\n',
        'data: {"error": {"message": 7, "code": {}, "type": []}}\n\n',
    ],
)
async def test_answers_that_are_not_in_form_are_errors(kind: str, raw: str) -> None:
    async with model_server(Turn(raw=raw)) as server:
        with pytest.raises(ModelUnavailable):
            await ask(open_model(kind, server.url))


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_that_just_ends_is_broken_off(kind: str) -> None:
    async with model_server(Turn("half an ans", finish="none")) as server:
        with pytest.raises(ModelUnavailable, match="broke off") as caught:
            await ask(open_model(kind, server.url))
    assert caught.value.retryable


@pytest.mark.parametrize("kind", KINDS)
async def test_server_that_tells_no_tokens_is_taken_as_it_is(kind: str) -> None:
    async with model_server(Turn(tokens=False)) as server:
        model = open_model(kind, server.url)
        reply = await complete(model, PROMPT, max_tokens=100)
        await model.close()
    assert reply.usage == Usage()


@pytest.mark.parametrize("kind", KINDS)
async def test_server_that_is_not_there_is_an_error_that_passes(kind: str) -> None:
    async with model_server() as server:
        pass
    with pytest.raises(ModelUnavailable, match="cannot be reached") as caught:
        await ask(open_model(kind, server.url))
    assert caught.value.retryable


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "turn",
    [
        Turn(),
        *(Turn(status=s, says=f"Bad key: {CANARY}", kind=CANARY) for s in (400, 401, 404, 429, 500)),
        Turn(says=CANARY, status=500, fails_after=True),
        Turn(CANARY, finish="refusal"),
        Turn(raw=f"data: {CANARY}\n\n"),
        Turn(drops=True),
    ],
)
async def test_no_key_is_in_any_error_or_log(kind: str, turn: Turn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with model_server(turn) as server:
        model = open_model(kind, server.url)
        shown = repr(model)
        try:
            await ask(model)
        except EasyNetError as error:
            shown += "".join((*traceback.format_exception(error), *error.in_language("zh"), error.hint))
    assert server.requests
    assert CANARY not in shown
    assert CANARY not in caplog.text


async def test_hung_up_reader_ends_the_call_at_the_server() -> None:
    for kind in KINDS:
        async with model_server(Turn("x", stalls=True)) as server:
            model = open_model(kind, server.url, timeout_s=0.2)
            with pytest.raises(ModelUnavailable):
                await ask(model)
            async with asyncio.timeout(PATIENCE_S):
                await server.hung_up.wait()


async def test_fake_records_what_it_was_asked_and_what_was_given_up() -> None:
    model = ScriptedModel(["a long answer"])
    pieces = model.stream(PROMPT, schema=SCHEMA, max_tokens=9)
    await anext(pieces)
    await pieces.aclose()
    assert model.asked[0].max_tokens == 9
    assert model.given_up == 1
