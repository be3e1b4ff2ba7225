"""Work on files, away from the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_Outcome = tuple[Any, Exception | None]


class Batches:
    """Pieces of work on one file, done in a thread in the order in which they came.

    All that waits is done in one go: to go to a thread and back takes as long as a small piece itself.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or is being done."""
        return self._task is None

    def do(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """The result of a piece of work, which is done also where nobody waits for it."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return done

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                outcomes = await asyncio.to_thread(_outcomes, [work for work, _ in batch])
                for (_, done), (result, error) in zip(batch, outcomes, strict=True):
                    if done.done():
                        continue
                    if error is not None:
                        done.set_exception(error)
                    else:
                        done.set_result(result)
        finally:
            self._task = None


def _outcomes(batch: list[Callable[[], Any]]) -> list[_Outcome]:
    return [_outcome(work) for work in batch]


def _outcome(work: Callable[[], Any]) -> _Outcome:
    try:
        return work(), None
    except Exception as error:  # it is raised again where it was asked for
        return None, error
