"""Arguments made ready to travel, and results made into values again."""

import asyncio
from collections.abc import Mapping
from typing import Any

from easynet.core.artifact import Artifact
from easynet.fabric.calling.client_values import ClientValues
from easynet.fabric.calling.pending_call import PendingCall
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire.decoding import decode
from easynet.fabric.wire.encoding import encode
from easynet.fabric.wire.limits import MAX_INLINE_BYTES
from easynet.fabric.wire.plain_values import decode_plain
from easynet.fabric.wire.references import references


class Marshaller:
    """Sees that the large parts of arguments can be had by a node, and those of results by the caller."""

    def __init__(self, transfer: Transfer, values: ClientValues) -> None:
        self._transfer = transfer
        self._values = values

    def hold(self) -> HeldValues:
        """A place for the values of a call's arguments."""
        return self._values.hold()

    async def packed(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        inline_bytes: int = MAX_INLINE_BYTES,
        held: HeldValues | None = None,
    ) -> bytes:
        """Arguments ready to travel: the large ones held for the node, or else at the gateway."""
        store = self._transfer.store
        arguments = [[*args], dict(kwargs)]

        def pack() -> bytes:
            keep = store.put if held is None else held.put
            data = encode(arguments, keep, store.put_file, where="arguments", inline_bytes=inline_bytes)
            if held is not None:
                held.settle()
            return data

        try:
            data = encode(arguments, _not_now, _not_now, where="arguments", inline_bytes=inline_bytes)
        except _NotNow:
            data = await asyncio.to_thread(pack)
        if made := [a for a in references(data) if held is None or a not in held]:
            await self._transfer.push_all(made)
        return data

    async def value(self, data: bytes, call: PendingCall | None = None) -> Any:
        """A result, with its large parts fetched: from the node of the call, or else from the gateway."""
        is_plain, value = decode_plain(data)
        if is_plain:
            return value
        wanted = [a for a in references(data) if not a.filename]
        if not wanted:
            return decode(data)
        if call is None:
            await self._transfer.pull_all(wanted)
            return await asyncio.to_thread(decode, data, self._transfer.store.value)
        intake = await self._values.get(call, wanted)
        return await asyncio.to_thread(decode, data, intake.value)


class _NotNow(Exception):
    """Something has to be put into a store, which takes too long for the event loop."""


def _not_now(*_: object) -> Artifact:
    raise _NotNow
