"""What a client says of a call: that it is to be made, and, after it was cut off, that it still matters."""

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from easynet.core.errors import BadFrame
from easynet.fabric.wire.frames import (
    SMALL_BYTES,
    VERSION,
    SeveralFrames,
    checked_fields,
    fields_of,
    frame_of,
    frames_in,
    is_count,
    is_length_of_time,
    is_token,
    small_packer,
)
from easynet.fabric.wire.limits import MAX_CALL_BYTES
from easynet.fabric.wire.packing import pack

MAX_CALLS_TOGETHER: Final = 64
"""In one message, so that a client's rate of messages bounds its rate of calls."""
_MAX_KEY_CHARACTERS: Final = 512

PrivateTo = Literal["", "own", "trusted"]
"""`own`: the network says that the node is the user's own. `trusted`: the user trusts it all the same."""
_PRIVATE_TO: Final = get_args(PrivateTo)


# Not frozen, like the updates that most calls consist of: freezing triples the time to make one.
@dataclass(slots=True)
class Call:
    """A client asks a node to run a function, which the subject names."""

    id: str
    """Names the call; whoever knows it may answer it, so it cannot be guessed."""
    inbox: str
    """Names the client's inbox, likewise."""
    arguments: bytes
    """An encoded list of the positional arguments and a mapping of the named ones."""
    deadline_s: float | None = None
    """Seconds from its arrival after which the result is of no use; more than none."""
    key: str = ""
    """The same for all attempts at the same piece of work; "" where the id serves as such."""
    inline_bytes: int = 0
    """The largest part of the result that may travel in a message; 0 leaves that to the node."""
    trace: str = ""
    """The caller's trace context (W3C traceparent), or ""."""
    is_direct: bool = False
    """Whether the two sides give each other the large values; otherwise they go by way of the gateway."""
    instance: str = ""
    """The node process that this work was given to before, and that alone is meant; "" for any."""
    private_to: PrivateTo = ""
    """The arguments are private, and this is what the caller takes the node for; "" where they are not."""


@dataclass(frozen=True, slots=True)
class Resume:
    """A client that was cut off asks how a call goes."""

    inbox: str
    received: int = 0
    """Items of the call that have arrived."""


def encode_call(call: Call) -> bytes:
    """The message that asks for a call."""
    fields: tuple[Any, ...] = (
        VERSION,
        call.id,
        call.inbox,
        call.arguments,
        call.deadline_s,
        call.key,
        call.inline_bytes,
        call.trace,
        call.is_direct,
    )
    # What few calls say is left out, so that versions which do not know it understand all others. A private
    # call they refuse as one that cannot be read, and they should: they could not check whom it is meant for.
    if call.private_to:
        fields = (*fields, call.instance, call.private_to)
    elif call.instance:
        fields = (*fields, call.instance)
    if len(call.arguments) <= SMALL_BYTES:
        return small_packer.pack(fields)
    return pack(fields, unicode_errors="replace")


def decode_calls(data: bytes) -> list[Call]:
    """Read one or more calls, one after another; raises BadFrame or VersionMismatch."""
    try:
        return [_call(fields_of(data))]
    except SeveralFrames:
        frames = frames_in(data)
    if len(frames) > MAX_CALLS_TOGETHER:
        raise BadFrame(f"{len(frames):,} calls in one message")
    return [_call(checked_fields(frame)) for frame in frames]


def _call(fields: list[Any]) -> Call:
    # Patterns would take longer than all the rest of it, and every call comes by here.
    private_to: Any = fields.pop() if len(fields) == 10 else ""
    instance = fields.pop() if len(fields) == 9 else ""
    if len(fields) == 8:
        id_, inbox, arguments, deadline_s, key, inline_bytes, trace, is_direct = fields
        if (
            type(id_) is type(inbox) is type(key) is type(trace) is type(instance) is str
            and type(arguments) is bytes
            and len(arguments) <= MAX_CALL_BYTES
            and type(inline_bytes) is int
            and inline_bytes >= 0
            and type(is_direct) is bool
            and (private_to == "" or private_to in _PRIVATE_TO)
            and is_token(id_)
            and is_token(inbox)
            and (deadline_s is None or (is_length_of_time(deadline_s) and deadline_s > 0))
            and len(key) <= _MAX_KEY_CHARACTERS
        ):
            return Call(
                id_, inbox, arguments, deadline_s, key, inline_bytes, trace, is_direct, instance, private_to
            )
    raise BadFrame("a call that cannot be read")


def encode_resume(resume: Resume) -> bytes:
    """The message that asks how a call goes."""
    return frame_of(resume.inbox, resume.received)


def decode_resume(data: bytes) -> Resume:
    """Read such a question; raises BadFrame or VersionMismatch."""
    match fields_of(data):
        case [str(inbox), received] if is_token(inbox) and is_count(received):
            return Resume(inbox, received)
        case _:
            raise BadFrame("a question after a call that cannot be read")
