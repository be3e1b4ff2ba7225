"""Where a node runs its functions: on its event loop or in threads."""

from collections.abc import AsyncGenerator
from contextvars import copy_context
from typing import Any, Final, Protocol

from easynet.core.call import CallContext, check_cancelled
from easynet.fabric.functions import Function
from easynet.fabric.threads import ThreadPool

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


class Place(Protocol):
    """Runs functions; what they raise comes out as it is."""

    async def run(self, work: Work) -> bytes:
        """The encoded result."""
        ...

    def stream(self, work: Work) -> AsyncGenerator[bytes]:
        """The encoded items of a generator function, each made when it is asked for."""
        ...


class EventLoop:
    """Runs coroutine functions where the node itself runs."""

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
