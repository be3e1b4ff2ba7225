"""The doors for code without `async`: `Client` and `Server`, which work on an event loop elsewhere."""

import threading
import weakref
from collections.abc import Awaitable, Callable, Generator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from easynet.core.artifact import Artifact
from easynet.core.errors import UsageError
from easynet.core.job import Job
from easynet.core.language import Language
from easynet.core.offer import Node
from easynet.fabric.access.members import Kind
from easynet.fabric.calling.catalogue import FunctionInfo
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import DAY_S, Owner
from easynet.fabric.jobs.blocking_job import BlockingJob
from easynet.fabric.jobs.job_client import JobOptions
from easynet.fabric.jobs.job_handle import JobHandle
from easynet.fabric.portal import Portal
from easynet.settings import Settings

T = TypeVar("T")


class Client:
    """Calls functions by name: `"add"` on any node that offers it, `"my-node.add"` on that one.

    Connects when it is made; raises GatewayUnreachable. May be used from several threads.
    """

    def __init__(self, gateway: str, *, data_dir: Path | None = None) -> None:
        client = AsyncClient(gateway, data_dir=data_dir)
        self._client = client
        self._portal = Portal("easynet-client")
        # Runs when this object is collected or the interpreter exits, if `close` was not called.
        self._close = weakref.finalize(self, self._portal.close, client.close)
        try:
            self._portal.call(client.connect)
        except BaseException:
            self._close()
            raise

    def execute(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function and give its result; of a generator function, the list of its items.

        A path among the arguments is sent as a file; a file that comes back is an `Artifact`, to be taken
        with `download`. Raises RemoteFailure where the function raised.
        """
        return self._call(lambda: self._client.execute(function, *args, **kwargs))

    def stream(self, function: str, /, *args: Any, **kwargs: Any) -> Generator[Any]:
        """The items of a generator function, as they come; of any other function, its one result."""
        items = self._client.stream(function, *args, **kwargs)
        try:
            while True:
                try:
                    item = self._call(items.__anext__)
                except StopAsyncIteration:
                    return
                yield item
        finally:
            if self._close.alive:
                self._portal.call(items.aclose)

    def submit(self, function: str, /, *args: Any, **kwargs: Any) -> BlockingJob:
        """Hand a call in at the gateway, which sees that it is carried out, whatever happens to this client.

        The arguments are those of `execute`. Raises SettingsError at a gateway that does not last.
        """
        return self.submit_with(JobOptions(), function, *args, **kwargs)

    def submit_with(self, options: JobOptions, function: str, /, *args: Any, **kwargs: Any) -> BlockingJob:
        """As `submit`, under a key of one's own or with a limit of time."""
        handle = self._call(lambda: self._client.submit_with(options, function, *args, **kwargs))
        return BlockingJob(handle, self._call)

    def jobs(self) -> list[Job]:
        """The latest jobs of this client and of others of its name, oldest first."""
        return self._call(self._client.jobs)

    def job(self, job_id: str) -> BlockingJob:
        """A job by its id; whether there is one is seen when it is used."""

        async def find() -> JobHandle:
            return self._client.job(job_id)

        return BlockingJob(self._call(find), self._call)

    def functions(self, language: Language = "en") -> list[FunctionInfo]:
        """Every function that can be called, by name."""
        return self._call(lambda: self._client.functions(language))

    def nodes(self) -> list[Node]:
        """Every node on the network, by name."""
        return self._call(self._client.nodes)

    def download(self, artifact: Artifact, path: Path) -> None:
        """Write a file that came back from a call to a place of one's own."""
        self._call(lambda: self._client.download(artifact, path))

    def close(self) -> None:
        """Cancel the calls in flight and leave. Does nothing the second time."""
        self._close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, work: Callable[[], Awaitable[T]]) -> T:
        if not self._close.alive:
            raise UsageError("this client is closed", hint="Make a new one: Client(url).")
        return self._portal.call(work)


class Server:
    """A gateway in this process, as `easynet gateway start` runs one in a process of its own.

    Beyond 127.0.0.1 it speaks TLS, and other machines join with a token. One at a time uses a data directory,
    where it remembers who has joined.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        advertise: str = "",
        data_dir: Path | None = None,
    ) -> None:
        """`advertise` is the host by which other machines reach this one, where it cannot be found out."""
        settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
        self._data_dir = settings.usable_data_dir()
        self._gateway = Gateway(
            self._data_dir, host, port, lasting=True, advertise=advertise, is_default=True
        )
        self._portal: Portal | None = None
        self._stop: weakref.finalize[Any, Any] | None = None

    @property
    def url(self) -> str:
        """The address to give to nodes and clients; holds no secret."""
        if self._stop is None:
            raise UsageError("the server has no address before it is started", hint="Call start() first.")
        return self._gateway.url

    def start(self) -> None:
        """Serve until `stop`, or until the process ends; raises ServerNotStarted."""
        if self._stop is not None:
            raise UsageError(f"the server is started already, at {self.url}")
        portal = Portal("easynet-server")
        stop = weakref.finalize(self, portal.close, self._gateway.stop)
        try:
            portal.call(self._gateway.start)
        except BaseException:
            stop()
            raise
        self._portal = portal
        self._stop = stop

    def invite(
        self,
        kind: Kind,
        name: str,
        *,
        functions: Sequence[str] = (),
        trusted: bool = False,
        rate: float = 0.0,
        expires_s: float = DAY_S,
    ) -> str:
        """A token with which one device may join as that, by `easynet join TOKEN`.

        A client may call `functions` only, named as `function` or `node.function`; all where none is named.
        A trusted node is as good as one's own. `rate` limits a client's messages a second. Raises NameTaken
        or UsageError.
        """
        if self._portal is None:
            raise UsageError("nobody can be invited before the server is started", hint="Call start() first.")
        url = self.url

        async def ask() -> str:
            async with Owner(url, data_dir=self._data_dir) as owner:
                return await owner.invite(
                    kind, name, functions=functions, trusted=trusted, rate=rate, expires_s=expires_s
                )

        return self._portal.call(ask)

    def serve(self) -> None:
        """Start where that has not been done, and serve until Ctrl-C."""
        if self._stop is None:
            self.start()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def stop(self) -> None:
        """End the server. Does nothing where it does not run."""
        stop, self._stop = self._stop, None
        self._portal = None
        if stop is not None:
            stop()

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
