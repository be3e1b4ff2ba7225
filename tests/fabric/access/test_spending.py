"""Caps on spending hold, whoever shares them and whatever is taken back."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.fabric.access.spending import Spending


@pytest.fixture
def spending() -> Spending:
    return new_spending()


def new_spending() -> Spending:
    return Spending(sqlite3.connect(":memory:", isolation_level=None))


def test_a_call_is_counted_once(spending: Spending) -> None:
    spending.limit("ben", [(b"cap", 10)])
    assert spending.charge("ben", "call", 6)
    assert spending.charge("ben", "call", 6)
    assert spending.charge("ben", "other", 4)
    assert not spending.charge("ben", "third", 1)


def test_what_came_to_nothing_is_given_back_once(spending: Spending) -> None:
    spending.limit("ben", [(b"cap", 10)])
    assert spending.charge("ben", "call", 10)
    spending.refund("ben", "call")
    spending.refund("ben", "call")
    assert spending.charge("ben", "again", 10)
    assert not spending.charge("ben", "more", 1)


def test_nobody_takes_back_anothers_charge(spending: Spending) -> None:
    spending.limit("ben", [(b"cap", 10)])
    spending.limit("cem", [(b"other cap", 10)])
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
    spending.limit("ben", [(b"shared", 20), (b"own", 12)])
    spending.limit("cem", [(b"shared", 20)])
    held: dict[tuple[str, int], int] = {}
    for client, call, credits, takes_back in steps:
        if takes_back:
            spending.refund(client, f"{client}/{call}")
            held.pop((client, call), None)
        elif spending.charge(client, f"{client}/{call}", credits):
            held.setdefault((client, call), credits)
        assert sum(held.values()) <= 20
        assert sum(credits for (owner, _), credits in held.items() if owner == "ben") <= 12
