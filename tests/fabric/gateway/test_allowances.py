"""What clients send is within what they may send together; who sends little has nothing to answer for."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from easynet.fabric.gateway.allowances import BYTES_OF_A_MESSAGE, Allowance, Allowances, weight

ANA = Allowance("ana", 100.0)


def shared_by(*keys: str) -> Allowances:
    return Allowances({key: ANA for key in keys}.get)


def sent(allowances: Allowances, **messages: float) -> list[str]:
    """Who is to stop after half a second in which so much was sent."""
    for key, count in messages.items():
        allowances.note(key, count)
    return allowances.look(0.5)


def test_a_burst_is_allowed_and_not_a_second_one() -> None:
    allowances = shared_by("ana")
    assert sent(allowances, ana=200) == []
    assert sent(allowances, ana=51) == ["ana"]


def test_a_steady_rate_is_allowed_for_ever() -> None:
    allowances = shared_by("ana")
    assert all(sent(allowances, ana=50) == [] for _ in range(1000))


def test_what_comes_in_many_notes_counts_together() -> None:
    allowances = shared_by("ana")
    for _ in range(20):
        allowances.note("ana", 11)
    assert allowances.look(0.5) == ["ana"]


def test_holders_of_a_grant_have_no_more_than_its_issuer() -> None:
    allowances = shared_by("ana", "ben", "cem")
    assert sent(allowances, ana=70, ben=70, cem=60) == []
    assert sent(allowances, ana=20, ben=25, cem=21) == ["ben"]


def test_who_sends_little_goes_on_beside_one_who_floods() -> None:
    allowances = shared_by("ana", "ben")
    assert sent(allowances, ana=40, ben=100_000) == ["ben"]
    assert all(sent(allowances, ana=40) == [] for _ in range(100))


def test_all_who_flood_are_stopped_at_once() -> None:
    allowances = shared_by("ana", "ben", "cem", "dan")
    assert sent(allowances, ana=40, ben=1000, cem=900, dan=800) == ["ben", "cem", "dan"]


def test_who_has_no_limit_is_never_stopped() -> None:
    assert sent(Allowances(lambda _: None), local=10.0**9) == []


def test_large_messages_count_as_several() -> None:
    assert weight(10, 1000) == 10
    assert weight(1, 8 * BYTES_OF_A_MESSAGE) == 8


@given(st.lists(st.lists(st.integers(0, 400), min_size=4, max_size=4), max_size=40))
def test_those_who_are_not_stopped_stay_within_what_they_may_send(looks: Sequence[Sequence[int]]) -> None:
    keys = ["ana", "ben", "cem", "dan"]
    allowances, kept = shared_by(*keys), 0.0
    for counts in looks:
        stopped = sent(allowances, **dict(zip(keys, counts, strict=True)))
        kept += sum(count for key, count in zip(keys, counts, strict=True) if key not in stopped)
    # Two seconds' worth at once, and half a second's worth at each look.
    assert kept <= 200 + 50 * len(looks)
