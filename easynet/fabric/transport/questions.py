"""Questions to the gateway, and its answers."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgpack
from pydantic import ValidationError

from easynet.core.errors import (
    AccessDenied,
    BadData,
    DataDirectoryUnusable,
    EasyNetError,
    GatewayError,
    JobNotFound,
    NameTaken,
    Overloaded,
    SettingsError,
    TokenRejected,
    UsageError,
)
from easynet.fabric.transport.connection import REQUEST_TIMEOUT_S, Connection, Message
from easynet.fabric.wire.packing import pack, unpacked

_SAME_CLASS_BY_CODE: Final[dict[str, type[EasyNetError]]] = {
    kind.code: kind
    for kind in (
        AccessDenied,
        BadData,
        DataDirectoryUnusable,
        JobNotFound,
        NameTaken,
        Overloaded,
        SettingsError,
        TokenRejected,
        UsageError,
    )
}


TRACE_HEADER: Final = "traceparent"
"""Of W3C's Trace Context."""
_FEW_BYTES: Final = 64 * 1024
_MOST_BYTES: Final = {"node": 1024 * 1024, "art": 768 * 1024, "job": 1152 * 1024, "peer": 8 * 1024 * 1024}
"""By the first part of the subject, where more is meant to be sent."""


async def ask(
    connection: Connection,
    subject: str,
    content: Any = None,
    *,
    timeout_s: float = REQUEST_TIMEOUT_S,
    trace: str = "",
) -> Any:
    """The gateway's answer; raises the error that it answers with, or GatewayError.

    `trace` is the trace context that the question belongs to.
    """
    headers = {TRACE_HEADER: trace} if trace else None
    data = await connection.request(subject, pack(content), timeout_s=timeout_s, headers=headers)
    try:
        answer = msgpack.unpackb(data, strict_map_key=False)
    except ValueError as error:
        raise GatewayError("the gateway gave an answer that cannot be read") from error
    match answer:
        case ["ok", value]:
            return value
        case [str(code), str(message), str(hint)]:
            raise _SAME_CLASS_BY_CODE.get(code, GatewayError)(message, hint=hint)
        case _:
            raise GatewayError("the gateway gave an answer that cannot be read")


def _content(message: Message) -> Any:
    """What a stranger asks. Unpacking takes memory and time by what is in it, so much of it is refused."""
    kind = message.subject.partition(".")[0]
    if len(message.data) > _MOST_BYTES.get(kind, _FEW_BYTES):
        raise BadData(f"a question of {len(message.data):,} bytes is too large")
    return unpacked(message.data)


async def answer(
    connection: Connection, message: Message, think: Callable[[str, Any], Awaitable[Any]]
) -> None:
    """Answer a question by what `think` makes of its subject and content; never raises on its behalf."""
    try:
        content = _content(message)
        reply: list[Any] = ["ok", await think(message.subject, content)]
    except EasyNetError as error:
        reply = [error.code, error.message, error.hint]
    # A stranger's message may be anything; it is refused, and the gateway goes on.
    except (ValueError, TypeError, ValidationError, OverflowError) as error:
        reply = [BadData.code, f"a request that cannot be read ({type(error).__name__})", ""]
    if message.reply:
        await connection.publish(message.reply, pack(reply))
