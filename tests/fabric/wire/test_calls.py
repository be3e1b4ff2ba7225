"""What a client says of a call."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadFrame
from easynet.fabric.wire.calls import (
    Call,
    Resume,
    decode_calls,
    decode_resume,
    encode_call,
    encode_resume,
)
from easynet.fabric.wire.frames import VERSION

TOKEN = "g" * 16

tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=16, max_size=64)
counts = st.integers(0, 2**63)
times = st.none() | st.floats(0, exclude_min=True, allow_infinity=False)
keys, instances = st.text(max_size=512), st.text(max_size=32)
privacy = st.sampled_from(["", "own", "trusted"])
calls = st.builds(
    Call, tokens, tokens, st.binary(), times, keys, counts, st.text(), st.booleans(), instances, privacy
)


def frame(**changed: Any) -> bytes:
    """A call made by hand, with some of its fields changed."""
    fields = {
        "id": TOKEN,
        "inbox": TOKEN,
        "arguments": b"",
        "deadline_s": None,
        "key": "",
        "inline_bytes": 0,
        "trace": "",
        "is_direct": False,
    }
    return bytes(msgpack.packb([VERSION, *(fields | changed).values()]) or b"")


@given(calls)
def test_a_call_comes_back_equal(call: Call) -> None:
    assert decode_calls(encode_call(call)) == [call]


@given(calls)
def test_only_a_private_call_has_a_field_that_earlier_versions_do_not_know(call: Call) -> None:
    fields = msgpack.unpackb(encode_call(call), unicode_errors="surrogatepass")
    assert len(fields) == (11 if call.private_to else 10 if call.instance else 9)


@pytest.mark.parametrize("private_to", ["public", "", 1, None, ["own"]])
def test_a_call_that_is_private_to_something_else_is_refused(private_to: Any) -> None:
    with pytest.raises(BadFrame):
        decode_calls(frame(instance="", private_to=private_to or 0))


@given(st.lists(calls, min_size=1, max_size=5))
def test_calls_that_travel_together_come_back_equal(several: list[Call]) -> None:
    assert decode_calls(b"".join(map(encode_call, several))) == several


@given(calls, st.data())
def test_of_calls_that_travel_together_none_is_cut(call: Call, data: st.DataObject) -> None:
    whole = encode_call(call)
    with pytest.raises(BadFrame):
        decode_calls(whole + whole[: data.draw(st.integers(1, len(whole) - 1))])


@given(st.builds(Resume, tokens, counts))
def test_a_question_after_a_call_comes_back_equal(resume: Resume) -> None:
    assert decode_resume(encode_resume(resume)) == resume


@pytest.mark.parametrize(
    "token", ["short", "a.b.c.d.e.f.g.h.i", "a" * 15 + ">", "a" * 15 + "*", "x" * 65, "a b" * 6]
)
def test_an_inbox_that_is_more_than_a_name_is_refused(token: str) -> None:
    for call in (Call(token, TOKEN, b""), Call(TOKEN, token, b"")):
        with pytest.raises(BadFrame):
            decode_calls(encode_call(call))


@pytest.mark.parametrize(
    "deadline_s", [0, -1, 0.0, -0.5, float("nan"), float("inf"), float("-inf"), True, "1"]
)
def test_a_deadline_that_cannot_pass_is_refused(deadline_s: object) -> None:
    with pytest.raises(BadFrame):
        decode_calls(frame(deadline_s=deadline_s))


def test_a_deadline_may_be_a_whole_number() -> None:
    (call,) = decode_calls(frame(deadline_s=3))
    assert call.deadline_s == 3


@pytest.mark.parametrize("inline_bytes", [-1, -(2**63), 1.0, True, None, "1"])
def test_a_size_that_is_none_is_refused(inline_bytes: object) -> None:
    with pytest.raises(BadFrame):
        decode_calls(frame(inline_bytes=inline_bytes))


@pytest.mark.parametrize("received", [-1, True, 1.0, None])
def test_a_number_of_items_that_is_none_is_refused(received: object) -> None:
    with pytest.raises(BadFrame):
        decode_resume(bytes(msgpack.packb([VERSION, TOKEN, received]) or b""))


@pytest.mark.parametrize("field", ["id", "inbox", "arguments", "key", "trace", "is_direct"])
@pytest.mark.parametrize("value", [0, True, None, [], {}, 1.5])
def test_a_field_of_another_kind_is_refused(field: str, value: object) -> None:
    if field != "is_direct" or value is not True:
        with pytest.raises(BadFrame):
            decode_calls(frame(**{field: value}))
