"""Grants: narrowed offline by whoever holds them, and never widened."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from easynet.core.errors import TokenRejected, UsageError
from easynet.fabric.access import tokens
from easynet.fabric.access.grants import PREFIX, Block, Grant, Limits, Rights, verified

ROOT = SigningKey(bytes(32))
DEVICE = "UDEVICE"
NOW = 1_800_000_000.0


def issued(limits: Limits = Limits()) -> Grant:  # noqa: B008
    return Grant.issue(["127.0.0.1:4222"], "g", b"", "ana", limits, lambda data: ROOT.sign(data).signature)


def shown(grant: Grant, now: float = NOW) -> Rights:
    """What the gateway makes of a grant that travelled as a token."""
    arrived = Grant.parse(grant.token())
    return verified(arrived.chain, DEVICE, arrived.proof(DEVICE), bytes(ROOT.verify_key), now)


def test_a_narrowed_grant_allows_less_than_the_one_it_was_made_from() -> None:
    whole = issued(Limits(functions=("add", "gpu.train")))
    part = whole.narrow(Limits(functions=("add",), max_spend=10, expires_at=NOW + 60))
    assert shown(whole).functions == ("add", "gpu.train")
    rights = shown(part)
    assert (rights.owner, rights.functions, rights.expires_at) == ("ana", ("add",), NOW + 60)
    assert [cap.credits for cap in rights.caps] == [10]


def test_all_limits_of_a_chain_hold() -> None:
    grant = issued().narrow(Limits(max_spend=100, expires_at=NOW + 600)).narrow(Limits(max_spend=500))
    rights = shown(grant.narrow(Limits(expires_at=NOW + 6000)))
    assert [cap.credits for cap in rights.caps] == [100, 500]
    assert [cap.expires_at for cap in rights.caps] == [NOW + 600, NOW + 600]
    assert rights.expires_at == NOW + 600
    with pytest.raises(TokenRejected, match="expired"):
        shown(grant, NOW + 600)


def test_a_cap_outlasts_the_later_limits_in_time() -> None:
    part = issued().narrow(Limits(max_spend=100))
    [cap] = shown(part.narrow(Limits(expires_at=NOW + 60))).caps
    assert cap == shown(part).caps[0]
    assert cap.expires_at == 0


@pytest.mark.parametrize("moment", [float("nan"), float("inf")])
def test_a_moment_that_is_none_is_refused(moment: float) -> None:
    with pytest.raises(TokenRejected):
        shown(issued().narrow(Limits(expires_at=moment)))


def test_nobody_narrows_to_more() -> None:
    with pytest.raises(UsageError, match="'train'"):
        issued(Limits(functions=("add",))).narrow(Limits(functions=("add", "train")))
    assert shown(issued(Limits(functions=("train",))).narrow(Limits(functions=("gpu.train",)))).functions == (
        "gpu.train",
    )
    with pytest.raises(UsageError):
        issued(Limits(functions=("gpu.train",))).narrow(Limits(functions=("train",)))


def test_a_forged_wider_block_is_refused() -> None:
    """The holder has the key to append, but what it appends is checked against what it was given."""
    grant = issued(Limits(functions=("add",)))
    key = SigningKey(grant._key)  # pyright: ignore[reportPrivateUsage]
    block = Block(Limits(functions=("add", "train")), "", bytes(key.verify_key), b"")
    signed = key.sign(b"easynet-grant:" + grant.blocks[-1].signature + block.payload).signature
    forged = dataclasses.replace(grant, blocks=(*grant.blocks, dataclasses.replace(block, signature=signed)))
    with pytest.raises(TokenRejected, match="more than"):
        shown(forged)


def test_a_block_cannot_be_taken_away() -> None:
    part = issued().narrow(Limits(functions=("add",)))
    with pytest.raises(TokenRejected):
        shown(dataclasses.replace(part, blocks=part.blocks[:1]))


def test_a_grant_of_another_network_or_of_another_holder_is_refused() -> None:
    grant = issued()
    with pytest.raises(TokenRejected):
        verified(grant.chain, DEVICE, grant.proof(DEVICE), bytes(SigningKey.generate().verify_key), NOW)
    with pytest.raises(TokenRejected):
        verified(grant.chain, "UOTHER", grant.proof(DEVICE), bytes(ROOT.verify_key), NOW)


@given(st.data())
def test_a_flipped_byte_is_noticed(data: st.DataObject) -> None:
    grant = issued(Limits(functions=("add",))).narrow(Limits(max_spend=5))
    number = data.draw(st.integers(0, len(grant.blocks) - 1))
    half = data.draw(st.integers(0, 1))
    chain = grant.chain
    raw = bytearray(chain[number][half])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    chain[number][half] = bytes(raw)
    with pytest.raises(TokenRejected):
        verified(chain, DEVICE, grant.proof(DEVICE), bytes(ROOT.verify_key), NOW)


@given(st.recursive(st.none() | st.integers() | st.binary() | st.text(), st.lists, max_leaves=12))
def test_nonsense_is_refused(content: object) -> None:
    with pytest.raises(TokenRejected):
        verified(content, DEVICE, b"", bytes(ROOT.verify_key), NOW)
    try:
        token = tokens.written(PREFIX, content)
    except (OverflowError, UnicodeEncodeError):
        return
    with pytest.raises(TokenRejected):
        Grant.parse(token)
