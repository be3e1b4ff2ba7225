"""Caps on spending hold, whoever shares them and whatever is taken back."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.fabric.access.spending import Cap, Spending

NOW = 1_800_000_000.0


@pytest.fixture
def spending() -> Spending:
    return new_spending()


def new_spending() -> Spending:
    return Spending(sqlite3.connect(":memory:", isolation_level=None))


def test_a_call_is_counted_once(spending: Spending) -> None:
    spending.limit("ben", [Cap(b"cap", 10)])
    assert spending.charge("ben", "call", 6)
    assert spending.charge("ben", "call", 6)
    assert spending.charge("ben", "other", 4)
    assert not spending.charge("ben", "third", 1)


def test_what_came_to_nothing_is_given_back_once(spending: Spending) -> None:
    spending.limit("ben", [Cap(b"cap", 10)])
    assert spending.charge("ben", "call", 10)
    spending.refund("ben", "call")
    spending.refund("ben", "call")
    assert spending.charge("ben", "again", 10)
    assert not spending.charge("ben", "more", 1)


def test_nobody_takes_back_anothers_charge(spending: Spending) -> None:
    spending.limit("ben", [Cap(b"cap", 10)])
    spending.limit("cem", [Cap(b"other cap", 10)])
    assert spending.charge("ben", "call", 10)
    spending.refund("cem", "call")
    assert not spending.charge("ben", "more", 1)


def test_who_has_no_cap_may_spend(spending: Spending) -> None:
    assert spending.charge("ana", "call", 10**9)


@given(
    st.lists(st.tuples(st.sampled_from(["ben", "cem"]), st.integers(0, 7), st.integers(0, 9), st.booleans()))
)
def test_a_shared_cap_is_never_passed(steps: list[tuple[str, int, int, bool]]) -> None:
    spending = new_spending()
    spending.limit("ben", [Cap(b"shared", 20), Cap(b"own", 12)])
    spending.limit("cem", [Cap(b"shared", 20)])
    held: dict[tuple[str, int], int] = {}
    for client, call, credits, takes_back in steps:
        if takes_back:
            spending.refund(client, f"{client}/{call}")
            held.pop((client, call), None)
        elif spending.charge(client, f"{client}/{call}", credits):
            held.setdefault((client, call), credits)
        assert sum(held.values()) <= 20
        assert sum(credits for (owner, _), credits in held.items() if owner == "ben") <= 12


def charges_of(spending: Spending) -> list[str]:
    return [call for _, call, *_ in spending.charges(0, 100)]


def test_what_was_spent_under_an_expired_grant_is_forgotten(spending: Spending) -> None:
    spending.limit("metered-ben", [Cap(b"short", 10, NOW + 60)])
    spending.limit("metered-cem", [Cap(b"long", 10, NOW + 600), Cap(b"endless", 10)])
    assert spending.charge("metered-ben", "a", 4)
    assert spending.charge("metered-cem", "b", 4)
    spending.forget(NOW + 59)
    assert charges_of(spending) == ["a", "b", "b"]
    spending.forget(NOW + 60)
    assert charges_of(spending) == ["b", "b"]
    assert not spending.charge("metered-cem", "c", 7)
    spending.forget(NOW + 600)
    assert charges_of(spending) == ["b"]
    assert not spending.charge("metered-cem", "c", 7)


def test_whose_caps_are_not_known_spends_nothing(spending: Spending) -> None:
    assert not spending.charge("metered-eve", "a", 0)
    spending.limit("metered-ben", [Cap(b"short", 10, NOW + 60)])
    spending.forget(NOW + 60)
    assert not spending.charge("metered-ben", "b", 1)


def test_what_was_forgotten_is_not_learnt_again(spending: Spending) -> None:
    other = new_spending()
    for each in (spending, other):
        each.limit("metered-ben", [Cap(b"short", 10, NOW + 60), Cap(b"endless", 10)])
    assert other.charge("metered-ben", "a", 4)
    spending.learn(NOW + 59, other.caps(), other.of("a"))
    assert charges_of(spending) == ["a", "a"]
    spending.forget(NOW + 60)
    spending.learn(NOW + 60, other.caps(), other.of("a"))
    assert charges_of(spending) == ["a"]
    assert spending.caps() == [("metered-ben", b"endless", 10, 0.0)]
    assert not spending.charge("metered-ben", "b", 7)
    assert spending.charge("metered-ben", "b", 6)


def test_a_database_from_before_expiries_is_read() -> None:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(
        "CREATE TABLE cap (client TEXT NOT NULL, digest BLOB NOT NULL, credits INTEGER NOT NULL,"
        " PRIMARY KEY (client, digest)) STRICT;"
        "CREATE TABLE charge (call TEXT NOT NULL, digest BLOB NOT NULL, credits INTEGER NOT NULL,"
        " PRIMARY KEY (call, digest)) STRICT;"
        "INSERT INTO cap VALUES ('metered-ben', x'00', 10);"
    )
    spending = Spending(database)
    assert spending.charge("metered-ben", "a", 10)
    assert not spending.charge("metered-ben", "b", 1)
