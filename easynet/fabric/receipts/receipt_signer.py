"""Receipts as a node makes them, many calls under one signature.

A signature takes longer than a fast call. A node therefore signs the root of a Merkle tree over the calls of
a moment, and does the work for it later than the call; each receipt still holds on its own.
"""

import asyncio
import contextlib
import platform
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from hashlib import sha256
from itertools import groupby
from json.encoder import encode_basestring as quote
from operator import itemgetter
from typing import Final

from easynet._version import __version__
from easynet.core.capability import Capability
from easynet.core.errors import GatewayError
from easynet.core.ids import NodeId
from easynet.core.receipt import CallFacts, OfferFacts, canonical_json, capability_digest
from easynet.fabric.access.identity import Identity
from easynet.fabric.receipts.merkle import MerkleTree, leaf_hash
from easynet.fabric.receipts.receipt_batch import ReceiptBatch, leaf_text, signed_bytes

OK: Final = "ok"
"""The outcome of a call that ended well."""
SIGN_EVERY_S: Final = 0.05
BATCH: Final = 512
"""Calls under one signature: making their tree holds up the node's other work for a few milliseconds."""
MAX_MESSAGE_BYTES: Final = 480 * 1024
MAX_HELD_BYTES: Final = 16 * 1024 * 1024
"""Of arguments and results that wait to be hashed."""
_HASH_AT_ONCE_BYTES: Final = 64 * 1024
_MAX_UNSENT_BYTES: Final = 4 * 1024 * 1024
_MAX_KEY_CHARACTERS: Final = 256
_MAX_STATED: Final = 20_000
"""Calls whose receipts can be sent once more: as many as a node remembers the ends of."""

SendBytes = Callable[[str, bytes], Awaitable[None]]
"""Sends a message to a subject; raises GatewayError where that is not possible now."""

_Call = tuple[str, str, Capability, str, str, bytes | str, bytes | str, float, float, int, str]
_Statement = tuple[str, str, bytes, bytes]
"""The client and its inbox, and the texts of the offer and of the call."""


