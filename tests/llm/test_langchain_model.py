"""What a chat model of LangChain's is asked."""

import os
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from pydantic import SecretStr

from easynet.core.errors import ModelError, ModelRefused, ModelTruncated, ModelUnavailable
from easynet.llm.langchain_model import LangChainModel
from easynet.llm.language_model import Message, Prompt, complete
from tests.llm.chat_model import ScriptedChatModel
from tests.llm.model_server import Turn
from tests.patience import PATIENCE_S

PROMPT = Prompt(
    instructions="Be kind.",
    messages=(
        Message(role="user", text="Hello?"),
        Message(role="assistant", text="Yes?"),
        Message(role="user", text="Plan."),
    ),
)
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


class SchemaChatModel(ScriptedChatModel):
    """One that says that it keeps to schemas, and has LangChain's standard parameter for length."""

    max_tokens: int | None = None


async def asked(chat: ScriptedChatModel, **options: Any) -> tuple[list[Any], dict[str, Any]]:
    await complete(LangChainModel(chat, timeout_s=PATIENCE_S), PROMPT, max_tokens=50, **options)
    [call] = chat.calls
    return call


async def test_schema_is_told_in_the_instructions() -> None:
    messages, arguments = await asked(ScriptedChatModel(turns=[Turn()]), schema=SCHEMA)
    assert [type(m) for m in messages] == [SystemMessage, HumanMessage, AIMessage, HumanMessage]
    assert '"additionalProperties": false' in messages[0].content
    assert not arguments


async def test_model_that_can_is_bound_to_the_schema_and_the_length() -> None:
    chat = SchemaChatModel(turns=[Turn()], profile={"structured_output": True})
    _, arguments = await asked(chat, schema=SCHEMA)
    assert arguments["max_tokens"] == 50
    assert arguments["response_format"]["json_schema"]["schema"] == SCHEMA


async def test_without_a_schema_the_instructions_stay_as_they_are() -> None:
    messages, _ = await asked(ScriptedChatModel(turns=[Turn()]))
    assert messages[0].content == "Be kind."


async def test_whatever_an_integration_raises_is_an_error_of_ours() -> None:
    class Odd(ScriptedChatModel):
        async def _astream(self, *args: Any, **kwargs: Any) -> Any:
            raise KeyError("choices")
            yield

    with pytest.raises(ModelUnavailable, match="KeyError"):
        await asked(Odd(turns=[]))


@pytest.mark.parametrize(
    ("name", "expected", "words"),
    [
        ("LengthFinishReasonError", ModelTruncated, "cut off"),
        ("ContentFilterFinishReasonError", ModelRefused, "declined"),
        ("APIConnectionError", ModelUnavailable, "cannot be reached"),
        ("RemoteProtocolError", ModelUnavailable, "cannot be reached"),
        ("APITimeoutError", ModelUnavailable, "no whole answer"),
        ("APIError", ModelUnavailable, "failed"),
    ],
)
async def test_errors_of_the_usual_sdks_are_known_by_name(
    name: str, expected: type[ModelError], words: str
) -> None:
    class Odd(ScriptedChatModel):
        async def _astream(self, *args: Any, **kwargs: Any) -> Any:
            raise type(name, (Exception,), {})("no")
            yield

    with pytest.raises(expected, match=words):
        await asked(Odd(turns=[]))


async def test_key_in_an_integrations_error_is_not_repeated() -> None:
    class Keyed(ScriptedChatModel):
        key: SecretStr = SecretStr("sk-canary-0123456789")

    with pytest.raises(ModelUnavailable) as caught:
        await asked(Keyed(turns=[Turn(status=500, says="sk-canary-0123456789")]))
    assert "canary" not in str(caught.value)


def test_no_traces_leave_once_a_model_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING_V2", "true")
    model = LangChainModel(ScriptedChatModel(turns=[]), timeout_s=1)
    assert os.environ["LANGSMITH_TRACING_V2"] == "false"
    assert model.name == "langchain:tiny-1"
