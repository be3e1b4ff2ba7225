import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from easynet.core.errors import OverBudget
from easynet.execution.budget import Budget


class Spending(RuleBasedStateMachine):
    """Any number of subtasks reserving and settling side by side."""

    reservations: Bundle[int] = Bundle("reservations")

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(50, spent=10)
        self.open: list[int] = []
        self.paid = 10

    @rule(target=reservations, amount=st.integers(0, 30))
    def reserve(self, amount: int) -> int:
        left = 50 - self.paid - sum(self.open)
        if amount > left:
            with pytest.raises(OverBudget, match=rf"50 credits \(\$0\.50\) has {left} credit"):
                self.budget.reserve(amount)
            amount = 0
        self.budget.reserve(amount)
        self.open.append(amount)
        return amount

    @rule(reserved=consumes(reservations), data=st.data())
    def settle(self, reserved: int, data: st.DataObject) -> None:
        paid = data.draw(st.integers(0, reserved))
        self.budget.settle(reserved, paid)
        self.open.remove(reserved)
        self.paid += paid

    @invariant()
    def never_overspends_and_loses_nothing(self) -> None:
        assert (self.budget.spent, self.budget.reserved) == (self.paid, sum(self.open))
        assert self.budget.spent + self.budget.reserved <= 50
        assert self.budget.left == 50 - self.budget.spent - self.budget.reserved


TestSpending = Spending.TestCase


def test_a_refused_reservation_changes_nothing_and_says_what_would_do() -> None:
    budget = Budget(10)
    budget.reserve(4)
    with pytest.raises(OverBudget) as raised:
        budget.reserve(7)
    assert (budget.reserved, budget.left) == (4, 6)
    assert raised.value.message == (
        "this step costs 7 credits ($0.07); the budget of 10 credits ($0.10) has 6 credits ($0.06) left"
    )
    assert "11 credits" in raised.value.hint
    assert raised.value.in_language("zh") == (
        "这一步需要 7 积分（0.07 美元），而预算 10 积分（0.10 美元）只剩 6 积分（0.06 美元）",
        "预算达到 11 积分（0.11 美元）即可完成这一步。",
    )


def test_without_a_limit_everything_can_be_reserved() -> None:
    budget = Budget(None)
    budget.reserve(10**9)
    budget.settle(10**9, 10**9)
    assert (budget.left, budget.spent) == (None, 10**9)


@pytest.mark.parametrize(("reserved", "paid"), [(5, 6), (5, -1), (6, 0), (-1, -1)])
def test_a_settlement_that_fits_no_reservation_is_a_bug(reserved: int, paid: int) -> None:
    budget = Budget(10)
    budget.reserve(5)
    with pytest.raises(ValueError, match="settling"):
        budget.settle(reserved, paid)


def test_negative_amounts_are_a_bug() -> None:
    with pytest.raises(ValueError, match="-1"):
        Budget(-1)
    with pytest.raises(ValueError, match="-1"):
        Budget(1).reserve(-1)
