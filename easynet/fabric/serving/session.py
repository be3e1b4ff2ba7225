"""A node's stay on the network, from its joining to its leaving."""

import asyncio
import contextlib
import platform
import secrets
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from easynet.core.errors import AccessDenied, EasyNetError, NameTaken
from easynet.core.ids import NodeId
from easynet.core.offer import Node, Trust
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import WayIn
from easynet.fabric.functions.function import Function
from easynet.fabric.functions.isolation import Isolation
from easynet.fabric.functions.places import EventLoop, Place, Processes, Threads
from easynet.fabric.functions.scratch import ScratchFolders
from easynet.fabric.functions.threads import ThreadPool
from easynet.fabric.receipts.receipt_signer import ReceiptSigner
from easynet.fabric.registry import HEARTBEAT_S
from easynet.fabric.serving.call_records import CallRecords
from easynet.fabric.serving.load_report import Load, LoadReport
from easynet.fabric.serving.metering import Meter
from easynet.fabric.serving.reception import Reception
from easynet.fabric.serving.services import Limits, Services
from easynet.fabric.serving.surroundings import Surroundings
from easynet.fabric.telemetry import tracing
from easynet.fabric.telemetry.statistics import CallStatistics
from easynet.fabric.transport.connection import Connection, Subscription
from easynet.fabric.transport.questions import ask
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.served_values import NodeValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire import versions
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.names import connection_name
from easynet.fabric.wire.packing import pack

_STOP_GRACE_S: Final = 2.0