class ReceiptSigner:
    """Signs what a node states about its calls, and sends it to the clients that called."""

    def __init__(self, identity: Identity, node: NodeId, send: SendBytes) -> None:
        self._identity = identity
        self._node = node
        self._send = send
        self._pending: list[_Call] = []
        self._again: list[tuple[str, str, str, str]] = []
        self._stated: dict[str, tuple[bytes, bytes]] = {}
        self._held_bytes = 0
        self._unsent: deque[tuple[str, bytes]] = deque()
        self._offer_by_name: dict[str, tuple[Capability, bytes]] = {}
        self._signing: asyncio.Task[None] | None = None

    def add(
        self,
        client: str,
        inbox: str,
        capability: Capability,
        call_id: str,
        key: str,
        input: bytes | str,
        output: bytes | str,
        started_at: float,
        ended_at: float,
        price: int,
        outcome: str = OK,
    ) -> None:
        """Take note of a call that has ended; its receipt follows within a moment.

        `input` and `output` are the encoded arguments and result, or their digests in hexadecimal. To be
        called in the event loop. All work but this is put off: it takes less than a microsecond.
        """
        size = len(input) + len(output)
        if size > _HASH_AT_ONCE_BYTES or self._held_bytes + size > MAX_HELD_BYTES:
            input, output = _digest(input), _digest(output)
            size = len(input) + len(output)
        self._held_bytes += size
        self._pending.append(
            (client, inbox, capability, call_id, key, input, output, started_at, ended_at, price, outcome)
        )
        self._go_on()

    def state_again(self, id_: str, client: str, inbox: str, as_id: str) -> None:
        """Send the receipt of a call that has ended once more, as that of the call that asked after it.

        The first one may be lost, as its answer may, or it went to a program that is gone.
        """
        self._again.append((id_, client, inbox, as_id))
        self._go_on()

    def _go_on(self) -> None:
        if self._signing is None:
            self._signing = asyncio.create_task(self._sign_on())

    async def flush(self) -> None:
        """Sign and send all that was added until now."""
        again, self._again = self._again, []
        for _ in range(0, len(self._pending), BATCH):
            if not self._pending:  # another flush took them meanwhile
                break
            batch, self._pending = self._pending[:BATCH], self._pending[BATCH:]
            self._unsent.extend(self._sign([self._statement(call) for call in batch]))
            await self._send_all()
            await asyncio.sleep(0)  # what waited meanwhile goes first
        self._unsent.extend(self._sign([*self._restated(again)]))
        await self._send_all()

    async def close(self) -> None:
        """Sign and send what is left, and stop."""
        signing, self._signing = self._signing, None
        if signing is not None:
            signing.cancel()
            await asyncio.wait([signing])
        await self.flush()

    async def _sign_on(self) -> None:
        try:
            while self._pending or self._again or self._unsent:
                await asyncio.sleep(SIGN_EVERY_S)
                await self.flush()
        finally:
            self._signing = None

    async def _send_all(self) -> None:
        """Send what can be sent; what cannot is kept for the next time."""
        with contextlib.suppress(GatewayError):
            while self._unsent:
                message = self._unsent.popleft()
                try:
                    await self._send(*message)
                except BaseException:
                    self._unsent.appendleft(message)
                    raise
        while sum(len(data) for _, data in self._unsent) > _MAX_UNSENT_BYTES:
            self._unsent.popleft()

    def _statement(self, call: _Call) -> _Statement:
        self._held_bytes -= len(call[5]) + len(call[6])
        offer, text = self._offer(call[2]), _call_text(call)
        self._remember(call[3], offer, text)
        return call[0], call[1], offer, text

    def _remember(self, id_: str, offer: bytes, text: bytes) -> None:
        self._stated[id_] = offer, text
        if len(self._stated) > _MAX_STATED:
            del self._stated[next(iter(self._stated))]

    def _restated(self, calls: Iterable[tuple[str, str, str, str]]) -> Iterator[_Statement]:
        for id_, client, inbox, as_id in calls:
            if (stated := self._stated.get(id_)) is not None:
                offer, text = stated
                facts = CallFacts.model_validate_json(text).model_copy(update={"id": as_id})
                text = canonical_json(facts.model_dump()).encode()
                self._remember(as_id, offer, text)
                yield client, inbox, offer, text

    def _sign(self, statements: list[_Statement]) -> Iterator[tuple[str, bytes]]:
        """The messages with these receipts, and whom each goes to."""
        if not statements:
            return
        statements.sort(key=itemgetter(0, 1))
        offers = [statement[2] for statement in statements]
        texts = [statement[3] for statement in statements]
        tree = MerkleTree([leaf_hash(leaf_text(*parts)) for parts in zip(texts, offers, strict=True)])
        signature = self._identity.sign(signed_bytes(tree.root))
        first = 0
        for (client, inbox), group in groupby(statements, key=itemgetter(0, 1)):
            end = first + len(list(group))
            while first < end:
                count = _fitting(texts[first:end], offers[first:end])
                own = offers[first : first + count]
                position = {offer: index for index, offer in enumerate(dict.fromkeys(own))}
                batch = ReceiptBatch(
                    signature=signature,
                    size=len(statements),
                    first=first,
                    neighbours=tree.neighbours(first, count),
                    offers=list(position),
                    offer_indices=[position[offer] for offer in own],
                    calls=texts[first : first + count],
                )
                yield f"re.{client}.{inbox}.receipts", batch.encode()
                first += count

    def _offer(self, capability: Capability) -> bytes:
        known = self._offer_by_name.get(capability.name)
        if known is not None and known[0] is capability:
            return known[1]
        facts = OfferFacts(
            capability=capability_digest(capability),
            easynet=__version__,
            function=capability.name,
            node=self._node,
            node_key=self._identity.public,
            python=platform.python_version(),
        )
        text = canonical_json(facts.model_dump()).encode()
        self._offer_by_name[capability.name] = (capability, text)
        return text


def _digest(data: bytes | str) -> str:
    return data if isinstance(data, str) else sha256(data).hexdigest()


def _call_text(call: _Call) -> bytes:
    """The text of the `CallFacts`, as `canonical_json` makes it, in a fifth of the time."""
    client, _, _, id_, key, input_, output, started_at, ended_at, price, outcome = call
    if len(key) > _MAX_KEY_CHARACTERS:
        key = f"sha256:{_digest(key.encode('utf-8', 'replace'))}"
    text = (
        f'{{"client":{quote(client)},"ended_at":{float(ended_at)!r},"id":{quote(id_)}'
        f',"input":"{_digest(input_)}","key":{quote(key)},"outcome":{quote(outcome)}'
        f',"output":"{_digest(output)}","price":{price},"started_at":{float(started_at)!r}}}'
    )
    return text.encode("utf-8", "replace")


def _fitting(texts: list[bytes], offers: list[bytes]) -> int:
    """How many of these calls, at least one, go into one message."""
    size, seen = 0, set[bytes]()
    for count, (text, offer) in enumerate(zip(texts, offers, strict=True)):
        size += len(text) + 8
        if offer not in seen:
            seen.add(offer)
            size += len(offer)
        if size > MAX_MESSAGE_BYTES and count:
            return count
    return len(texts)
