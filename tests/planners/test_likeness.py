"""How alike plans are."""

import pytest

from easynet.planners.likeness import f1, plans_alike


def test_what_is_the_same_is_wholly_alike_and_what_shares_nothing_not_at_all() -> None:
    assert f1("ab", "ab") == 1.0
    assert f1("ab", "bc") == 0.5
    assert f1("ab", "cd") == 0.0
    assert f1("", "") == 0.0


def test_plans_are_alike_in_steps_and_in_links() -> None:
    assert plans_alike((1, 2), [(1, 2)], (1, 2), [(1, 2)]) == 1.0
    assert plans_alike((1,), [], (1,), []) == 1.0
    assert plans_alike((1, 2), [(1, 2)], (2, 1), [(2, 1)]) == 0.5
    assert plans_alike((1, 2), [(1, 2)], (3, 4), [(3, 4)]) == pytest.approx(0.0)
