"""The messages between clients and nodes."""

import contextlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadFrame
from easynet.fabric.envelope import (
    Alive,
    Call,
    End,
    Failure,
    Item,
    Progress,
    Result,
    Update,
    decode_call,
    decode_update,
    encode_call,
    encode_update,
)

tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=16, max_size=64)
times = st.none() | st.floats(allow_nan=False)
updates: st.SearchStrategy[Update] = st.one_of(
    st.just(Alive()),
    st.just(End()),
    st.builds(Progress, times, st.text()),
    st.builds(Item, st.binary()),
    st.builds(Result, st.binary()),
    st.builds(
        Failure, *[st.text()] * 6, choices=st.lists(st.text(), max_size=3).map(lambda texts: tuple(texts))
    ),
)


@given(st.builds(Call, tokens, tokens, st.text(), st.binary(), times, st.text()))
def test_a_call_comes_back_equal(call: Call) -> None:
    assert decode_call(encode_call(call)) == call


@given(updates)
def test_an_update_comes_back_equal(update: Update) -> None:
    assert decode_update(encode_update(update)) == update


frames = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["alive", "result", "failure"])
    | st.binary(),
    st.lists,
    max_leaves=15,
)


@given(st.binary() | frames.map(lambda frame: bytes(msgpack.packb(frame) or b"")))
def test_anything_else_is_a_bad_frame(data: bytes) -> None:
    for read in (decode_call, decode_update):
        with contextlib.suppress(BadFrame):
            read(data)


@given(updates, st.data())
def test_a_cut_update_is_a_bad_frame(update: Update, data: st.DataObject) -> None:
    whole = encode_update(update)
    with pytest.raises(BadFrame):
        decode_update(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize(
    "token", ["short", "a.b.c.d.e.f.g.h.i", "a" * 15 + ">", "a" * 15 + "*", "x" * 65, "a b" * 6]
)
def test_an_inbox_that_is_more_than_a_name_is_refused(token: str) -> None:
    good = "g" * 16
    for call in (Call(token, good, "f", b""), Call(good, token, "f", b"")):
        with pytest.raises(BadFrame):
            decode_call(encode_call(call))


def test_another_version_is_named() -> None:
    with pytest.raises(BadFrame, match="version 99"):
        decode_update(bytes(msgpack.packb([99, "alive"]) or b""))


def test_text_that_is_not_unicode_does_not_silence_a_failure() -> None:
    update = decode_update(encode_update(Failure("c", "T", "broken \ud800 text")))
    assert isinstance(update, Failure)
    assert update.message == "broken ? text"
