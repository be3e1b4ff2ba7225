"""What clients and nodes say of themselves: who they are, and that they are there."""

from dataclasses import dataclass

from easynet.core.errors import BadFrame
from easynet.fabric.wire.frames import are_texts, fields_of, frame_of, is_length_of_time, is_token


@dataclass(frozen=True, slots=True)
class Ping:
    """A client still waits for its calls at a node, and says who it is."""

    token: str
    """The last part of the subject that the answers go to; nobody but this node is told."""
    easynet: str
    """The version of EasyNet that it runs."""
    calls: tuple[str, ...] = ()
    """The ids of calls that it has waited for for some time."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A node says who it is, and that it lives."""

    instance: str
    easynet: str
    """The version of EasyNet that it runs."""
    key: str = ""
    """Its public key, which signs its receipts."""
    once: tuple[str, ...] = ()
    """Its functions that must not run twice."""
    unknown: tuple[str, ...] = ()
    """The ids of calls that were asked after and never arrived."""
    age_s: float = 0.0
    """How long this instance has been there."""


def encode_ping(ping: Ping) -> bytes:
    """The message by which a client shows that it is there."""
    return frame_of(ping.token, ping.easynet, ping.calls)


def decode_ping(data: bytes) -> Ping:
    """Read a ping; raises BadFrame or VersionMismatch."""
    match fields_of(data):
        case [str(token), str(easynet), [*calls]] if is_token(token) and are_texts(calls):
            return Ping(token, easynet, tuple(calls))
        case _:
            raise BadFrame("a ping that cannot be read")


def encode_hello(hello: Hello) -> bytes:
    """The message by which a node shows that it is there."""
    return frame_of(hello.instance, hello.easynet, hello.key, hello.once, hello.unknown, hello.age_s)


def decode_hello(data: bytes) -> Hello:
    """Read a hello; raises BadFrame or VersionMismatch."""
    match fields_of(data):
        case [str(instance), str(easynet), str(key), [*once], [*unknown], age_s] if are_texts(
            [*once, *unknown]
        ) and is_length_of_time(age_s):
            return Hello(instance, easynet, key, tuple(once), tuple(unknown), age_s)
        case _:
            raise BadFrame("a hello that cannot be read")
