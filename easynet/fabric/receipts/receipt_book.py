"""The receipts that a client got, checked when they are asked for."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from easynet.core.errors import BadFrame, CallTimeout, ReceiptInvalid
from easynet.core.receipt import Facts, Receipt, canonical_json
from easynet.fabric.receipts.receipt_batch import ReceiptBatch

MAX_RECEIPTS: Final = 10_000
_MAX_BYTES: Final = 32 * 1024 * 1024


@dataclass(slots=True, eq=False)
class _Message:
    number: int
    data: bytes
    receipts: list[Receipt] | None = None
    """Once somebody asked and they held."""


class ReceiptBook:
    """The latest receipts of a client.

    A message is kept as it came until somebody asks: most receipts are never looked at.
    """

    def __init__(self, key_of: Callable[[str], str | None]) -> None:
        """`key_of` gives a node's public key, or None; who signs as a node without a key is not believed."""
        self._key_of = key_of
        self._messages: deque[_Message] = deque()
        self._bytes = 0
        self._count = 0
        self._arrivals: set[asyncio.Future[None]] = set()

    def take(self, message: bytes) -> None:
        """Keep a message with receipts; what was kept first gives way."""
        self._count += 1
        self._messages.append(_Message(self._count, message))
        self._bytes += len(message)
        while self._bytes > _MAX_BYTES or len(self._messages) > MAX_RECEIPTS:
            self._bytes -= len(self._messages.popleft().data)
        for arrival in self._arrivals:
            if not arrival.done():
                arrival.set_result(None)

    async def receipt(self, call_id: str, timeout_s: float = 5.0) -> Receipt:
        """The receipt of a call, which comes a moment after its result.

        Raises CallTimeout where none comes in time, and ReceiptInvalid where one came that does not hold.
        """
        looked_at, problem = 0, ""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    found, problem = self._find(call_id, looked_at, problem)
                    if found is not None:
                        return found
                    looked_at = self._count
                    await self._arrival()
        except TimeoutError:
            pass
        if problem:
            raise ReceiptInvalid(f"the receipt of call {call_id} does not hold: {problem}")
        raise CallTimeout(
            f"no receipt of call {call_id} came within {timeout_s:g} s",
            hint="A node that was lost leaves none; the latest 10,000 receipts are kept.",
        )

    def all(self) -> list[Receipt]:
        """The latest receipts, in the order in which they came, without any that does not hold."""
        found: dict[Facts, Receipt] = {}  # one that was asked after may have come twice
        for message in self._messages:
            try:
                found.update({receipt.facts: receipt for receipt in self._receipts(message)})
            except (BadFrame, ReceiptInvalid):
                continue
        return list(found.values())[-MAX_RECEIPTS:]

    def _find(self, call_id: str, after: int, problem: str) -> tuple[Receipt | None, str]:
        """The call's receipt among the messages that came after number `after`; or what is wrong with it."""
        # Every text of `CallFacts` with this id holds these bytes: nothing else needs to be decoded.
        mark = f'"id":{canonical_json(call_id)}'.encode()
        for message in reversed(self._messages):
            if message.number <= after:
                break
            if mark not in message.data:
                continue
            try:
                for receipt in self._receipts(message):
                    if receipt.facts.call.id == call_id:
                        return receipt, ""
            except (BadFrame, ReceiptInvalid) as error:
                problem = error.message
        return None, problem

    def _receipts(self, message: _Message) -> list[Receipt]:
        if message.receipts is None:
            message.receipts = ReceiptBatch.decode(message.data).receipts(self._key_of)
        return message.receipts

    async def _arrival(self) -> None:
        arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals.add(arrival)
        try:
            await arrival
        finally:
            self._arrivals.discard(arrival)
