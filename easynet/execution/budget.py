"""A budget that is reserved from before money is spent."""

from easynet.core.errors import OverBudget
from easynet.core.quantities import format_credits


class Budget:
    """Credits of a run: every reservation is settled once, and what is paid never exceeds the limit.

    Used from one event loop. No call waits, so subtasks that run side by side cannot overspend it together.
    """

    def __init__(self, limit: int | None, spent: int = 0) -> None:
        """`None` sets no limit; `spent` was paid by earlier processes of the run."""
        if spent < 0 or (limit is not None and limit < 0):
            raise ValueError(f"a budget of {limit} credits of which {spent} are spent")
        self.limit = limit
        self.reserved = 0
        """Credits set aside for attempts that have not ended."""
        self.spent = spent
        """Credits paid."""

    @property
    def left(self) -> int | None:
        """Credits that may still be reserved; `None` where there is no limit."""
        return None if self.limit is None else self.limit - self.spent - self.reserved

    def reserve(self, amount: int) -> None:
        """Set `amount` credits aside; raises OverBudget, and then nothing changed."""
        if amount < 0:
            raise ValueError(f"a reservation of {amount} credits")
        left = self.left
        if left is not None and amount > left:
            raise self._refusal(amount, left)
        self.reserved += amount

    def _refusal(self, amount: int, left: int) -> OverBudget:
        limit, enough = self.limit or 0, self.spent + self.reserved + amount
        return OverBudget(
            f"this step costs {format_credits(amount)}; the budget of {format_credits(limit)}"
            f" has {format_credits(left)} left",
            hint=f"A budget of {format_credits(enough)} would do for this step.",
            zh=f"这一步需要 {format_credits(amount, 'zh')}，而预算 {format_credits(limit, 'zh')}"
            f"只剩 {format_credits(left, 'zh')}",
            hint_zh=f"预算达到 {format_credits(enough, 'zh')}即可完成这一步。",
        )

    def catch_up(self, spent: int) -> None:
        """So much of the run's money is spent by now, on whatever; what is settled here is a part of it."""
        self.spent = max(self.spent, spent)

    def settle(self, reserved: int, paid: int) -> None:
        """End a reservation of `reserved` credits: `paid` are spent, the rest comes back."""
        if not 0 <= paid <= reserved <= self.reserved:
            raise ValueError(f"settling {reserved} credits with {paid} paid, {self.reserved} are reserved")
        self.reserved -= reserved
        self.spent += paid
