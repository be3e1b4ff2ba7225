"""Large values that arrive in memory."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, BadFrame, NodeUnreachable
from easynet.fabric.values.arrival import Arrival
from easynet.fabric.values.drafts import PART_BYTES
from easynet.fabric.values.parcels import Kind, Parcel, decode_parcel, encode_parcel
from easynet.fabric.wire.blobs import Blob
from easynet.fabric.wire.encoding import encode

CONTENT = random.Random(1).randbytes(5 * PART_BYTES)
DATA = encode(CONTENT)
ARTIFACT = Artifact(digest=hashlib.sha256(DATA).hexdigest(), size_bytes=len(DATA))


class Other:
    """The other side; gives what was asked for when the test says so."""

    def __init__(self, data: bytes = DATA) -> None:
        self.data = data
        self.asked: list[int] = []
        self.count = 0

    def ask(self, offset: int, parts: int) -> None:
        self.asked += range(offset, offset + parts * PART_BYTES, PART_BYTES)
        self.count += parts

    def part(self, offset: int) -> Parcel:
        return Parcel(Kind.PART, ARTIFACT.digest, offset, self.data[offset : offset + PART_BYTES])


def give_all(arrival: Arrival, other: Other, shuffle: random.Random | None = None) -> None:
    while other.asked:
        asked, other.asked = other.asked, []
        if shuffle is not None:
            shuffle.shuffle(asked)
        for offset in asked:
            arrival.take(other.part(offset), 1.0)


@given(st.randoms(use_true_random=False))
async def test_parts_may_come_in_any_order(shuffle: random.Random) -> None:
    other = Other()
    arrival = Arrival(ARTIFACT, other.ask, 0.0)
    assert other.asked == [0]
    give_all(arrival, other, shuffle)
    assert await arrival.end == Blob(CONTENT)
    assert other.count == 6


async def test_a_value_that_is_not_bytes_comes_whole() -> None:
    data = encode(["x" * 300_000, 1])
    artifact = Artifact(digest=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
    other = Other(data)
    arrival = Arrival(artifact, other.ask, 0.0)
    give_all(arrival, other)
    assert await arrival.end == data


async def test_what_was_lost_is_asked_for_again() -> None:
    other = Other()
    arrival = Arrival(ARTIFACT, other.ask, 0.0)
    arrival.take(other.part(0), 0.1)
    lost, other.asked = other.asked[1:], []
    arrival.ask_again(1.0, overdue_s=5.0)
    assert other.asked == []
    arrival.ask_again(6.0, overdue_s=5.0)
    assert other.asked == lost
    arrival.take(other.part(lost[0]), 6.1)
    arrival.take(other.part(lost[0]), 6.2)
    other.asked.remove(lost[0])
    give_all(arrival, other)
    assert await arrival.end == Blob(CONTENT)


async def test_other_bytes_are_refused() -> None:
    other = Other(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    arrival = Arrival(ARTIFACT, other.ask, 0.0)
    give_all(arrival, other)
    with pytest.raises(BadData, match="not those"):
        await arrival.end


@pytest.mark.parametrize("data", [b"", b"x", DATA[: PART_BYTES - 1]])
async def test_a_part_of_another_size_is_refused(data: bytes) -> None:
    arrival = Arrival(ARTIFACT, Other().ask, 0.0)
    arrival.take(Parcel(Kind.PART, ARTIFACT.digest, 0, data), 0.1)
    with pytest.raises(BadData, match="does not fit"):
        await arrival.end


async def test_what_nobody_asked_for_is_left_out() -> None:
    other = Other()
    arrival = Arrival(ARTIFACT, other.ask, 0.0)
    arrival.take(other.part(PART_BYTES), 0.1)
    arrival.take(Parcel(Kind.PART, ARTIFACT.digest, 2**63, b"x"), 0.1)
    assert not arrival.end.done()
    give_all(arrival, other)
    assert await arrival.end == Blob(CONTENT)


@pytest.mark.parametrize("kind", [Kind.IN_STORE, Kind.ELSEWHERE])
async def test_the_other_side_may_say_where_it_is(kind: Kind) -> None:
    arrival = Arrival(ARTIFACT, Other().ask, 0.0)
    arrival.take(Parcel(kind, ARTIFACT.digest), 0.1)
    arrival.fail(NodeUnreachable("too late to matter"))
    assert await arrival.end is kind


@given(st.sampled_from(Kind), st.integers(0, 2**64 - 1), st.binary(max_size=100))
def test_a_parcel_travels(kind: Kind, offset: int, data: bytes) -> None:
    parcel = Parcel(kind, ARTIFACT.digest, offset, data)
    assert decode_parcel(b"".join(encode_parcel(parcel))) == parcel


@given(st.binary(max_size=60))
def test_bytes_that_are_no_parcel_are_refused_or_harmless(message: bytes) -> None:
    try:
        parcel = decode_parcel(message)
    except BadFrame:
        return
    assert b"".join(encode_parcel(parcel)) == message


def test_a_parcel_holds_one_part_at_most() -> None:
    with pytest.raises(BadFrame):
        decode_parcel(bytes(PART_BYTES + 42))


@pytest.mark.parametrize("is_known_late", [True, False])
async def test_a_value_may_arrive_before_its_digest_is_known(is_known_late: bool) -> None:
    other = Other()
    named = Artifact(digest="0" * 64, size_bytes=len(DATA))
    arrival = Arrival(named, other.ask, 0.0, is_known=False)
    if not is_known_late:
        arrival.known(ARTIFACT)
    give_all(arrival, other)
    assert arrival.end.done() != is_known_late
    arrival.known(ARTIFACT)
    assert await arrival.end == Blob(CONTENT)


async def test_a_digest_that_is_known_late_may_be_another_one() -> None:
    other = Other()
    arrival = Arrival(Artifact(digest="0" * 64, size_bytes=len(DATA)), other.ask, 0.0, is_known=False)
    give_all(arrival, other)
    arrival.known(Artifact(digest="1" * 64, size_bytes=len(DATA)))
    with pytest.raises(BadData, match="not those"):
        await arrival.end
