"""A TCP connection that a test can count, listen to, hold up and cut."""

import asyncio
import contextlib
from types import TracebackType


class Proxy:
    """Passes bytes on to a server of this machine."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, listens: bool = False) -> None:
        """Where it `listens`, it keeps all that passes."""
        self._target = host, port
        self.heard: bytearray | None = bytearray() if listens else None
        """Everything that has passed, of all connections and in both directions."""
        self._passes = asyncio.Event()
        self._passes.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._marks: list[tuple[int, asyncio.Event]] = []
        self.port = 0
        self.passed = 0
        """Bytes in both directions."""

    async def __aenter__(self) -> "Proxy":
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def open(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """End every connection and refuse new ones."""
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """End every connection without a word; new ones are taken."""
        for writer in self._writers:
            writer.transport.abort()

    def hold(self) -> None:
        """Pass nothing on from now, without a word to either side; new connections are taken."""
        self._passes.clear()

    def go_on(self) -> None:
        """Pass on what was held back, and all that follows."""
        self._passes.set()

    async def passed_as_much_as(self, count: int) -> None:
        """Wait until so many bytes have passed."""
        event = asyncio.Event()
        self._marks.append((count, event))
        async with asyncio.timeout(200):
            await event.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:  # it is not there yet
            writer.transport.abort()
            return
        self._writers.add(back)
        for source, target in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pass_on(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 18):
                await self._passes.wait()
                target.write(data)
                await target.drain()
                self.passed += len(data)
                if self.heard is not None:
                    self.heard += data
                for count, event in self._marks:
                    if self.passed >= count:
                        event.set()
        target.transport.abort()
