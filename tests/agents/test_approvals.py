"""Steps that cannot be undone, or cost more than was allowed without asking: never before a person agrees."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.agents.approvals import APPROVAL, NEVER, capability_limits, digests, needed, price_limits
from easynet.agents.orchestrator import Orchestrator
from easynet.agents.run_memory import RunMemory
from easynet.core.capability import Capability
from easynet.core.contribution import contribute, contributed
from easynet.core.errors import NodeUnreachable, NotApproved, UsageError
from easynet.core.events import ApprovalAnswered, ApprovalRequested, Question, SubtaskFinished
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent, Requirements
from easynet.core.offer import Offer, Trust
from easynet.core.schedule import Assignment, Schedule
from easynet.core.task_graph import FromInput, FromSubtask, Given, Subtask, TaskGraph
from easynet.planners.planner import PlanResult
from tests.agents.test_early_start import ScriptedPlanner, turns
from tests.agents.test_orchestrator import Desk, Leaves, break_vase, desk

__all__ = ["desk"]


@contribute(en="Pay an invoice to a supplier.", zh="向供应商支付发票。", price=3, irreversible=True)
def pay_invoice(amount: int, to: str = "ACME") -> str:
    return f"paid {amount}"


PAY = Intent.from_text("pay an invoice to a supplier", input_data={"amount": 5})
PAY_ZH = Intent.from_text("向供应商支付发票", input_data={"amount": 5})
TEA = Intent.from_text("brew a cup of tea")
DEAR_TEA = Intent.from_text("brew a cup of tea", constraints={"approve_above": "2 credits"})


@pytest.fixture
def bank(desk: Desk) -> Desk:
    """A desk whose network can pay."""
    return offering(desk, pay_invoice)


def offering(desk: Desk, *functions: object) -> Desk:
    for function in functions:
        capability = contributed(function)  # type: ignore[arg-type]  # decorated above
        assert capability is not None
        desk.network.offered[capability.name] = capability
        desk.network.functions = {**desk.network.functions, capability.name: function}  # type: ignore[dict-item]
    return desk


def called(desk: Desk) -> list[str]:
    return [c.capability for c in desk.network.calls]


def requests(desk: Desk) -> list[ApprovalRequested]:
    return [e for e in desk.events if isinstance(e, ApprovalRequested)]


def answers(desk: Desk) -> list[ApprovalAnswered]:
    return [e for e in desk.events if isinstance(e, ApprovalAnswered)]


# ── what is offered ─────────────────────────────────────────────────────────────────────────────


def test_what_cannot_be_undone_does_not_run_twice() -> None:
    capability = contributed(pay_invoice)
    assert capability is not None
    assert (capability.irreversible, capability.idempotent) == (True, False)
    data = capability.model_dump() | {"idempotent": True}
    assert not Capability.model_validate(data).idempotent


def test_what_cannot_be_undone_cannot_be_offered_as_repeatable() -> None:
    with pytest.raises(UsageError, match="both irreversible and idempotent"):
        contribute(irreversible=True, idempotent=True)(lambda: None)


# ── a run ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "status"),
    [("yes", "succeeded"), ("no", "cancelled"), ("maybe", "cancelled"), (None, "needs_input")],
)
async def test_what_cannot_be_undone_waits_for_a_person(bank: Desk, answer: str | None, status: str) -> None:
    before: list[int] = []

    def decide(question: Question) -> str | None:
        before.append(len(bank.network.calls))
        return answer

    result = await bank.run(PAY, ask=decide)
    assert (result.status, before) == (status, [0])
    assert called(bank) == (["pay_invoice"] if answer == "yes" else [])
    assert [a.agreed for a in answers(bank)] == ([] if answer is None else [answer == "yes"])


async def test_the_question_names_the_step_its_arguments_its_node_and_its_price(bank: Desk) -> None:
    asked: list[Question] = []
    await bank.run(PAY, ask=lambda question: asked.append(question))
    assert [(q.name, q.choices) for q in asked] == [(APPROVAL, ("yes", "no"))]
    assert asked[0].text == (
        "This step needs your agreement:\n"
        "- pay_invoice: Pay an invoice to a supplier · cannot be undone · amount = 5 · on n"
        " · at most 3 credits ($0.03)\n"
        "The plan costs about 3 credits ($0.03). Go ahead?"
    )
    [request] = requests(bank)
    assert [(s.subtask, s.capability, s.price, s.nodes, s.why) for s in request.steps] == [
        ("pay_invoice", "pay_invoice", 3, ("n",), ("irreversible",))
    ]


async def test_the_question_is_in_the_users_language(bank: Desk) -> None:
    asked: list[str] = []
    result = await bank.run(PAY_ZH, ask=lambda question: asked.append(question.text))
    assert asked == [
        "以下步骤需要您的批准：\n"
        "- pay_invoice：向供应商支付发票 · 不可撤销 · amount = 5 · 在 n 上 · 最多 3 积分（0.03 美元）\n"
        "整个计划大约花费 3 积分（0.03 美元）。继续吗？"
    ]
    assert result.problem is not None
    assert f"用 `easynet runs resume {result.run_id} --answer approve=yes` 表示同意。" in result.problem.hint


async def test_private_values_are_not_in_the_question(bank: Desk) -> None:
    intent = Intent.from_text(PAY.description, input_data={"amount": 123456}, constraints={"privacy": "high"})
    await bank.run(intent)
    [request] = requests(bank)
    assert "amount = (private)" in request.question.text
    assert "123456" not in request.model_dump_json()


async def test_agreement_beforehand_in_general_allows_no_step_that_cannot_be_undone(bank: Desk) -> None:
    result = await bank.run(PAY, auto_approve=True)
    assert (result.status, called(bank)) == ("needs_input", [])
    again = await bank.run(PAY, auto_approve=True)
    assert (again.status, called(bank)) == ("needs_input", [])
    assert again.problem is not None
    assert "--answer approve=yes" in again.problem.hint


async def test_an_answer_later_goes_on_with_what_was_asked(bank: Desk) -> None:
    assert (await bank.run(PAY)).status == "needs_input"
    result = await bank.run(PAY, answers={APPROVAL: "yes"})
    assert result.ok, result.problem
    assert called(bank) == ["pay_invoice"]
    assert len(requests(bank)) == 1
    assert result.plan is not None
    assert APPROVAL not in result.plan.inputs


async def test_a_no_later_cancels_the_run_and_nothing_has_run(bank: Desk) -> None:
    await bank.run(PAY)
    result = await bank.run(PAY, answers={APPROVAL: "no"})
    assert (result.status, called(bank)) == ("cancelled", [])
    assert (await bank.run(PAY)).status == "needs_input"


async def test_a_function_named_beforehand_is_not_asked_for(bank: Desk) -> None:
    result = await bank.run(PAY, approve=["pay_invoice"])
    assert result.ok, result.problem
    assert (requests(bank), [a.by for a in answers(bank)]) == ([], ["name"])


async def test_the_name_of_another_function_allows_nothing(bank: Desk) -> None:
    assert (await bank.run(PAY, approve=["brew_tea"])).status == "needs_input"
    assert called(bank) == []


async def test_a_step_above_the_price_waits_and_cheaper_ones_are_not_named(desk: Desk) -> None:
    waiting = await desk.run(DEAR_TEA, auto_approve=True)
    assert (waiting.status, called(desk)) == ("needs_input", [])
    [request] = requests(desk)
    assert [(s.capability, s.price, s.why) for s in request.steps] == [("brew_tea", 3, ("price",))]
    assert "above the price that you set" in request.question.text
    result = await desk.run(DEAR_TEA, answers={APPROVAL: "yes"})
    assert result.ok, result.problem


async def test_both_reasons_and_strangers_are_one_question(bank: Desk) -> None:
    bank.network.nodes = {"stranger": Trust.PUBLIC}
    intent = PAY.model_copy(update={"constraints": {"approve_above": "1 credit"}})
    asked: list[str] = []

    def decide(question: Question) -> str:
        asked.append(question.text)
        return "yes"

    assert (await bank.run(intent, ask=decide)).ok
    [text] = asked
    assert "cannot be undone, above the price that you set" in text
    assert "This may send your data to stranger" in text


async def test_agreeing_to_strangers_in_general_leaves_the_step_to_be_asked_for(bank: Desk) -> None:
    bank.network.nodes = {"stranger": Trust.PUBLIC}
    assert (await bank.run(PAY)).status == "needs_input"
    assert (await bank.run(PAY, auto_approve=True)).status == "needs_input"
    assert [(bool(r.steps), r.others) for r in requests(bank)] == [(True, ("stranger",)), (True, ())]
    assert called(bank) == []


async def test_an_agreement_outlives_the_process_and_holds_for_what_is_unchanged(bank: Desk) -> None:
    bank.network.functions = {**bank.network.functions, "pay_invoice": break_vase}
    bank.network.down = {"n"}
    failed = await bank.run(PAY, ask=lambda _: "yes")
    assert failed.status == "failed"
    bank.network.down = set()
    bank.network.functions = {**bank.network.functions, "pay_invoice": pay_invoice}
    resumed = await bank.run(PAY)
    assert len(requests(bank)) == 1
    assert resumed.ok or "must not run twice" in str(resumed.problem)


async def test_what_is_dearer_than_agreed_to_is_asked_for_again(bank: Desk) -> None:
    await bank.run(PAY)
    name = CapabilityName("pay_invoice")
    bank.network.offered[name] = bank.network.offered[name].model_copy(update={"price": 9})
    again = await bank.run(PAY, answers={APPROVAL: "yes"})
    assert (again.status, called(bank)) == ("needs_input", [])
    assert [s.price for r in requests(bank) for s in r.steps] == [3, 9]
    assert (await bank.run(PAY, answers={APPROVAL: "yes"})).ok


async def test_what_is_cheaper_than_agreed_to_is_not_asked_for_again(bank: Desk) -> None:
    await bank.run(PAY)
    name = CapabilityName("pay_invoice")
    bank.network.offered[name] = bank.network.offered[name].model_copy(update={"price": 2})
    assert (await bank.run(PAY, answers={APPROVAL: "yes"})).ok


async def test_another_amount_is_asked_for_again(bank: Desk) -> None:
    await bank.run(PAY)
    again = await bank.run(PAY, answers={APPROVAL: "yes", "amount": 500})
    assert (again.status, called(bank)) == ("needs_input", [])
    assert "amount = 500" in requests(bank)[-1].question.text


async def test_a_kill_between_the_answer_and_the_checkpoint_loses_no_answer(bank: Desk) -> None:
    class Killed(BaseException):
        """The process ends here."""

    def die(event: object) -> None:
        if isinstance(event, ApprovalAnswered):
            raise Killed

    bank.on_event = die
    with pytest.raises(Killed):
        await bank.run(PAY, ask=lambda _: "yes")
    bank.on_event = lambda event: None
    result = await bank.run(PAY)
    assert result.ok, result.problem
    assert len(requests(bank)) == 1


async def test_a_kill_between_the_question_and_the_checkpoint_asks_again(bank: Desk) -> None:
    class Killed(BaseException):
        """The process ends here."""

    def die(event: object) -> None:
        if isinstance(event, ApprovalRequested):
            raise Killed

    bank.on_event = die
    with pytest.raises(Killed):
        await bank.run(PAY, ask=lambda _: "yes")
    bank.on_event = lambda event: None
    assert (await bank.run(PAY)).status == "needs_input"
    assert (await bank.run(PAY, answers={APPROVAL: "yes"})).ok
    assert called(bank) == ["pay_invoice"]


async def test_a_function_that_asks_under_that_name_gets_no_agreement(bank: Desk) -> None:
    from easynet.core.errors import InputNeeded

    @contribute(en="Whistle a merry tune.", price=1)
    def whistle(approve: str | None = None) -> str:
        if approve is None:
            raise InputNeeded("approve", "May I pay?", ["yes", "no"])
        return approve

    offering(bank, whistle)
    result = await bank.run(Intent.from_text("whistle a merry tune"), ask=lambda _: "yes")
    assert result.output == "yes"
    assert answers(bank) == []


# ── in the middle of a run ──────────────────────────────────────────────────────────────────────


@contribute(en="Fell a tree for tea leaves.", price=4, irreversible=True)
def fell_tree() -> Leaves:
    return {"felled": True}  # type: ignore[return-value]  # on the wire, values are plain


@contribute(en="Buy tea leaves at the market.", price=4)
def buy_leaves() -> Leaves:
    return {"bought": True}  # type: ignore[return-value]  # likewise


@pytest.mark.parametrize(("answer", "status"), [("yes", "succeeded"), (None, "needs_input")])
async def test_a_new_plan_with_such_a_step_asks_before_it_goes_on(
    desk: Desk, answer: str | None, status: str
) -> None:
    offering(desk, fell_tree)
    name = CapabilityName("pick_leaves")
    desk.network.offered[name] = desk.network.offered[name].model_copy(update={"idempotent": False})
    desk.network.fail("n", NodeUnreachable("away"))
    desk.network.functions = {**desk.network.functions, "pick_leaves": break_vase}
    desk.network.away = set()
    planner = ScriptedPlanner(otherwise=plan_of("fell_tree"))
    planner.script = (plan_of("pick_leaves"),)
    desk.network.offered[name] = desk.network.offered[name].model_copy(update={"idempotent": True})
    desk.plan_with(planner)
    result = await desk.run(TEA, auto_approve=True, ask=lambda _: answer)
    assert result.status == status, result.problem
    assert [s.capability for r in requests(desk) for s in r.steps] == ["fell_tree"]
    assert ("fell_tree" in called(desk)) == (answer == "yes")


def plan_of(leaves: str) -> PlanResult:
    pick = Subtask(id=SubtaskId(leaves), capability=CapabilityName(leaves))
    brew = Subtask(
        id=SubtaskId("brew_tea"),
        capability=CapabilityName("brew_tea"),
        arguments={"leaves": FromSubtask(subtask=pick.id)},
    )
    graph = TaskGraph(subtasks=(pick, brew), outputs=(brew.id,))
    return PlanResult(status="planned", planner="scripted", graph=graph)


async def test_what_was_agreed_to_and_is_unchanged_by_a_new_plan_is_not_asked_for_again(desk: Desk) -> None:
    """Two independent parts: the one that was agreed to is not what failed."""
    offering(desk, pay_invoice, buy_leaves)
    desk.network.functions = {**desk.network.functions, "pick_leaves": break_vase}
    pay = Subtask(
        id=SubtaskId("pay"), capability=CapabilityName("pay_invoice"), arguments={"amount": Given(value=5)}
    )
    tea = plan_of("pick_leaves").graph
    assert tea is not None
    graph = TaskGraph(subtasks=(*tea.subtasks, pay), outputs=(*tea.outputs, pay.id))
    desk.plan_with(ScriptedPlanner(PlanResult(status="planned", planner="scripted", graph=graph)))
    result = await desk.run(TEA, ask=lambda _: "yes")
    assert result.ok, result.problem
    assert "replanned" in [e.kind for e in desk.events]
    assert [s.capability for r in requests(desk) for s in r.steps] == ["pay_invoice"]
    assert called(desk).count("pay_invoice") == 1


async def test_a_dearer_node_is_not_turned_to_in_place_of_one_that_was_agreed_to(desk: Desk) -> None:
    """Two nodes can brew; only the cheap one is below the price at which a person is asked."""
    asked: list[str] = []
    prices = {"cheap": 2, "dear": 50}

    async def find(capability: CapabilityName) -> list[Offer]:
        return [
            Offer(node=NodeId(n), capability=capability, price=p, expected_s=float(p), trust=Trust.OWN)
            for n, p in prices.items()
        ]

    desk.network.find = find  # type: ignore[method-assign]  # prices by node
    desk.network.down = {"cheap"}
    result = await desk.run(DEAR_TEA, ask=lambda q: asked.append(q.text))
    assert {c.node for c in desk.network.calls} == {"cheap"}
    assert result.status in ("failed", "needs_input"), result.problem


async def test_a_step_that_needs_agreement_does_not_begin_before_the_plan_is_complete(tmp_path: Path) -> None:
    async with Orchestrator(tmp_path / "checkpoints.db") as orchestrator:
        planner = ScriptedPlanner()
        desk = offering(Desk(tmp_path / "runs", orchestrator, planner), pay_invoice)
        brew = plan_of("pick_leaves")
        assert brew.graph is not None
        pick = brew.graph.subtasks[0]
        seen: list[list[str]] = []

        async def look() -> None:
            await turns()
            seen.append(called(desk))

        planner.script = (pick, look, brew)
        intent = TEA.model_copy(update={"constraints": {"approve_above": "1 credit"}})
        result = await desk.run(intent)
        assert (result.status, seen) == ("needs_input", [[]])


async def test_whoever_forgets_to_ask_does_not_get_to_the_nodes(
    bank: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from easynet.agents import run_steps

    monkeypatch.setattr(run_steps, "needed", lambda *_: ())
    result = await bank.run(PAY)
    assert (result.status, called(bank)) == ("failed", [])
    assert result.problem is not None
    assert result.problem.code == NotApproved.code


# ── which steps, as a pure function ─────────────────────────────────────────────────────────────

STEP = SubtaskId("a")
OTHER = SubtaskId("b")


def memory(*, irreversible: bool, above: int | None, price: int) -> tuple[RunMemory, TaskGraph, Schedule]:
    name = CapabilityName("work")
    capability = Capability(name=name, description={"en": "Work"}, irreversible=irreversible)
    found = RunMemory(
        parsed=ParsedIntent(text="x", language="en", requirements=Requirements(approve_above=above)),
        offers={name: (Offer(node=NodeId("n"), capability=name, price=price, expected_s=1.0),)},
        catalogue={name: capability},
    )
    graph = TaskGraph(subtasks=(Subtask(id=STEP, capability=name),))
    assignment = Assignment(subtask=STEP, node=NodeId("n"), price=price, starts_s=0.0, ends_s=1.0)
    return found, graph, Schedule(assignments=(assignment,))


@given(st.booleans(), st.none() | st.integers(0, 9), st.integers(0, 9), st.none() | st.integers(0, 9))
def test_a_step_passes_only_where_nobody_needs_to_be_asked_or_somebody_agreed(
    irreversible: bool, above: int | None, price: int, agreed: int | None
) -> None:
    found, graph, scheduled = memory(irreversible=irreversible, above=above, price=price)
    if agreed is not None:
        found.approved[digests(graph, {})[STEP]] = agreed
    is_agreed = agreed is not None and price <= agreed
    needs = irreversible or (above is not None and price > above)
    asked = needed(found, graph, scheduled)
    assert bool(asked) == (needs and not is_agreed)
    limit = capability_limits(found, graph, found.catalogue).get(CapabilityName("work"))
    assert (limit is not None and price > limit) == bool(asked)
    found.done.add(STEP)
    assert price_limits(found, graph, found.catalogue) == {}


def test_an_agreement_is_used_up_once_the_step_is_done() -> None:
    found, graph, scheduled = memory(irreversible=True, above=None, price=3)
    asked = needed(found, graph, scheduled)
    at = {"run_id": "r", "at": 0.0}
    found.apply(ApprovalAnswered(**at, seq=0, agreed=True, steps=asked))
    assert needed(found, graph, scheduled) == ()
    found.apply(SubtaskFinished(**at, seq=1, subtask=STEP, node=NodeId("n"), attempt=1, duration_s=1.0))
    found.done.clear()  # its result was withdrawn
    [again] = needed(found, graph, scheduled)
    assert again.why == ("irreversible", "again")


def test_nothing_is_limited_where_nothing_needs_agreement() -> None:
    found, graph, _ = memory(irreversible=False, above=None, price=10**9)
    assert price_limits(found, graph, found.catalogue) == {}


def test_steps_of_one_function_run_no_dearer_than_the_least_of_them_may() -> None:
    found, graph, _ = memory(irreversible=True, above=None, price=1)
    graph = TaskGraph(subtasks=(*graph.subtasks, Subtask(id=OTHER, capability=CapabilityName("work"))))
    found.approved[digests(graph, {})[STEP]] = 5
    assert price_limits(found, graph, found.catalogue) == {STEP: 5, OTHER: NEVER}
    assert capability_limits(found, graph, found.catalogue) == {"work": NEVER}


def chain(first: object, second: str = "pay") -> TaskGraph:
    one = Subtask(id=STEP, capability=CapabilityName("read"), arguments={"x": Given(value=str(first))})
    reads = {"y": FromSubtask(subtask=STEP), "z": FromInput(name="z", optional=True)}
    two = Subtask(id=OTHER, capability=CapabilityName(second), arguments=dict(reads))
    return TaskGraph(subtasks=(one, two))


def test_an_agreement_is_to_the_values_and_to_what_they_come_from() -> None:
    base = digests(chain(1), {"z": 1})[OTHER]
    assert digests(chain(1), {"z": 1, "unread": 2})[OTHER] == base
    others = [
        digests(chain(2), {"z": 1})[OTHER],
        digests(chain(1), {"z": 2})[OTHER],
        digests(chain(1), {})[OTHER],
        digests(chain(1, "pay_twice"), {"z": 1})[OTHER],
        digests(chain(1), {"z": 1})[STEP],
    ]
    assert base not in others
    assert len({*others}) == len(others)
