"""Plans that are repeated without weighing, answers that are not asked for again, and what is left."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from easynet.core.capability import Parameter, Role, TypeRef
from easynet.core.errors import DataDirectoryUnusable
from easynet.core.ids import CapabilityName
from easynet.core.task_graph import Given
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_planner import ExperiencePlanner
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.past_run import PastRun
from easynet.planners.planner import PlanResult
from easynet.planners.planner_chain import PlannerChain
from tests.planners.experience_world import CITY, TOOLS, asked, history, past, tool, with_literals


def planner(runs: list[PastRun]) -> ExperiencePlanner:
    return ExperiencePlanner(MemoryExperience(runs))


def steps(result: PlanResult) -> list[str]:
    assert result.graph is not None, (result.status, result.why)
    return [s.capability for s in result.graph.subtasks]


# ── where the store is a file ───────────────────────────────────────────────────────────────────


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteExperience]:
    opened = SqliteExperience(tmp_path / "experience.db")
    yield opened
    opened.close()


TICKET = "cancel my train ticket number {}"


def tickets(numbers: range, *, failed: str = "") -> list[PastRun]:
    return [past(i, TICKET.format(100 + i), "cancel_train", failed=failed) for i in numbers]


async def test_a_promotion_ends_with_the_first_failure_and_comes_back(store: SqliteExperience) -> None:
    learner = ExperiencePlanner(store)
    request = asked(TICKET.format(777))
    seen: list[str] = []
    failures = [past(3, TICKET.format(1), "cancel_train", failed="cancel_train")]
    for runs in (
        tickets(range(2)),
        tickets(range(2, 3)),
        failures,
        tickets(range(4, 6)),
        tickets(range(6, 7)),
    ):
        for run in runs:
            store.add(run)
        result = await learner.plan(request)
        seen.append(result.status if result.similar_runs == 3 else "")
    assert seen == ["", "planned", "", "", "planned"]


async def test_a_promotion_ends_where_failures_of_the_function_jump_elsewhere(
    store: SqliteExperience,
) -> None:
    for run in tickets(range(3)):
        store.add(run)
    request = asked(TICKET.format(777))
    assert (await ExperiencePlanner(store).plan(request)).status == "planned"
    for i in range(4):
        store.add(past(10 + i, f"give ticket of {i} back", "cancel_train", failed="cancel_train"))
    assert (await ExperiencePlanner(store).plan(request)).status == "unsupported"


async def test_a_promotion_ends_where_the_function_takes_something_else_now(store: SqliteExperience) -> None:
    for run in tickets(range(3)):
        store.add(run)
    changed = tool("cancel_train", "Cancel a train ticket", takes=(CITY,))
    tools = tuple(changed if c.name == "cancel_train" else c for c in TOOLS)
    request = asked(TICKET.format(777), tools=tools, city="Ulm")
    assert (await ExperiencePlanner(store).plan(request)).status == "unsupported"


async def test_what_was_planned_around_counts_as_a_failure(store: SqliteExperience) -> None:
    for run in tickets(range(3)):
        store.add(run)
    around = past(20, "go to Rome", "book_hotel").model_copy(
        update={"avoided": (CapabilityName("cancel_train"),)}
    )
    for i in range(4):
        store.add(around.model_copy(update={"id": f"around-{i}", "at": 20.0 + i}))
    assert (await ExperiencePlanner(store).plan(asked(TICKET.format(777)))).status == "unsupported"


async def test_a_promoted_plan_keeps_to_the_budget(store: SqliteExperience) -> None:
    for i in range(3):
        store.add(past(i, f"pay bill {i}", "pay_bill"))
    assert (await ExperiencePlanner(store).plan(asked("pay bill 9", budget=60))).status == "planned"
    assert (await ExperiencePlanner(store).plan(asked("pay bill 9", budget=10))).status != "planned"


async def test_runs_that_left_something_out_are_not_repeated(store: SqliteExperience) -> None:
    for run in tickets(range(3)):
        store.add(run.model_copy(update={"caveats": ("Nothing here does that.",)}))
    assert (await ExperiencePlanner(store).plan(asked(TICKET.format(777)))).status == "unsupported"


async def test_a_store_that_cannot_be_read_is_passed_over() -> None:
    class Gone(MemoryExperience):
        def latest(self, kind: object, most: int) -> list[PastRun]:
            raise DataDirectoryUnusable("the disk is gone", zh="磁盘不可用")

    planners = PlannerChain({"experience": ExperiencePlanner(Gone()), "catalogue": CataloguePlanner()})
    result = await planners.plan(asked("cancel a train ticket"))
    assert steps(result) == ["cancel_train"]
    assert [p.why for p in result.passed_over] == ["the disk is gone"]


# ── what was answered before ────────────────────────────────────────────────────────────────────


def weather_in(*cities: str) -> list[PastRun]:
    return [
        past(i, f"what is the weather like on day {i}", "read_weather").model_copy(
            update={"inputs": {"city": city}}
        )
        for i, city in enumerate(cities)
    ]


async def test_an_answer_that_was_always_the_same_is_taken_again_and_told() -> None:
    request = asked("what is the weather like on day 9")
    result = await planner(weather_in(*["Ulm"] * 5)).plan(request)
    assert result.status == "planned"
    assert result.found_inputs == result.assumed == {"city": "Ulm"}


@pytest.mark.parametrize(
    "cities", [["Ulm"] * 4, ["Ulm"] * 5 + ["Bonn"], ["Bonn", *["Ulm"] * 4]], ids=["few", "new", "old"]
)
async def test_other_answers_are_asked_for_again(cities: list[str]) -> None:
    result = await planner(weather_in(*cities)).plan(asked("what is the weather like on day 9"))
    assert result.status != "planned"


async def test_answers_of_private_runs_are_never_taken_again() -> None:
    runs = [r.model_copy(update={"is_private": True}) for r in weather_in(*["Ulm"] * 5)]
    result = await planner(runs).plan(asked("what is the weather like on day 9"))
    assert (result.found_inputs, result.assumed) == ({}, {})


async def test_what_the_user_says_comes_before_what_was_said_before() -> None:
    request = asked("what is the weather like on day 9", city="Bonn")
    result = await planner(weather_in(*["Ulm"] * 5)).plan(request)
    assert result.assumed == {}


# ── what was written into plans before ──────────────────────────────────────────────────────────


def argument(name: str, kind: str, *, many: bool = False, required: bool = True) -> Parameter:
    return Parameter(name=name, type=TypeRef(name=kind, many=many), required=required)


TRANSFER = tool("transfer", "Send money", takes=(argument("amount", "float"), argument("to", "str")))
INVITE = tool("invite", "Invite people", takes=(argument("guests", "str", many=True),))
FREE = tool("free", "Send money", takes=(argument("amount", "float", required=False),))
SEND = tool("send", "Send it", takes=(argument("folder", "str"), argument("signed", "bool")))
BANK = (TRANSFER, INVITE, FREE, SEND)


def written(name: str, *told: tuple[str, Mapping[str, JsonValue]]) -> list[PastRun]:
    return [with_literals(past(i, text, name, tools=BANK), **{name: v}) for i, (text, v) in enumerate(told)]


LANDLORD: Mapping[str, JsonValue] = {"amount": 1500, "to": "DE12 Landlord"}


@pytest.mark.parametrize("times", [3, 12])
@pytest.mark.parametrize(
    ("name", "then", "values", "now"),
    [
        (
            "transfer",
            "transfer 1,500 dollars to the landlord",
            LANDLORD,
            "transfer 2,300 dollars to the landlord",
        ),
        (
            "transfer",
            "transfer a thousand dollars from my bank to the landlord of my flat",
            {"amount": 1000, "to": "me"},
            "transfer two hundred dollars from my bank to the landlord of my flat",
        ),
        ("transfer", "send fifteen hundred", {"amount": "1500", "to": "x"}, "send fifteen hundred"),
        (
            "invite",
            "invite Alice and Bob to my birthday party in the garden",
            {"guests": ["Alice", "Bob"]},
            "invite Carol and Dave to my birthday party in the garden",
        ),
        ("free", "send a thousand dollars", {"amount": 1000}, "send two hundred dollars"),
        ("free", "send 1,500 dollars today", {"amount": 1500}, "send 2,300 dollars today"),
        ("send", "put it away", {"folder": "taxes", "signed": True}, "put it away"),
    ],
)
async def test_what_was_written_for_another_request_is_never_taken(
    times: int, name: str, then: str, values: Mapping[str, JsonValue], now: str
) -> None:
    result = await planner(written(name, *[(then, values)] * times)).plan(asked(now, tools=BANK))
    said = (
        [b.value for s in result.graph.subtasks for b in s.arguments.values() if isinstance(b, Given)]
        if (result.graph)
        else []
    )
    assert not [v for v in values.values() if v in said]
    assert result.assumed == {}
    assert name == "free" or result.status != "planned"


async def test_an_amount_that_the_words_do_not_give_is_asked_for() -> None:
    runs = written("transfer", *[("transfer 1,500 dollars to the landlord", LANDLORD)] * 12)
    result = await planner(runs).plan(asked("transfer 2,300 dollars to the landlord", tools=BANK))
    assert result.question is not None
    assert result.question.name == "amount"


async def test_what_was_written_into_the_plans_of_private_runs_is_never_taken() -> None:
    values: Mapping[str, JsonValue] = {"folder": "taxes", "signed": True}
    runs = written("send", *[(f"put number {i} away", values) for i in range(3)])
    private = [r.model_copy(update={"is_private": True}) for r in runs]
    result = await planner(private).plan(asked("put number 9 away", tools=BANK))
    assert result.assumed == {}


async def test_words_and_yes_or_no_that_are_always_the_same_are_taken_and_told() -> None:
    values: Mapping[str, JsonValue] = {"folder": "taxes", "signed": True}
    runs = written("send", *[(f"put number {i} away", values) for i in range(3)])
    result = await planner(runs).plan(asked("put number 9 away", tools=BANK))
    assert result.status == "planned"
    assert result.assumed == values
    again = await planner(runs).plan(asked("put number 9 away", tools=BANK, folder="letters"))
    assert again.assumed == {"signed": True}


async def test_one_other_value_ends_what_was_always_the_same() -> None:
    folders = ("letters", "taxes", "taxes")
    runs = [
        written("send", (f"put number {i} away", {"folder": folder, "signed": True}))[0].model_copy(
            update={"id": f"run-{i}", "at": float(i)}
        )
        for i, folder in enumerate(folders)
    ]
    result = await planner(runs).plan(asked("put number 9 away", tools=BANK))
    assert result.status != "planned"


# ── where descriptions say as much ──────────────────────────────────────────────────────────────


async def test_where_descriptions_lead_to_the_same_plans_they_are_left_to_it() -> None:
    known = [run.model_copy(update={"by_words": True}) for run in history()]
    result = await planner(known).plan(asked("find a train from Bonn to Ulm and book a seat for me"))
    assert result.status == "unsupported"
    assert "descriptions" in result.why


async def test_a_goal_that_is_named_is_part_of_the_plan() -> None:
    request = asked("find a train from Bonn to Ulm and book a seat for me")
    result = await planner(history()).plan(request.model_copy(update={"goal": "cancel_train"}))
    assert result.graph is None or "cancel_train" in result.graph.capabilities


async def test_no_sample_stands_in_for_data_of_the_users_own() -> None:
    sample = tool("sample_data", "Sample data").model_copy(update={"role": Role.SAMPLE})
    runs = [past(i, f"describe the data set {i}", "sample_data", tools=(sample,)) for i in range(8)]
    tools = (*TOOLS, sample)
    assert (await planner(runs).plan(asked("describe the data set 9", tools=tools))).status == "planned"
    result = await planner(runs).plan(asked("describe the data set in a.csv", tools=tools))
    assert result.status != "planned"


async def test_a_file_that_no_step_reads_is_told() -> None:
    runs = [past(i, "describe the trains in a.csv", "search_train") for i in range(3)]
    result = await planner(runs).plan(asked("describe the trains in a.csv"))
    assert result.caveats == ("No step of this plan reads the file a.csv.",)


async def test_reasons_come_in_the_language_of_the_request() -> None:
    for runs, text in (([], "订一张火车票"), (history(), "织毛袜")):
        result = await planner(runs).plan(asked(text))
        assert result.status == "unsupported"
        assert "历史" in result.why
