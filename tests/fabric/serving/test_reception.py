"""What a node does with calls that it does not run, or not to their end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from easynet.core.errors import ArgumentMismatch, GatewayUnreachable, NodeRefused, OutcomeUnknown, OverBudget
from easynet.fabric.serving.services import Limits
from easynet.fabric.wire.names import METERED
from easynet.fabric.wire.updates import Failure, Result
from tests.fabric.serving.served import Served
from tests.patience import PATIENCE_S

PAYING = METERED + "client"


async def double(number: int) -> int:
    return 2 * number


async def fail() -> None:
    raise ValueError


@asynccontextmanager
async def serving(folder: Path, *functions: Callable[..., Any], **terms: Any) -> AsyncIterator[Served]:
    served = Served(folder, *functions, **terms)
    yield served
    await served.close()


async def code(served: Served, id_: str) -> str:
    update = await served.connection.answer(id_)
    assert isinstance(update, Failure), update
    return update.code


async def test_call_that_ran_is_counted_and_its_failure_too(tmp_path: Path) -> None:
    async with serving(tmp_path, double, fail) as served:
        assert isinstance(await served.connection.answer(served.call("double", 2)), Result)
        await code(served, served.call("fail"))
        doubled, failed = served.counted("double"), served.counted("fail")
        assert doubled is not None
        assert failed is not None
        assert (doubled.calls, doubled.errors) == (1, 0)
        assert (failed.calls, failed.errors) == (1, 1)


async def test_call_over_budget_is_no_error_of_the_function(tmp_path: Path) -> None:
    async def refuse(what: str, content: Any) -> bool:
        return False

    async with serving(tmp_path, double, ask=refuse) as served:
        assert await code(served, served.call("double", 2, client=PAYING)) == OverBudget.code
        assert served.counted("double") is None


async def test_call_that_cannot_be_counted_is_no_error_of_the_function(tmp_path: Path) -> None:
    async def fail_to_answer(what: str, content: Any) -> bool:
        raise GatewayUnreachable("it is gone")

    async with serving(tmp_path, double, ask=fail_to_answer) as served:
        assert await code(served, served.call("double", 2, client=PAYING)) == NodeRefused.code
        assert served.counted("double") is None


async def test_arguments_that_do_not_fit_are_no_error_of_the_function(tmp_path: Path) -> None:
    async with serving(tmp_path, double) as served:
        assert await code(served, served.call("double", 1, 2, 3)) == ArgumentMismatch.code
        assert served.counted("double") is None


async def test_key_of_a_refused_call_may_be_used_again(tmp_path: Path) -> None:
    credits = [False, True]

    async def charge(what: str, content: Any) -> bool:
        return credits.pop(0)

    async with serving(tmp_path, double, ask=charge, idempotent=False) as served:
        assert await code(served, served.call("double", 2, client=PAYING, key="once")) == OverBudget.code
        again = served.call("double", 2, client=PAYING, key="once")
        assert isinstance(await served.connection.answer(again), Result)


async def test_waiting_calls_are_never_begun_once_the_node_stops(tmp_path: Path) -> None:
    runs: list[int] = []
    began = asyncio.Event()

    async def wait(number: int) -> None:
        runs.append(number)
        began.set()
        await asyncio.Event().wait()

    async with serving(tmp_path, wait, limits=Limits(1, 1, 16), idempotent=False) as served:
        first, *others = [served.call("wait", number) for number in range(4)]
        async with asyncio.timeout(PATIENCE_S):
            await began.wait()
        served.reception.refuse_all()
        assert await code(served, first) == OutcomeUnknown.code
        assert [await code(served, id_) for id_ in others] == [NodeRefused.code] * 3
        async with asyncio.timeout(PATIENCE_S):
            await served.reception.idle()
        assert runs == [0]


async def test_call_that_is_refused_while_it_is_charged_has_not_begun(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def think(what: str, content: Any) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    async with serving(tmp_path, double, ask=think, idempotent=False) as served:
        id_ = served.call("double", 2, client=PAYING)
        async with asyncio.timeout(PATIENCE_S):
            await asked.wait()
        served.reception.refuse_all()
        assert await code(served, id_) == NodeRefused.code
