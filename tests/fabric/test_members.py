"""What the gateways of a network tell each other of its members and their spending."""

from hypothesis import given
from hypothesis import strategies as st

from easynet.fabric.members import Member, Members, Terms


def member(members: Members, name: str, key: str, now: float) -> Member:
    secret = f"{name}{key}{now}".encode()
    members.invite(Terms("client", name), secret, now + 10)
    return members.redeem(secret, key, now)


def test_member_and_its_end_are_known_to_the_other_gateway() -> None:
    ours, theirs = Members(None), Members(None)
    ana = member(ours, "ana", "KA", 1)
    assert not theirs.learn(ours.rows(), 2)
    assert theirs.named("client", "ana") == ana
    ours.revoke(ana, 3)
    assert theirs.learn(ours.rows(), 4)
    assert theirs.revoked("client") == {"KA": 3}


def test_older_news_changes_nothing() -> None:
    ours, theirs = Members(None), Members(None)
    ana = member(ours, "ana", "KA", 1)
    old = ours.rows()
    theirs.learn(old, 2)
    theirs.revoke(ana, 3)
    assert not theirs.learn(old, 4)
    assert theirs.named("client", "ana") is None
    member(ours, "ben", "KB", 1)
    again = member(theirs, "ana", "KA", 5)
    ours.learn(theirs.rows(), 6)
    assert ours.named("client", "ana") == again


def test_later_of_two_devices_of_one_name_is_shut_out_at_both_gateways() -> None:
    ours, theirs = Members(None), Members(None)
    first, second = member(ours, "ana", "KZ", 1), member(theirs, "ana", "KA", 2)
    assert ours.learn(theirs.rows(), 3)
    assert theirs.learn(ours.rows(), 3)
    for members in (ours, theirs):
        assert members.named("client", "ana") == first
        assert members.revoked("client") == {second.key: 3}


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), max_size=12))
def test_spending_counts_once_however_often_it_is_told(order: list[tuple[int, int]]) -> None:
    gateways = [Members(None).spending, Members(None).spending]
    for gateway in gateways:
        gateway.learn(caps=[("holder", b"cap", 100)])
    calls: set[int] = set()
    for at, call in order:
        assert gateways[at].charge("holder", f"gpu/{call}", 10)
        gateways[1 - at].learn(charges=gateways[at].of(f"gpu/{call}"))
        calls.add(call)
    for gateway in gateways:
        charges = [tuple(charge) for _, *charge in gateway.charges(0, 100)]
        assert sorted(charges) == [(f"gpu/{call}", b"cap", 10) for call in sorted(calls)]
        left = 100 - 10 * len(calls)
        assert gateway.charge("holder", "gpu/rest", left)
        assert not gateway.charge("holder", "gpu/more", 1)
