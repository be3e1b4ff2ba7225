"""When a model is asked again."""

import pytest

from easynet.core.errors import (
    ModelError,
    ModelRateLimited,
    ModelRefused,
    ModelTruncated,
    ModelUnavailable,
)
from easynet.llm.failures import Failures
from easynet.llm.language_model import Message, Prompt, Usage, complete
from easynet.llm.patience import PatientModel
from easynet.testing.language_model import Scripted, ScriptedModel
from tests.patience import PATIENCE_S

PROMPT = Prompt(instructions="", messages=(Message(role="user", text="Hello?"),))


class Asking:
    """A patient model over a scripted one, with its waits written down instead of waited for."""

    def __init__(self, *answers: str | ModelError | Scripted, timeout_s: float = PATIENCE_S) -> None:
        self.scripted = ScriptedModel(answers)
        self.waits: list[float] = []
        self.model = PatientModel(self.scripted, timeout_s=timeout_s, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def answer(self) -> str:
        return (await complete(self.model, PROMPT, max_tokens=100)).text

    @property
    def times(self) -> int:
        return len(self.scripted.asked)


async def test_waits_as_long_as_the_server_asks() -> None:
    asking = Asking(ModelRateLimited(retry_after_s=3.5), "ok")
    assert await asking.answer() == "ok"
    assert asking.waits == [3.5]


async def test_waits_longer_each_time_where_the_server_does_not_say() -> None:
    asking = Asking(ModelRateLimited(), ModelUnavailable(passing=True), "ok")
    assert await asking.answer() == "ok"
    assert asking.waits == [0.5, 1.0]


async def test_gives_up_after_three_attempts() -> None:
    asking = Asking(*[ModelUnavailable(passing=True)] * 9)
    with pytest.raises(ModelUnavailable):
        await asking.answer()
    assert asking.times == 3


@pytest.mark.parametrize("error", [ModelUnavailable(), ModelTruncated(), ModelRefused()])
async def test_does_not_ask_again_what_fails_again(error: ModelError) -> None:
    asking = Asking(error, "ok")
    with pytest.raises(type(error)):
        await asking.answer()
    assert asking.times == 1


@pytest.mark.parametrize(("took", "times"), [(Usage(), 2), (Usage(input_tokens=9, output_tokens=9), 1)])
async def test_empty_answer_is_asked_for_again_only_where_it_took_nothing(took: Usage, times: int) -> None:
    asking = Asking(Failures("m").empty(took), ModelTruncated())
    with pytest.raises(ModelError):
        await asking.answer()
    assert asking.times == times


async def test_does_not_wait_for_what_comes_too_late() -> None:
    asking = Asking(ModelRateLimited(retry_after_s=PATIENCE_S + 1), "ok")
    with pytest.raises(ModelRateLimited):
        await asking.answer()
    assert asking.waits == []


async def test_does_not_ask_again_once_pieces_were_handed_out() -> None:
    asking = Asking(Scripted("half", then=ModelUnavailable(passing=True)), "ok")
    with pytest.raises(ModelUnavailable):
        await asking.answer()
    assert asking.times == 1


async def test_all_attempts_share_one_time() -> None:
    asking = Asking(ModelRateLimited(retry_after_s=0), Scripted(stalls=True), timeout_s=0.2)
    with pytest.raises(ModelUnavailable, match="no whole answer came within"):
        await asking.answer()
    assert asking.scripted.given_up == 1


async def test_closing_closes_the_model() -> None:
    asking = Asking()
    await asking.model.close()
    assert asking.scripted.closed
    assert asking.model.name == "scripted"