class Session:
    """A node's stay on the network, from its joining to its leaving."""

    def __init__(
        self,
        name: NodeId,
        address: Address,
        data_dir: Path,
        function_by_name: Mapping[str, Function],
        limits: Limits,
        isolation: Isolation | None,
        *,
        asked_to_drain: Callable[[], None],
        shut_out: Callable[[EasyNetError], None],
    ) -> None:
        """`asked_to_drain` is called when the gateway's owner wants the node to leave.

        `shut_out` is told why nobody can call the node any more.
        """
        self._asked_to_drain = asked_to_drain
        self._shut_out = shut_out
        self._name = name
        self._instance = secrets.token_hex(8)
        self._function_by_name = function_by_name
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pulse: asyncio.Task[None] | None = None
        self._is_named = False
        self._subscriptions: tuple[Subscription, ...] = ()
        self._folders = ScratchFolders(data_dir / "scratch")
        self._threads = ThreadPool(limits.concurrency, name)
        store = ArtifactStore(data_dir / "artifacts")
        self._loop_place, self._thread_place = EventLoop(), Threads(self._threads)
        self._processes = (
            isolation.pool(limits.concurrency, store, data_dir / "scratch") if isolation else None
        )
        self._way_in = WayIn(address, "node", data_dir, name)
        self._connection = Connection(
            address,
            self._way_in,
            name=connection_name(name, self._instance),
            on_loss=self._lost,
            on_return=self._returned,
        )
        self._identity = _identity(name, self._way_in, data_dir)
        self._statistics = CallStatistics()
        self._receipts = ReceiptSigner(self._identity, name, self._connection.publish)
        self._services = Services(name, function_by_name, self._place_of, limits)
        self._load_report = LoadReport(self._loop, self._load, self._tell_load)
        self._reception = Reception(
            self._instance,
            self._identity.public,
            self._services,
            CallRecords(self._statistics, self._receipts),
            self._surroundings(store),
            on_work=self._load_report.note_work,
        )

    def _surroundings(self, store: ArtifactStore) -> Surroundings:
        return Surroundings(
            self._name,
            self._loop,
            self._connection,
            NodeValues(Transfer(self._connection, store)),
            self._folders,
            tracing.tracer(),
            Meter(self._ask),
        )

    async def open(self) -> None:
        """Join, and serve from then on."""
        try:
            await self._connection.open(expect=self._way_in.server_id)
            self._way_in.learn(self._connection.cluster)
            await self._ask("claim", self._instance)
            self._is_named = True
            await self._listen()
            await self._join()
            self._pulse = asyncio.create_task(self._beat_on())
        except BaseException:
            await self.close()
            raise

    async def drain(self) -> None:
        """Take nothing new, and return once all calls are finished."""
        if not self._reception.is_draining:
            self._reception.is_draining = True
            await self._announce()
        await self._reception.idle()

    async def close(self) -> None:
        """Leave, and end what still runs."""
        self._reception.is_draining = True
        tasks = [task for task in (self._pulse, *self._tasks) if task is not None]
        if self._is_named and self._connection.is_connected:
            with contextlib.suppress(EasyNetError):
                await self._ask("leave", self._instance)
        self._load_report.stop()
        self._reception.refuse_all()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_GRACE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_GRACE_S):
                await self._reception.idle()
        await self._receipts.close()
        await self._connection.close()
        self._threads.close()
        if self._processes is not None:
            await self._processes.close()
        self._folders.close()

    def announce_soon(self) -> None:
        """Tell the gateway what the node offers now; may be called from any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(lambda: self._keep(self._announce()))

    async def _announce(self) -> None:
        with contextlib.suppress(EasyNetError):  # the next heartbeat tries again
            await self._join()

    def _place_of(self, function: Function) -> Place:
        if self._processes is not None:
            return Processes(self._processes)
        if not function.blocks:
            return self._loop_place
        if (own := function.capability.concurrency) is not None:
            self._threads.grow(own)
        return self._thread_place

    async def _join(self) -> None:
        functions = tuple(self._function_by_name.values())
        node = Node(
            name=self._name,
            instance=self._instance,
            capabilities=tuple(function.capability for function in functions),
            concurrency=self._limits.concurrency,
            queue=self._limits.queue,
            running=self._services.running,
            waiting=self._services.waiting,
            draining=self._reception.is_draining,
            key=self._identity.public,
            easynet=versions.OWN,
            python=platform.python_version(),
            statistics=self._statistics.snapshot(),
        )
        # A gateway of an earlier version does not say it.
        self._reception.is_public = await self._ask("join", node.model_dump(mode="json")) == Trust.PUBLIC

    async def _ask(self, what: str, content: Any) -> Any:
        return await ask(self._connection, f"node.{what}.{self._name}", content)

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            if self._connection.is_connected:
                self._reception.pulse()
            self._keep(self._beat())

    async def _beat(self) -> None:
        """Say that the node lives, and join again where the gateway does not know it."""
        statistics = {name: s.model_dump() for name, s in self._statistics.snapshot().items()}
        load = [self._services.running, self._services.waiting, statistics]
        self._load_report.note_told()
        try:
            known = await self._ask("beat", [self._instance, *load])
            if known == "drain" and not self._reception.is_draining:
                self._asked_to_drain()
            if not known:
                await self._join()
            self._reception.known_at = self._loop.time()
            await self._listen()
        except NameTaken as error:
            # This node was silent for so long that another took its name, and with it its calls.
            await self._listen_no_more()
            self._shut_out(error)
        except AccessDenied as error:
            self._shut_out(error)
        except EasyNetError:
            pass  # the next heartbeat tries again

    def _load(self) -> Load:
        if not self._services.running:
            return Load.IDLE
        return Load.FULL if self._services.is_full else Load.BUSY

    def _tell_load(self) -> None:
        """Tell the gateway only how busy the node is, without waiting for its answer."""
        content = pack([self._instance, self._services.running, self._services.waiting])
        if self._connection.is_connected:
            self._connection.send(f"node.beat.{self._name}", content)

    async def _lost(self) -> None:
        self._reception.cut_off()

    async def _returned(self) -> None:
        self._reception.back()
        await self._beat()

    async def _listen(self) -> None:
        if not self._subscriptions:
            self._subscriptions = (
                await self._connection.listen_views(f"in.{self._name}.>", self._reception.receive_part),
                await self._connection.listen(f"fn.{self._name}.>", self._reception.receive),
            )
            await self._connection.flush()

    async def _listen_no_more(self) -> None:
        subscriptions, self._subscriptions = self._subscriptions, ()
        for subscription in subscriptions:
            await subscription.unsubscribe()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _identity(name: str, way_in: WayIn, data_dir: Path) -> Identity:
    """The key that signs the node's receipts: the one it joined with, or one kept on its own machine."""
    membership = way_in()
    if membership.name == name:
        return Identity.from_seed(membership.seed)
    return Identity.kept_at(data_dir / "identities" / f"{name}.key")
