"""What a plan is said to cost is the sum of what its steps are said to cost, wherever it is shown."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.agents.report_course import course
from easynet.agents.run_account import RunAccount
from easynet.cli.render import function_details, functions_list, functions_table, offered, run_story
from easynet.cli.render_line import event_line, plan_lines, totals
from easynet.core.capability import Capability
from easynet.core.events import (
    ApprovalAnswered,
    ApprovalRequested,
    IntentParsed,
    ModelAnswered,
    PlanMade,
    Question,
    RunStarted,
    ScheduleMade,
    StepToApprove,
)
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent
from easynet.core.language import Language
from easynet.core.offer import Node
from easynet.core.schedule import Assignment, Schedule
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.testing.example_run import RunScript

PRICES = st.lists(st.integers(0, 10**7), min_size=1, max_size=60)


def plan(script: RunScript, names: Sequence[str], at_s: float, irreversible: tuple[str, ...] = ()) -> None:
    graph = TaskGraph(subtasks=tuple(Subtask(id=SubtaskId(n), capability=CapabilityName(n)) for n in names))
    script.add(PlanMade, at_s, graph=graph, planner="p", titles={}, irreversible=irreversible)


def schedule(script: RunScript, prices: dict[str, int], at_s: float) -> Schedule:
    found = Schedule(
        assignments=tuple(
            Assignment(subtask=SubtaskId(n), node=NodeId("node"), price=p, starts_s=0.0, ends_s=1.0)
            for n, p in prices.items()
        )
    )
    script.add(ScheduleMade, at_s, schedule=found)
    return found


def begun(language: Language = "en") -> RunScript:
    script = RunScript()
    script.add(RunStarted, 0, intent=Intent(description="x"), version="1")
    script.add(IntentParsed, 0, parsed=ParsedIntent(text="x", language=language))
    return script


def credits_in(line: str) -> int:
    """The amount of credits that a line shows; 0 where it shows none."""
    found = re.findall(r"([\d,]+) (?:credits?|积分)", line)
    assert len(found) <= 1, line
    return int(found[0].replace(",", "")) if found else 0


def dollars_in(line: str) -> int:
    """The same in cents, from the dollars beside it."""
    [found] = re.findall(r"\(\$([\d,.]+)\)|（([\d,.]+) 美元）", line)
    return round(float("".join(found).replace(",", "")) * 100)


@given(prices=PRICES, again=PRICES, done=st.integers(0, 60), language=st.sampled_from(["en", "zh"]))
def test_the_total_of_the_preview_is_the_sum_of_its_lines(
    prices: list[int], again: list[int], done: int, language: Language
) -> None:
    """Also once a part is done and the rest was planned and priced anew."""
    script = begun(language)
    first = {f"s{n}": price for n, price in enumerate(prices)}
    plan(script, [*first], 1)
    made = schedule(script, first, 1)
    assert made.price == sum(first.values())
    check(script, made.price)
    finished = [*first][:done]
    for name in finished:
        script.attempt(name, "node", 2, 3, price=first[name])
    rest = {f"r{n}": price for n, price in enumerate(again)}
    plan(script, [*finished, *rest], 4)
    schedule(script, rest, 4)
    check(script, sum(first[n] for n in finished) + sum(rest.values()))


def check(script: RunScript, expected: int) -> None:
    account = RunAccount.of(script.events)
    total, lines = totals(account), plan_lines(account)
    assert credits_in(total) == dollars_in(total) == expected
    assert sum(map(credits_in, lines)) == expected
    story = run_story(script.events)
    assert str(f"{expected:,}") in story


@given(prices=PRICES, model=st.none() | st.integers(0, 10**6))
def test_the_report_pays_what_its_steps_and_its_model_were_paid(prices: list[int], model: int | None) -> None:
    script = begun()
    first = {f"s{n}": price for n, price in enumerate(prices)}
    script.add(ModelAnswered, 1, model="m", purpose="plan", price=model)
    plan(script, [*first], 1)
    schedule(script, first, 1)
    for name, price in first.items():
        script.attempt(name, "node", 2, 3, price=price)
    account = RunAccount.of(script.events)
    assert account.paid == sum(s.paid for s in account.current) + (model or 0)
    page = str(course(account, script.events, "en"))
    assert f"{sum(prices):,} credit" in page
    assert f"{account.paid:,} credit" in page


def test_a_step_that_ran_before_the_plan_was_priced_counts_with_what_it_cost() -> None:
    script = begun()
    plan(script, ["early", "late"], 1)
    script.attempt("early", "node", 1, 2, price=7)
    schedule(script, {"late": 5}, 3)
    check(script, 12)


STEP = StepToApprove(
    subtask=SubtaskId("a"),
    capability=CapabilityName("burn"),
    digest="d",
    price=5,
    nodes=(NodeId("n"),),
    why=("irreversible",),
)


@pytest.mark.parametrize(
    ("language", "mark", "asked", "agreed", "refused", "named"),
    [
        (
            "en",
            "cannot be undone",
            "Approval of burn was asked for",
            "Approved: burn",
            "Not approved: burn",
            "Approved beforehand: burn",
        ),
        ("zh", "不可撤销", "已请求批准 burn", "已批准：burn", "未批准：burn", "已事先批准：burn"),
    ],
)
def test_what_was_agreed_to_is_in_the_preview_the_story_and_the_report(
    language: Language, mark: str, asked: str, agreed: str, refused: str, named: str
) -> None:
    script = begun(language)
    plan(script, ["burn", "read"], 1, irreversible=("burn",))
    schedule(script, {"burn": 5, "read": 1}, 1)
    lines = plan_lines(RunAccount.of(script.events))
    assert [mark in line for line in lines[:2]] == [True, False]
    question = Question(name="approve", text="Burn it?")
    script.add(ApprovalRequested, 2, question=question, price=6, steps=(STEP,))
    waiting = RunAccount.of(script.events)
    assert waiting.approval is not None
    assert "--answer approve=yes" in run_story(script.events)
    for fields, words in (
        ({"agreed": True}, agreed),
        ({"agreed": False}, refused),
        ({"agreed": True, "by": "name"}, named),
    ):
        script.add(ApprovalAnswered, 3, steps=(STEP,), **fields)
        account = RunAccount.of(script.events)
        assert account.question is None
        assert event_line(script.events[-1], account) == words
        assert words in run_story(script.events)
        page = str(course(account, script.events, language))
        assert words in page
        assert mark in page.lower()
        assert asked in page


def test_the_list_of_functions_says_which_cannot_be_undone() -> None:
    burn = Capability(name=CapabilityName("burn"), description={"en": "Burn it."}, irreversible=True)
    read = Capability(name=CapabilityName("read"), description={"en": "Read it."})
    nodes = [Node(name=NodeId("n"), instance="i", capabilities=(burn, read))]
    for shown in (functions_list(nodes, 100), functions_table(nodes)):
        assert shown.count("cannot be undone") == 1
    assert "cannot be undone" in function_details(offered(nodes, "burn"))
    assert "cannot be undone" not in function_details(offered(nodes, "read"))
