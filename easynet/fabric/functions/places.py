"""Where a node runs its functions: on its event loop, in threads, or in processes of their own."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from contextvars import copy_context
from typing import Any, Final, Protocol

from easynet.core.call import CallContext, check_cancelled
from easynet.fabric.functions.function import Function
from easynet.fabric.functions.isolated_target import Target
from easynet.fabric.functions.isolation import ProcessPool
from easynet.fabric.functions.threads import ThreadPool

_DONE: Final = object()


class Work(Protocol):
    """A call, as whoever runs its function sees it."""

    function: Function

    context: CallContext | None

    @property
    def encoded_arguments(self) -> bytes: ...

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as the function takes them; raises ArgumentMismatch or BadData."""
        ...

    def encoded(self, value: Any) -> bytes:
        """A result, or an item, as it travels; raises Unencodable."""
        ...

    def made(self, value: bytes) -> bytes:
        """A result, or an item, that was encoded elsewhere, as it travels."""
        ...


class Place(Protocol):
    """Runs functions; what they raise comes out as it is."""

    can_stop: bool
    """Whether a function ends where its task is cancelled."""
    is_elsewhere: bool
    """Whether functions run in another process, which reads large arguments from the store."""

    async def run(self, work: Work) -> bytes:
        """The encoded result."""
        ...

    def stream(self, work: Work) -> AsyncGenerator[bytes]:
        """The encoded items of a generator function, each made when it is asked for."""
        ...


class EventLoop:
    """Runs coroutine functions where the node itself runs."""

    can_stop = True
    is_elsewhere = False

    async def run(self, work: Work) -> bytes:
        args, kwargs = work.arguments()
        return work.encoded(await work.function.call(*args, **kwargs))

    async def stream(self, work: Work) -> AsyncGenerator[bytes]:
        args, kwargs = work.arguments()
        items = work.function.call(*args, **kwargs)
        try:
            async for item in items:
                yield work.encoded(item)
        finally:
            await items.aclose()


class Threads:
    """Runs functions that block."""

    can_stop = False
    is_elsewhere = False

    def __init__(self, pool: ThreadPool) -> None:
        self._pool = pool

    async def run(self, work: Work) -> bytes:
        def call() -> bytes:
            args, kwargs = work.arguments()
            check_cancelled()
            return work.encoded(work.function.call(*args, **kwargs))

        return await self._pool.run(call)

    async def stream(self, work: Work) -> AsyncGenerator[bytes]:
        # One context for all of its steps, as for one that is read in a single place.
        context = copy_context()
        args, kwargs = await self._pool.run(work.arguments)
        items = work.function.call(*args, **kwargs)

        def advance() -> Any:
            item = next(items, _DONE)
            return item if item is _DONE else work.encoded(item)

        try:
            while (value := await self._pool.run(advance, context)) is not _DONE:
                yield value
        finally:
            await self._pool.run(items.close, context)


class Processes:
    """Runs functions of any kind where they can neither take the node's memory nor end it."""

    can_stop = True
    is_elsewhere = True

    def __init__(self, pool: ProcessPool) -> None:
        self._pool = pool

    async def run(self, work: Work) -> bytes:
        target, context = _prepared(work)
        return work.made(await self._pool.run(target, work.encoded_arguments, context))

    async def stream(self, work: Work) -> AsyncGenerator[bytes]:
        target, context = _prepared(work)
        async with aclosing(self._pool.stream(target, work.encoded_arguments, context)) as items:
            async for item in items:
                yield work.made(item)


def _prepared(work: Work) -> tuple[Target, CallContext]:
    target, context = work.function.target, work.context
    assert target is not None, "the function was not registered to be isolated"
    assert context is not None, "the call has not begun"
    return target, context
