"""Where a gateway is told to listen."""

import re
from typing import Final

from easynet.core.errors import UsageError

DEFAULT_PORT: Final = 4222

_LISTEN: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*)(?::(?P<port>[0-9]{1,5}))?")


def listen_address(text: str) -> tuple[str, int]:
    """The host and port of HOST:PORT, HOST or :PORT; port 0 is any free one. Raises UsageError."""
    match = _LISTEN.fullmatch(text.strip().removeprefix("nats://"))
    port = int(match["port"] or DEFAULT_PORT) if match else -1
    if match is None or not (match["host"] or match["port"]) or port > 65_535:
        raise UsageError(
            f"--listen {text!r} is not an address to listen on",
            hint="Write HOST:PORT, for example 127.0.0.1:4222, 0.0.0.0:4222 or [::]:4222.",
        )
    return match["host"].strip("[]") or "0.0.0.0", port
