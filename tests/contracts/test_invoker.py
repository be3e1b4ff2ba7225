"""What every invoker promises: the fake one that unit tests use, and the real one over NATS."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from easynet import progress
from easynet.core.call import CallUpdate, Progressed, Returned, Yielded
from easynet.core.errors import BadData, CallTimeout, InputNeeded, RemoteFailure, UnknownFunction
from easynet.core.ids import CapabilityName, NodeId
from easynet.execution.invoker import Invoker
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.testing.invoker import FakeInvoker
from tests.patience import PATIENCE_S

NODE = NodeId("node")
began = threading.Event()
stopped = threading.Event()


def add(a: int, b: int = 10) -> int:
    return a + b


async def echo(value: Any) -> Any:
    return value


def count(n: int) -> Iterator[int]:
    yield from range(n)


def told(steps: int) -> str:
    for step in range(steps):
        progress(step / steps, f"step {step}")
    return "done"


def broken() -> None:
    raise ValueError("out of order")


def picky() -> None:
    raise BadData("the file is empty", hint="Give another one.")


def curious() -> None:
    raise InputNeeded("target", "Which column?", ["a", "b"])


async def endless() -> None:
    began.set()
    try:
        await asyncio.Event().wait()
    finally:
        stopped.set()


FUNCTIONS = {f.__name__: f for f in (add, echo, count, told, broken, picky, curious, endless)}


@pytest.fixture(params=["fake", pytest.param("nats", marks=pytest.mark.slow)])
async def invoker(request: pytest.FixtureRequest, own_data_dir: Path) -> AsyncIterator[Invoker]:
    began.clear()
    stopped.clear()
    if request.param == "fake":
        yield FakeInvoker(FUNCTIONS)
        return
    async with Gateway(own_data_dir) as gateway, ComputeNode(gateway.url, name=NODE) as node:
        for function in FUNCTIONS.values():
            node.register(function)
        async with AsyncClient(gateway.url) as client:
            yield client


async def updates(
    invoker: Invoker, function: str, *, timeout_s: float = PATIENCE_S, **arguments: Any
) -> list[CallUpdate]:
    call = invoker.invoke(NODE, CapabilityName(function), arguments, key="k", timeout_s=timeout_s)
    return [update async for update in call]


async def test_result_comes_last(invoker: Invoker) -> None:
    assert await updates(invoker, "add", a=2, b=3) == [Returned(5)]


async def test_default_holds_where_an_argument_is_left_out(invoker: Invoker) -> None:
    assert await updates(invoker, "add", a=2) == [Returned(12)]


@pytest.mark.parametrize("value", [None, True, 0, -(2**60), 1.5, "文字", b"\x00", [1, [2]], {"a": {"b": []}}])
async def test_plain_values_survive_the_journey(invoker: Invoker, value: Any) -> None:
    assert await updates(invoker, "echo", value=value) == [Returned(value)]


async def test_items_of_a_generator_come_one_by_one(invoker: Invoker) -> None:
    seen = await updates(invoker, "count", n=3)
    assert seen == [Yielded(0), Yielded(1), Yielded(2), Returned(None)]


async def test_progress_is_passed_on_before_the_result(invoker: Invoker) -> None:
    seen = await updates(invoker, "told", steps=3)
    assert isinstance(seen[0], Progressed)  # not necessarily the first one: they are thinned out
    assert seen[-1] == Returned("done")


async def test_exception_arrives_with_type_message_and_traceback(invoker: Invoker) -> None:
    with pytest.raises(RemoteFailure) as caught:
        await updates(invoker, "broken")
    assert (caught.value.remote_type, caught.value.remote_message) == ("ValueError", "out of order")
    assert "in broken" in caught.value.remote_traceback


async def test_error_about_the_users_data_keeps_its_class_and_hint(invoker: Invoker) -> None:
    with pytest.raises(BadData, match="the file is empty") as caught:
        await updates(invoker, "picky")
    assert caught.value.hint == "Give another one."


async def test_question_keeps_its_name_and_choices(invoker: Invoker) -> None:
    with pytest.raises(InputNeeded) as caught:
        await updates(invoker, "curious")
    assert (caught.value.name, caught.value.choices) == ("target", ("a", "b"))


async def test_unknown_function_is_named(invoker: Invoker) -> None:
    with pytest.raises(UnknownFunction, match="nothing_of_the_kind"):
        await updates(invoker, "nothing_of_the_kind")


async def test_call_ends_when_its_time_is_over(invoker: Invoker) -> None:
    for timeout_s in (0.2, 5.0, 20.0):  # a slow machine may not have begun it when its time is over
        with pytest.raises(CallTimeout):
            await updates(invoker, "endless", timeout_s=timeout_s)
        if began.is_set():
            break
    assert await asyncio.to_thread(stopped.wait, PATIENCE_S)


async def test_closing_the_iterator_stops_the_function(invoker: Invoker) -> None:
    call = invoker.invoke(NODE, CapabilityName("endless"), {}, key="k", timeout_s=PATIENCE_S)
    async with aclosing(call):  # type: ignore[type-var]  # every invoker here is an async generator
        waiting = asyncio.ensure_future(anext(aiter(call)))
        assert await asyncio.to_thread(began.wait, PATIENCE_S)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert await asyncio.to_thread(stopped.wait, PATIENCE_S)
