"""What a subtask may cost, so that the rest of the plan can still be paid for."""

from collections import Counter
from collections.abc import Collection

from easynet.core.errors import OverBudget
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.quantities import format_credits
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget


class Purse:
    """A run's budget, less the cheapest offers of all subtasks that nobody works on yet.

    A budget that suffices for the cheapest offers of a plan is therefore kept.
    """

    def __init__(self, budget: Budget, done: Collection[SubtaskId] = ()) -> None:
        """`done` have results already."""
        self._budget = budget
        self._capabilities: dict[SubtaskId, CapabilityName] = {}
        self._cheapest: dict[CapabilityName, int] = {}
        self._open: Counter[CapabilityName] = Counter()
        """How many subtasks have no attempt under way, and no result."""
        self._attempts: Counter[SubtaskId] = Counter()
        self._done = set(done)
        self._rest = 0

    def grow(self, graph: TaskGraph, done: Collection[SubtaskId] = ()) -> None:
        """The subtasks of the graph that are new and not `done` have to be paid for."""
        self._done.update(done)
        for subtask in graph.subtasks:
            if subtask.id not in self._capabilities and subtask.id not in self._done:
                self._capabilities[subtask.id] = subtask.capability
                self._count(subtask.id, 1)

    def done(self, subtask: SubtaskId) -> None:
        """The subtask has a result; an attempt at it is still to be settled."""
        self._done.add(subtask)

    def priced(self, capability: CapabilityName, cheapest: int) -> None:
        """The cheapest offer of the capability costs so much now."""
        self._rest += self._open[capability] * (cheapest - self._cheapest.get(capability, 0))
        self._cheapest[capability] = cheapest

    def allowance(self, subtask: SubtaskId) -> int | None:
        """What its next attempt may cost; None where there is no limit."""
        left = self._budget.left
        return None if left is None else left - self._rest + self._own_part(subtask)

    def reserve(self, subtask: SubtaskId, price: int) -> None:
        """Set the price of an attempt aside."""
        self._budget.reserve(price)
        if self._is_open(subtask):
            self._count(subtask, -1)
        self._attempts[subtask] += 1

    def settle(self, subtask: SubtaskId, price: int, *, is_paid: bool) -> None:
        """End the reservation for an attempt: it is paid, or comes back."""
        self._budget.settle(price, price if is_paid else 0)
        self._attempts[subtask] -= 1
        if self._is_open(subtask):
            self._count(subtask, 1)

    def refusal(self, subtask: SubtaskId, price: int) -> OverBudget:
        """Why even the cheapest offer of a subtask, at `price`, cannot be taken."""
        budget = self._budget
        limit, left = budget.limit or 0, budget.left or 0
        needed = self._rest - self._own_part(subtask) + price
        enough = budget.spent + budget.reserved + needed
        return OverBudget(
            f"the rest of the plan costs at least {format_credits(needed)}; the budget of"
            f" {format_credits(limit)} has {format_credits(left)} left",
            hint=f"A budget of {format_credits(enough)} would do.",
            zh=f"计划的其余部分至少需要 {format_credits(needed, 'zh')}，而预算"
            f" {format_credits(limit, 'zh')}只剩 {format_credits(left, 'zh')}",
            hint_zh=f"预算达到 {format_credits(enough, 'zh')}即可。",
        )

    def _is_open(self, subtask: SubtaskId) -> bool:
        return not self._attempts[subtask] and subtask not in self._done

    def _own_part(self, subtask: SubtaskId) -> int:
        return self._cheapest.get(self._capabilities[subtask], 0) if self._is_open(subtask) else 0

    def _count(self, subtask: SubtaskId, change: int) -> None:
        capability = self._capabilities[subtask]
        self._open[capability] += change
        self._rest += change * self._cheapest.get(capability, 0)
