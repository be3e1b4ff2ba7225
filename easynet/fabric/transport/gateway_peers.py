"""The other gateways of a network, as one of them knows them: who lives, what they tell, what they are asked.

Gateways speak to each other inside the account that only they have the key of:

    peer.alive            every half second: the sender's id, its present life, its address for devices
    peer.<id>.<what>      a question to that one
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from easynet.core.errors import BadData, EasyNetError, GatewayError
from easynet.fabric.transport.connection import Connection, Message
from easynet.fabric.transport.questions import answer, ask
from easynet.fabric.wire.packing import pack

BEAT_S: Final = 0.5
LOST_AFTER_S: Final = 2.0
"""A gateway that is silent for so long is not waited for any more."""
_ASK_S: Final = 1.0

_LOG = logging.getLogger(__name__)


@dataclass
class Peer:
    """Another gateway of the network."""

    id: str
    life: str
    """Differs at each of its starts."""
    address: str
    """By which devices find it."""
    heard_at: float


class GatewayPeers:
    """Knows which other gateways live, asks them, and tells them."""

    def __init__(
        self,
        connection: Connection,
        id_: str,
        address: str,
        answer_to: Callable[[str, Any], Awaitable[Any]],
        on_met: Callable[[str], Awaitable[None]],
    ) -> None:
        """`answer_to` answers what the others ask. `on_met` runs when one appears or was started again."""
        self._connection = connection
        self._id = id_
        self._life = secrets.token_hex(4)
        self._address = address
        self._answer_to = answer_to
        self._on_met = on_met
        self._on_lost: list[Callable[[], Awaitable[None]]] = []
        self._answer_by_what: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        self._loop = asyncio.get_running_loop()
        self._peer_by_id: dict[str, Peer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._met = asyncio.Event()

    @property
    def ids(self) -> list[str]:
        """The gateways that live."""
        return list(self._peer_by_id)

    @property
    def addresses(self) -> list[str]:
        """Where devices find them."""
        return [peer.address for peer in self._peer_by_id.values()]

    @property
    def is_first(self) -> bool:
        """Whether this gateway is the one that acts where one of them has to."""
        return all(self._id < other for other in self._peer_by_id)

    def on_lost(self, react: Callable[[], Awaitable[None]]) -> None:
        """Do something whenever one of them is gone."""
        self._on_lost.append(react)

    def answer_by(self, what: str, think: Callable[[Any], Awaitable[Any]]) -> None:
        """Have the others' questions of that kind answered so."""
        self._answer_by_what[what] = think

    async def start(self) -> None:
        """Be heard from now on, and hear."""
        await self._connection.subscribe("peer.alive", self._hear)
        await self._connection.subscribe(f"peer.{self._id}.*", self._receive)
        await self._connection.flush()
        await self._say_alive()
        self._keep(self._beat_on())

    async def stop(self) -> None:
        """Speak no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait_for(self, ids: set[str], timeout_s: float) -> None:
        """Return when all these have been met, or have been waited for long enough."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not ids.issubset(self._peer_by_id):
                    self._met.clear()
                    await self._met.wait()

    async def ask(self, id_: str, what: str, content: Any = None, *, timeout_s: float = _ASK_S) -> Any:
        """The answer of one of them; raises EasyNetError."""
        return await ask(self._connection, f"peer.{id_}.{what}", content, timeout_s=timeout_s)

    async def ask_all(self, what: str, content: Any = None, *, timeout_s: float = _ASK_S) -> list[Any]:
        """The answers of those that answer and know the question; raises what they raise."""
        answers = await asyncio.gather(
            *(self.ask(id_, what, content, timeout_s=timeout_s) for id_ in self._peer_by_id),
            return_exceptions=True,
        )
        for found in answers:
            if isinstance(found, BaseException) and not isinstance(found, GatewayError | BadData):
                raise found
        return [found for found in answers if not isinstance(found, BaseException)]

    def tell(self, what: str, content: Any) -> None:
        """Let all know, without waiting for them."""
        self._keep(self._told(what, content))

    async def _told(self, what: str, content: Any) -> None:
        with contextlib.suppress(EasyNetError):
            await self.ask_all(what, content)

    async def _say_alive(self) -> None:
        with contextlib.suppress(EasyNetError):
            await self._connection.publish("peer.alive", pack([self._id, self._life, self._address]))

    async def _beat_on(self) -> None:
        while True:
            before = self._loop.time()
            await asyncio.sleep(BEAT_S)
            await self._say_alive()
            now = self._loop.time()
            if now - before > LOST_AFTER_S:
                continue  # this process stood still, and has words of the others to read first
            for peer in list(self._peer_by_id.values()):
                if now - peer.heard_at > LOST_AFTER_S:
                    del self._peer_by_id[peer.id]
                    _LOG.warning("the gateway %s is silent", peer.id)
                    for react in self._on_lost:
                        self._keep(react())

    async def _hear(self, message: Message) -> None:
        match msgpack.unpackb(message.data):
            case [str(id_), str(life), str(address), *_] if id_ != self._id:
                known = self._peer_by_id.get(id_)
                if known is not None and known.life == life:
                    known.heard_at = self._loop.time()
                    return
                self._peer_by_id[id_] = Peer(id_, life, address, self._loop.time())
                _LOG.info("the gateway %s is at %s", id_, address)
                await self._say_alive()
                self._keep(self._meet(id_))
            case _:
                pass

    async def _meet(self, id_: str) -> None:
        await self._on_met(id_)
        self._met.set()

    async def _receive(self, message: Message) -> None:
        self._keep(answer(self._connection, message, self._answer))

    async def _answer(self, subject: str, content: Any) -> Any:
        what = subject.rsplit(".", 1)[1]
        if (think := self._answer_by_what.get(what)) is not None:
            return await think(content)
        return await self._answer_to(what, content)

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
