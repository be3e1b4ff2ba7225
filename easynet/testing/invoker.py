"""Nodes in this process: calls run Python functions, and fail, stall or vanish as a test says."""

import asyncio
import inspect
import traceback
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from easynet.core.call import CallContext, CallUpdate, Progressed, Returned, Yielded, call_context
from easynet.core.errors import CallTimeout, EasyNetError, NodeUnreachable, RemoteFailure, UnknownFunction
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Privacy


@dataclass(frozen=True)
class Call:
    """A call that was made."""

    node: NodeId
    capability: CapabilityName
    arguments: Mapping[str, Any]
    key: str
    timeout_s: float
    privacy: Privacy = Privacy.NORMAL


@dataclass
class FakeInvoker:
    """Runs every function on every node.

    A function may be sync or async, a generator, tell its progress, and raise.
    """

    functions: Mapping[str, Callable[..., Any]]
    latency_s: Callable[[Call], float] = lambda call: 0.0
    """How long a call takes before the function runs."""
    down: set[str] = field(default_factory=set[str])
    """Nodes that do not answer."""
    calls: list[Call] = field(default_factory=list[Call])
    """All calls, in order."""
    cancelled: list[Call] = field(default_factory=list[Call])
    """Calls that their caller gave up."""
    running: Counter[str] = field(default_factory=Counter[str])
    """Calls under way, by node."""
    peak: Counter[str] = field(default_factory=Counter[str])
    """The most calls that a node ever ran at a time."""

    def __post_init__(self) -> None:
        self._errors: dict[str, list[Exception]] = defaultdict(list)

    def fail(self, node: str, *errors: Exception) -> None:
        """The next calls to `node` raise these, one each."""
        self._errors[node] += errors

    async def invoke(
        self,
        node: NodeId,
        capability: CapabilityName,
        arguments: Mapping[str, Any],
        *,
        key: str,
        timeout_s: float,
        privacy: Privacy = Privacy.NORMAL,
    ) -> AsyncGenerator[CallUpdate]:
        call = Call(node, capability, arguments, key, timeout_s, privacy)
        self.calls.append(call)
        self.running[node] += 1
        self.peak[node] = max(self.peak[node], self.running[node])
        try:
            async with asyncio.timeout(timeout_s):
                async for update in self._updates(call):
                    yield update
        except TimeoutError:
            raise CallTimeout(f"{capability} took longer than {timeout_s} s on {node}") from None
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.append(call)
            raise
        finally:
            self.running[node] -= 1

    async def _updates(self, call: Call) -> AsyncGenerator[CallUpdate]:
        if call.node in self.down:
            raise NodeUnreachable(f"{call.node} does not answer")
        if self._errors[call.node]:
            raise self._errors[call.node].pop(0)
        if call.capability not in self.functions:
            raise UnknownFunction(f"{call.node} has no {call.capability}")
        said: asyncio.Queue[CallUpdate | None] = asyncio.Queue()
        task = asyncio.create_task(self._run(call, said))
        task.add_done_callback(lambda _: said.put_nowait(None))
        try:
            while (update := await said.get()) is not None:
                yield update
        finally:
            task.cancel()
            await asyncio.wait([task])
        if call.node in self.down:
            raise NodeUnreachable(f"{call.node} went away")
        yield Returned(task.result())

    async def _run(self, call: Call, said: "asyncio.Queue[CallUpdate | None]") -> Any:
        if latency_s := self.latency_s(call):
            await asyncio.sleep(latency_s)
        context = CallContext(lambda f, m: said.put_nowait(Progressed(f, m)), Path, lambda: False, call.key)
        try:
            with call_context(context):
                result = self.functions[call.capability](**call.arguments)
                if inspect.isawaitable(result):
                    result = await result
                if inspect.isgenerator(result):
                    for item in result:
                        said.put_nowait(Yielded(item))
                    return None
        except EasyNetError:
            raise
        except Exception as error:
            raise RemoteFailure(type(error).__name__, str(error), traceback.format_exc()) from None
        return result
