"""What a node and an isolated process say to each other: requests one way, updates the other."""

import os
import struct
from typing import Any, Final

import msgpack

from easynet.fabric.wire import packing
from easynet.fabric.wire.updates import Update, encode_update

HEADER: Final = struct.Struct("!I?")
"""Before each frame: its size, and whether the process ends after it."""
MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
"""More than any frame has: what claims to be larger is something else that the function wrote."""
GRACE_S: Final = 0.5
"""What a process has to stop by itself before it is killed."""


def request(kind: str, *fields: Any) -> bytes:
    """A request as a frame."""
    body = packing.pack([kind, *fields])
    return HEADER.pack(len(body), False) + body


class Channel:
    """An isolated process's end of the connection. Blocks; one thread writes at a time."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._file = open(descriptor, "rb", closefd=False)  # noqa: SIM115 (open as long as the process)

    def receive(self) -> list[Any] | None:
        """The next request, or None when the node has gone."""
        header = self._file.read(HEADER.size)
        if len(header) < HEADER.size:
            return None
        size, _ = HEADER.unpack(header)
        body = self._file.read(size)
        return list(msgpack.unpackb(body)) if len(body) == size else None

    def send(self, update: Update, *, is_last: bool = False) -> None:
        """Tell the node; raises OSError when it has gone."""
        body = encode_update(update)
        rest = memoryview(HEADER.pack(len(body), is_last) + body)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
