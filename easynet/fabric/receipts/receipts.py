"""Receipts as a node makes them, many calls under one signature, and as anybody checks them.

A signature takes longer than a fast call. A node therefore signs the root of a Merkle tree over the calls of
a moment, and does the work for it later than the call; each receipt still holds on its own.
"""

import asyncio
import contextlib
import platform
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from itertools import groupby
from json.encoder import encode_basestring as quote
from operator import itemgetter
from typing import Final

from easynet._version import __version__
from easynet.core.capability import Capability
from easynet.core.errors import GatewayError, ReceiptInvalid
from easynet.core.ids import NodeId
from easynet.core.receipt import OfferFacts, Receipt, canonical_json, capability_digest
from easynet.fabric.access.identity import Identity, verify
from easynet.fabric.receipts.merkle import MerkleTree, leaf_hash, root_of
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

SendBytes = Callable[[str, bytes], Awaitable[None]]
"""Sends a message to a subject; raises GatewayError where that is not possible now."""

_Call = tuple[str, str, Capability, str, str, bytes | str, bytes | str, float, float, int, str]


class StreamDigest:
    """The digest of a stream so far: of each item its length, in eight bytes, and the item."""

    def __init__(self) -> None:
        self._hash = sha256()

    def add(self, item: bytes) -> None:
        self._hash.update(len(item).to_bytes(8, "big") + item)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class ReceiptSigner:
    """Signs what a node states about its calls, and sends it to the clients that called."""

    def __init__(self, identity: Identity, node: NodeId, send: SendBytes) -> None:
        self._identity = identity
        self._node = node
        self._send = send
        self._pending: list[_Call] = []
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
        if self._signing is None:
            self._signing = asyncio.create_task(self._sign_on())

    async def flush(self) -> None:
        """Sign and send all that was added until now."""
        for _ in range(0, len(self._pending), BATCH):
            if not self._pending:  # another flush took them meanwhile
                break
            batch, self._pending = self._pending[:BATCH], self._pending[BATCH:]
            self._unsent.extend(self._sign(batch))
            await self._send_all()
            await asyncio.sleep(0)  # what waited meanwhile goes first
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
            while self._pending or self._unsent:
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

    def _sign(self, calls: list[_Call]) -> Iterator[tuple[str, bytes]]:
        """The messages with the receipts of these calls, and whom each goes to."""
        calls.sort(key=itemgetter(0, 1))
        offers = [self._offer(call[2]) for call in calls]
        texts = [_call_text(call) for call in calls]
        self._held_bytes -= sum(len(call[5]) + len(call[6]) for call in calls)
        tree = MerkleTree([leaf_hash(leaf_text(*parts)) for parts in zip(texts, offers, strict=True)])
        signature = self._identity.sign(signed_bytes(tree.root))
        first = 0
        for (client, inbox), group in groupby(calls, key=itemgetter(0, 1)):
            end = first + len(list(group))
            while first < end:
                count = _fitting(texts[first:end], offers[first:end])
                own = offers[first : first + count]
                position = {offer: index for index, offer in enumerate(dict.fromkeys(own))}
                batch = ReceiptBatch(
                    signature=signature,
                    size=len(calls),
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


def verify_receipt(receipt: Receipt, *, key: str | None = None) -> None:
    """Raise ReceiptInvalid unless the key in the receipt signed it, and that key is `key` if one is given."""
    call, offer = receipt.facts.call, receipt.facts.offer
    leaf = leaf_hash(receipt.facts.to_json().encode())
    root = root_of(leaf, ((side, bytes.fromhex(hash_)) for side, hash_ in receipt.path))
    if not verify(offer.node_key, signed_bytes(root), bytes.fromhex(receipt.signature)):
        raise ReceiptInvalid(
            f"the receipt of call {call.id!r} was changed, or its key did not sign it",
            hint="What it says is worth nothing. Ask the client that got it for the file as it was saved.",
        )
    if key is not None and key != offer.node_key:
        raise ReceiptInvalid(
            f"the receipt of call {call.id!r} is signed, but by another key, {offer.node_key}",
            hint=f"Somebody else may have signed in the name of {offer.node!r}.",
        )


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
