"""The messages between clients and nodes."""

import contextlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadFrame, VersionMismatch
from easynet.fabric.wire.envelope import (
    Alive,
    Call,
    End,
    Failure,
    Hello,
    Item,
    Ping,
    Progress,
    Result,
    Resume,
    Unknown,
    Update,
    decode_call,
    decode_calls,
    decode_hello,
    decode_pieces,
    decode_ping,
    decode_resume,
    decode_update,
    encode_call,
    encode_hello,
    encode_piece,
    encode_ping,
    encode_resume,
    encode_update,
    update_of,
)

tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=16, max_size=64)
counts = st.integers(0, 2**63)
texts = st.lists(st.text(), max_size=3).map(lambda found: tuple(found))
times = st.none() | st.floats(allow_nan=False)
updates: st.SearchStrategy[Update] = st.one_of(
    st.just(Alive()),
    st.builds(Unknown, st.floats(allow_nan=False)),
    st.builds(End, counts),
    st.builds(Progress, times, st.text()),
    st.builds(Item, st.binary(), counts),
    st.builds(Result, st.binary()),
    st.builds(
        Failure,
        *[st.text()] * 6,
        choices=texts,
        retry_after_s=st.floats(allow_nan=False),
    ),
)


keys, instances = st.text(max_size=512), st.text(max_size=32)
calls = st.builds(Call, tokens, tokens, st.binary(), times, keys, counts, st.text(), st.booleans(), instances)


@given(calls)
def test_a_call_comes_back_equal(call: Call) -> None:
    assert decode_call(encode_call(call)) == call


@given(st.lists(calls, min_size=1, max_size=5))
def test_calls_that_travel_together_come_back_equal(several: list[Call]) -> None:
    assert decode_calls(b"".join(map(encode_call, several))) == several


@given(st.lists(st.tuples(tokens, updates), min_size=1, max_size=5))
def test_updates_that_travel_together_come_back_each_under_its_call(
    several: list[tuple[str, Update]],
) -> None:
    message = b"".join(encode_piece(id_, encode_update(update)) for id_, update in several)
    assert [(id_, update_of(frame)) for id_, frame in decode_pieces(message)] == several


@given(calls, st.data())
def test_of_calls_that_travel_together_none_is_cut(call: Call, data: st.DataObject) -> None:
    whole = encode_call(call)
    with pytest.raises(BadFrame):
        decode_calls(whole + whole[: data.draw(st.integers(1, len(whole) - 1))])


def test_a_piece_without_an_id_or_an_update_is_a_bad_frame() -> None:
    update = encode_update(Alive())
    for message in (update, update + update, encode_piece("x" * 16, b""), b"\xc1"):
        with pytest.raises(BadFrame):
            decode_pieces(message)


@given(updates)
def test_an_update_comes_back_equal(update: Update) -> None:
    assert decode_update(encode_update(update)) == update


@given(st.builds(Ping, tokens, st.text(), texts), st.builds(Resume, tokens, counts))
def test_what_else_a_client_says_comes_back_equal(ping: Ping, resume: Resume) -> None:
    assert decode_ping(encode_ping(ping)) == ping
    assert decode_resume(encode_resume(resume)) == resume


@given(st.builds(Hello, st.text(), st.text(), st.text(), texts, texts, st.floats(allow_nan=False)))
def test_a_nodes_hello_comes_back_equal(hello: Hello) -> None:
    assert decode_hello(encode_hello(hello)) == hello


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
    for read in (
        decode_call,
        decode_calls,
        decode_pieces,
        decode_update,
        decode_ping,
        decode_resume,
        decode_hello,
    ):
        with contextlib.suppress(BadFrame, VersionMismatch):
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
    for call in (Call(token, good, b""), Call(good, token, b"")):
        with pytest.raises(BadFrame):
            decode_call(encode_call(call))


def test_another_version_is_named() -> None:
    with pytest.raises(VersionMismatch, match="version 99"):
        decode_update(bytes(msgpack.packb([99, "alive"]) or b""))


def test_text_that_is_not_unicode_does_not_silence_a_failure() -> None:
    update = decode_update(encode_update(Failure("c", "T", "broken \ud800 text")))
    assert isinstance(update, Failure)
    assert update.message == "broken ? text"
