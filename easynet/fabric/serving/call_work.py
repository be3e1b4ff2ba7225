"""A call as its function sees it: its arguments, what it may ask and tell while it runs, its result."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from easynet.core.call import CallContext
from easynet.core.errors import ArgumentMismatch, BadData, VersionMismatch
from easynet.fabric.functions.function import Function
from easynet.fabric.serving.audience import Audience
from easynet.fabric.serving.call_values import CallValues
from easynet.fabric.serving.progress_report import ProgressReport
from easynet.fabric.serving.surroundings import Surroundings
from easynet.fabric.serving.told_progress import ToldProgress
from easynet.fabric.wire import versions
from easynet.fabric.wire.calls import Call
from easynet.fabric.wire.limits import MAX_CALL_BYTES, MAX_INLINE_BYTES
from easynet.fabric.wire.plain_values import decode_plain, encode_plain
from easynet.fabric.wire.references import references
from easynet.fabric.wire.updates import Progress, encode_update


class CallWork:
    """What is between the messages of a call and its function, wherever that runs."""

    # What few calls need is made when it is first asked for, and there are thousands of calls.
    __slots__ = (
        "_around",
        "_audience",
        "_call",
        "_decoded",
        "_progress",
        "_scratch",
        "_told",
        "context",
        "function",
        "has_begun",
        "has_parts",
        "is_given_up",
        "values",
    )

    def __init__(self, call: Call, function: Function, audience: Audience, around: Surroundings) -> None:
        self.function = function
        self.context: CallContext | None = None
        """While it runs."""
        self.values: CallValues | None = None
        """Those that do not travel in the messages, where there are any."""
        self.has_begun = False
        """Whether the function was called; until then nothing was done."""
        self.is_given_up = False
        """Whether nobody waits for it any more, although it may still run."""
        self.has_parts = False
        """Whether the latest result, or item, refers to values that are to be given."""
        self._call = call
        self._audience = audience
        self._around = around
        self._decoded: Any = None
        self._scratch: Path | None = None
        self._progress: ProgressReport | None = None
        self._told: ToldProgress | None = None

    def begin(self) -> CallContext:
        """What the function is given to ask and to tell."""
        key = self._call.key or self._call.id
        self.context = CallContext(self._report, self._lend_scratch, self._was_given_up, key)
        return self.context

    def decode(self) -> bool:
        """Read the arguments; False where values belong to them that are to be fetched."""
        is_plain, self._decoded = decode_plain(self._call.arguments)
        return is_plain

    async def fetch(self, *, for_another_process: bool) -> None:
        """Have the values here that belong to the arguments."""
        await self._large().get(self._call.arguments, for_another_process=for_another_process)

    @property
    def encoded_arguments(self) -> bytes:
        return self._call.arguments

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as the function takes them; raises ArgumentMismatch, BadData or VersionMismatch."""
        both, self._decoded = self._decoded, None
        try:
            if both is None:
                both = self._large().decoded(self._call.arguments)
            if (
                type(both) is not list
                or len(both) != 2
                or type(both[0]) is not list
                or type(both[1]) is not dict
                or (both[1] and not all(type(name) is str for name in both[1]))
            ):
                raise BadData("arguments that are not a list and a mapping of names")
            checked = self.function.checked(both[0], both[1])
        except (ArgumentMismatch, BadData) as error:
            raise self._explained(error) from None
        self.has_begun = True
        return checked

    def _explained(self, error: ArgumentMismatch | BadData) -> ArgumentMismatch | BadData | VersionMismatch:
        """What arguments that do not fit mean: where the two sides run different versions, that."""
        theirs = self._audience.caller.easynet
        if not versions.differ(theirs, versions.OWN):
            return error
        node = self._around.node
        return VersionMismatch(
            f"the client runs EasyNet {theirs}, the node {node} {versions.OWN}: {error.message}",
            hint="Install the same version on both sides.",
        )

    def encoded(self, value: Any) -> bytes:
        """A result, or an item, as it travels; raises Unencodable."""
        limit = min(self._call.inline_bytes or MAX_INLINE_BYTES, MAX_CALL_BYTES)
        data = encode_plain(value, limit)
        if data is None:
            self.has_parts = True
            is_item = self.function.capability.streaming
            data = self._large().encoded(value, limit, is_item=is_item)
        return data

    def made(self, value: bytes) -> bytes:
        """A result, or an item, that was encoded elsewhere, as it travels."""
        self.has_parts = bool(references(value))
        return value

    async def give_parts(self, value: bytes) -> None:
        """See that the caller can get what the latest result, or item, refers to."""
        self.has_parts = False
        await self._large().give(value)

    def _large(self) -> CallValues:
        if self.values is None:
            around = self._around
            self.values = CallValues(
                around.values, around.folders, self._audience, around.loop, is_direct=self._call.is_direct
            )
        return self.values

    @property
    def told(self) -> Iterable[bytes]:
        """What it has said of how far it is, for another call of its key: encoded updates."""
        return self._told or ()

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        self.is_given_up = True
        if self.values is not None:
            self.values.give_up()

    def end(self, *, is_well: bool) -> None:
        """The function has ended: take away what was lent to it, and tell of its progress no more."""
        if self._scratch is not None:
            self._around.folders.take_back(self._scratch)
        if self.values is not None:
            self.values.remove_files()
        if self._progress is not None:
            if is_well:
                self._progress.send()
            self._progress.stop()
        self.context = None  # it refers to this work, and this work to it

    def _was_given_up(self) -> bool:
        return self.is_given_up

    def _lend_scratch(self) -> Path:
        if self._scratch is None:
            self._scratch = self._around.folders.lend()
        return self._scratch

    def _report(self, fraction: float | None, message: str) -> None:
        if self._progress is None:
            self._progress = ProgressReport(self._around.loop, self._tell)
        self._progress.take(fraction, message)

    def _tell(self, progress: Progress) -> None:
        if self._call.key:
            self._told = self._told or ToldProgress()
            self._told.add(progress)
        self._audience.tell(encode_update(progress))
