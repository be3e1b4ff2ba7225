"""What is common to all messages between clients and nodes."""

import contextlib
import tracemalloc

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadFrame, VersionMismatch
from easynet.fabric.wire.calls import Call, decode_calls, decode_resume, encode_call
from easynet.fabric.wire.frames import VERSION
from easynet.fabric.wire.greetings import decode_hello, decode_ping
from easynet.fabric.wire.large_values import decode_want
from easynet.fabric.wire.limits import MAX_CALL_BYTES
from easynet.fabric.wire.updates import Result, decode_pieces, decode_update, encode_update

READERS = (
    decode_calls,
    decode_pieces,
    decode_update,
    decode_ping,
    decode_resume,
    decode_hello,
    decode_want,
)

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.sampled_from(["alive", "result", "failure", "item", "end", "want", "x" * 16])
    | st.binary()
)
fields = st.recursive(leaves, st.lists, max_leaves=15)
frames = fields | st.lists(fields, max_size=9).map(lambda found: [VERSION, *found])


@given(st.binary() | frames.map(lambda frame: bytes(msgpack.packb(frame) or b"")))
def test_anything_else_is_a_bad_frame(data: bytes) -> None:
    for read in READERS:
        with contextlib.suppress(BadFrame, VersionMismatch):
            read(data)


def test_another_version_is_named() -> None:
    with pytest.raises(VersionMismatch, match="version 99"):
        decode_update(bytes(msgpack.packb([99, "alive"]) or b""))


@pytest.mark.parametrize(
    "tiny",
    [
        bytes(msgpack.packb([VERSION, "result", [0] * 8_000_000]) or b""),
        bytes(msgpack.packb([VERSION, *[[[]]] * 60_000] * 5) or b""),
        bytes(msgpack.packb([VERSION, "alive"]) or b"") * 200_000,
        bytes(msgpack.packb([VERSION, dict.fromkeys(range(200_000))]) or b""),
    ],
    ids=["a long list", "many lists", "many frames", "a map"],
)
def test_a_large_message_of_tiny_values_is_refused_before_they_are_made(tiny: bytes) -> None:
    for read in READERS:
        tracemalloc.start()
        try:
            with pytest.raises(BadFrame):
                read(tiny)
            assert tracemalloc.get_traced_memory()[1] < 2 * len(tiny) + 2**22
        finally:
            tracemalloc.stop()


def test_a_large_message_of_one_value_is_read() -> None:
    assert decode_update(encode_update(Result(bytes(900_000)))) == Result(bytes(900_000))


def test_more_arguments_than_a_call_may_bring_are_refused() -> None:
    call = Call("a" * 24, "b" * 24, bytes(MAX_CALL_BYTES + 1), None, "", 0, "", False, "")
    with pytest.raises(BadFrame):
        decode_calls(encode_call(call))
