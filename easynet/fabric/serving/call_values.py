"""What of a call's arguments and results is large, or a file."""

import asyncio
import contextlib
from typing import Any

from easynet.fabric.functions.call_files import CallFiles
from easynet.fabric.functions.scratch import ScratchFolders
from easynet.fabric.serving.audience import Audience
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.values.parcels import Parcel
from easynet.fabric.values.served_values import NodeValues, ServedValues
from easynet.fabric.wire.decoding import decode
from easynet.fabric.wire.large_values import Coming, Known, Want
from easynet.fabric.wire.references import references
from easynet.fabric.wire.updates import encode_update


class CallValues:
    """The values of one call that do not travel within its messages; few calls have any."""

    def __init__(
        self,
        shared: NodeValues,
        folders: ScratchFolders,
        audience: Audience,
        loop: asyncio.AbstractEventLoop,
        *,
        is_direct: bool,
    ) -> None:
        self._loop = loop
        self._audience = audience
        self._served = ServedValues(
            shared, self._ask, self._announce, client=audience.caller.client, is_direct=is_direct
        )
        self._files = CallFiles(shared.transfer.store, folders)

    @property
    def held(self) -> HeldValues | None:
        """The large values of the result that the client will ask for."""
        return self._served.held

    async def get(self, arguments: bytes, *, for_another_process: bool) -> None:
        """Have everything here that the arguments refer to."""
        if wanted := references(arguments):
            await self._served.get(wanted, for_another_process=for_another_process)

    def decoded(self, arguments: bytes) -> Any:
        """The arguments with their values, and with paths for their files; from any thread."""
        value = decode(arguments, self._served.value)
        self._served.forget()
        return self._files.in_place_of(value)

    def encoded(self, value: Any, inline_bytes: int, *, is_item: bool) -> bytes:
        """A result, or an item, as it travels; from any thread. Raises Unencodable."""
        return self._served.encoded(value, inline_bytes, is_item=is_item)

    async def give(self, value: bytes) -> None:
        """See that the client can get what an encoded result refers to."""
        await self._served.give(value)

    def take(self, parcel: Parcel) -> None:
        """The client has answered about a value among the arguments."""
        self._served.take(parcel)

    def ask_again(self) -> None:
        """The connection is back: what was asked for meanwhile may be lost."""
        self._served.ask_again()

    def check(self) -> None:
        """Notice where the client does not give what it was asked for."""
        self._served.check()

    def give_up(self) -> None:
        """The client waits no more."""
        self._served.give_up()

    def remove_files(self) -> None:
        """Take the copies of files away that the function got, and what was got and never decoded."""
        self._served.forget()
        self._files.remove()

    def _ask(self, update: Want | Coming | Known) -> None:
        self._audience.ask(encode_update(update))

    def _announce(self, update: Coming | Known) -> None:
        with contextlib.suppress(RuntimeError):  # the node has stopped, but not yet this thread
            self._loop.call_soon_threadsafe(self._ask, update)
