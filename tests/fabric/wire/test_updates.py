"""What a node tells a caller."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadFrame
from easynet.fabric.wire.frames import VERSION
from easynet.fabric.wire.large_values import Coming, Known, Want, decode_want, encode_want
from easynet.fabric.wire.updates import (
    Alive,
    End,
    Failure,
    Item,
    Progress,
    Result,
    Unknown,
    Update,
    decode_pieces,
    decode_update,
    encode_piece,
    encode_update,
    update_of,
)

DIGEST = "0" * 64

tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=16, max_size=64)
counts = st.integers(0, 2**63)
texts = st.lists(st.text(), max_size=3).map(lambda found: tuple(found))
times = st.floats(0, allow_infinity=False)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
wants = st.builds(Want, digests, counts, st.integers(1, 64), st.text())
updates: st.SearchStrategy[Update] = st.one_of(
    st.just(Alive()),
    st.builds(Unknown, times),
    st.builds(End, counts),
    st.builds(Progress, st.none() | st.floats(allow_nan=False), st.text()),
    st.builds(Item, st.binary(), counts),
    st.builds(Result, st.binary()),
    st.builds(Failure, *[st.text()] * 6, choices=texts, retry_after_s=times),
    wants,
    st.builds(Coming, digests, st.integers(1, 2**63), st.text()),
    st.builds(Known, digests, digests),
)


def frame(*fields: Any) -> bytes:
    """An update made by hand."""
    return bytes(msgpack.packb([VERSION, *fields]) or b"")


@given(updates)
def test_an_update_comes_back_equal(update: Update) -> None:
    assert decode_update(encode_update(update)) == update


@given(st.lists(st.tuples(tokens | st.text(), updates), min_size=1, max_size=5))
def test_updates_that_travel_together_come_back_each_under_its_call(
    several: list[tuple[str, Update]],
) -> None:
    message = b"".join(encode_piece(id_, encode_update(update)) for id_, update in several)
    assert [(id_, update_of(frame)) for id_, frame in decode_pieces(message)] == several


@given(tokens | st.text(), updates, st.data())
def test_of_updates_that_travel_together_none_is_cut(id_: str, update: Update, data: st.DataObject) -> None:
    whole = encode_piece(id_, encode_update(update))
    for message in (b"", whole):
        with pytest.raises(BadFrame):
            decode_pieces(message + whole[: data.draw(st.integers(1, len(whole) - 1))])


def test_a_piece_without_an_id_or_an_update_is_a_bad_frame() -> None:
    update = encode_update(Alive())
    for message in (update, update + update, encode_piece("x" * 16, b""), b"\xc1", b"\xa1\xff" + update):
        with pytest.raises(BadFrame):
            decode_pieces(message)


def test_a_message_without_a_piece_says_nothing() -> None:
    assert decode_pieces(b"") == []


@given(updates, st.data())
def test_a_cut_update_is_a_bad_frame(update: Update, data: st.DataObject) -> None:
    whole = encode_update(update)
    with pytest.raises(BadFrame):
        decode_update(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(wants, tokens)
def test_a_clients_wish_comes_back_equal(want: Want, inbox: str) -> None:
    assert decode_want(encode_want(want, inbox)) == (want, inbox)


@pytest.mark.parametrize(
    "fields",
    [
        ("item", True, b""),
        ("item", -1, b""),
        ("item", 1.0, b""),
        ("end", True),
        ("end", -1),
        ("unknown", float("nan")),
        ("unknown", float("inf")),
        ("unknown", -1.0),
        ("progress", True, "half"),
        ("want", DIGEST, True, 1, ""),
        ("want", DIGEST, 0, True, ""),
        ("want", DIGEST, -1, 1, ""),
        ("want", DIGEST, 0, 65, ""),
        ("coming", DIGEST, True, ""),
        ("coming", DIGEST, 0, ""),
        ("failure", "c", "T", "m", "", "", "", [], float("nan")),
        ("failure", "c", "T", "m", "", "", "", [], float("inf")),
        ("failure", "c", "T", "m", "", "", "", [], -1.0),
        ("failure", "c", "T", "m", "", "", "", [], True),
    ],
)
def test_numbers_that_mean_nothing_are_refused(fields: tuple[Any, ...]) -> None:
    with pytest.raises(BadFrame):
        decode_update(frame(*fields))


def test_text_that_is_not_unicode_does_not_silence_a_failure() -> None:
    update = decode_update(encode_update(Failure("c", "T", "broken \ud800 text")))
    assert isinstance(update, Failure)
    assert update.message == "broken ? text"
