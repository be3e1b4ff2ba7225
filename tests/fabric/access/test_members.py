"""Who is a member stays clear, whatever tokens and grants a key is shown with."""

import pytest

from easynet.core.errors import NameTaken, TokenRejected
from easynet.fabric.access.members import Member, Members, Terms

ANA, BEN, HOLDER = "UANA", "UBEN", "UHOLDER"
NOW = 1_800_000_000.0


@pytest.fixture
def members() -> Members:
    return Members(None)


def invited(members: Members, name: str, secret: bytes) -> None:
    members.invite(Terms("client", name), secret, NOW + 60)


def held(owner_key: str, name: str = "granted-x", key: str = HOLDER) -> Member:
    return Member(Terms("client", name), key, NOW, granted_by=owner_key)


def test_a_device_that_did_not_hear_the_answer_gets_it_again(members: Members) -> None:
    invited(members, "ana", b"secret")
    assert members.redeem(b"secret", ANA, NOW) == members.redeem(b"secret", ANA, NOW)


def test_who_was_shut_out_does_not_come_back_with_the_token_it_used(members: Members) -> None:
    invited(members, "ana", b"secret")
    members.revoke(members.redeem(b"secret", ANA, NOW), NOW)
    with pytest.raises(TokenRejected, match="shut out"):
        members.redeem(b"secret", ANA, NOW)
    assert members.named("client", "ana") is None
    assert ANA in members.revoked("client")


def test_a_key_stands_for_one_member(members: Members) -> None:
    invited(members, "ana", b"secret")
    members.redeem(b"secret", ANA, NOW)
    with pytest.raises(TokenRejected, match="joined already"):
        members.grant(held(ANA, key=ANA), [])
    invited(members, "ben", b"other")
    with pytest.raises(TokenRejected, match="joined already"):
        members.redeem(b"other", ANA, NOW)
    found = members.named("client", "ana")
    assert found is not None
    assert found.granted_by == ""


def test_holders_go_with_the_client_whose_grant_they_hold(members: Members) -> None:
    invited(members, "ana", b"secret")
    invited(members, "ben", b"other")
    ana = members.redeem(b"secret", ANA, NOW)
    members.redeem(b"other", BEN, NOW)
    members.grant(held(ANA), [])
    with pytest.raises(TokenRejected, match="joined already"):
        members.grant(held(BEN), [])
    members.revoke(ana, NOW)
    assert set(members.revoked("client")) == {ANA, HOLDER}


def test_an_old_grant_is_not_good_for_a_new_client_of_that_name(members: Members) -> None:
    invited(members, "ana", b"secret")
    members.revoke(members.redeem(b"secret", ANA, NOW), NOW)
    invited(members, "ana", b"again")
    members.redeem(b"again", "UANA2", NOW)
    with pytest.raises(TokenRejected, match="shut out"):
        members.grant(held(ANA), [])


def test_two_keys_cannot_have_one_name(members: Members) -> None:
    invited(members, "ana", b"secret")
    invited(members, "ana", b"other")
    members.redeem(b"secret", ANA, NOW)
    with pytest.raises(NameTaken):
        members.redeem(b"other", BEN, NOW)
