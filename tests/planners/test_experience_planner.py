"""Plans as past runs teach them: reused, adapted, composed, and forgotten."""

import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from easynet.core.capability import Parameter, TypeRef
from easynet.core.ids import CapabilityName
from easynet.core.task_graph import FromInput, Given, Subtask, TaskGraph
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_planner import ExperiencePlanner
from easynet.planners.past_run import PastRun
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.planners.planner_chain import PlannerChain
from easynet.planners.validate import validate
from tests.planners.experience_world import CITY, TOOLS, asked, chain, history, past, tool

pytestmark = pytest.mark.slow


def planner(runs: list[PastRun]) -> ExperiencePlanner:
    return ExperiencePlanner(MemoryExperience(runs))


def steps(result: PlanResult) -> list[str]:
    assert result.graph is not None, (result.status, result.why)
    return [s.capability for s in result.graph.subtasks]


# ── reuse ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_similar_request_is_planned_as_the_past_one_was() -> None:
    result = await planner(history()).plan(asked("find a train from Bonn to Ulm and book a seat for me"))
    assert result.planner == "experience"
    assert steps(result) == ["search_train", "book_train"]


async def test_what_else_was_considered_is_told_with_scores_best_first() -> None:
    result = await planner(history()).plan(asked("look for a hotel in Ulm and reserve a room"))
    assert result.score is not None
    scores = [result.score, *(a.score for a in result.alternatives)]
    assert result.alternatives
    assert scores == sorted(scores, reverse=True)


async def test_with_no_past_runs_it_leaves_planning_to_others() -> None:
    result = await planner([]).plan(asked("book a train"))
    assert result.status == "unsupported"
    assert "0 past runs" in result.why


async def test_a_request_unlike_all_past_ones_is_left_to_others() -> None:
    result = await planner(history()).plan(asked("knit wool socks"))
    assert result.status == "unsupported"
    assert result.graph is None


async def test_steps_to_be_avoided_are_in_no_plan() -> None:
    request = asked("reserve a hotel room in Ulm and mail it to my boss", avoid=["send_mail"])
    result = await planner(history()).plan(request)
    plans = [result.graph, *(a.graph for a in result.alternatives)]
    assert all("send_mail" not in g.capabilities for g in plans if g is not None)


async def test_only_plans_beyond_the_budget_are_infeasible() -> None:
    result = await planner(history()).plan(asked("pay my electricity bill for Oslo", budget=0))
    assert result.status == "infeasible"
    assert result.graph is None


async def test_the_eleventh_request_of_a_new_kind_is_planned_by_experience() -> None:
    kind = "find the train to {}, book it and mail the ticket to {}"
    names = ("search_train", "book_train", "send_mail")
    store = MemoryExperience()
    chained = PlannerChain({"experience": ExperiencePlanner(store), "catalogue": CataloguePlanner()})
    request = asked(kind.format("Graz", "Eve"))
    assert (await chained.plan(request)).planner != "experience"
    people = ("Ann", "Bob", "Cid", "Dan", "Eva", "Fay", "Gus", "Hal", "Ida", "Jim")
    for i, who in enumerate(people):
        store.add(past(i, kind.format("Rome" if i % 2 else "Kiel", who), *names))
    result = await chained.plan(request)
    assert result.planner == "experience"
    assert steps(result) == [*names]


async def test_a_function_registered_a_minute_ago_is_planned_from_its_description() -> None:
    new = tool("water_plants", "Water the plants in the garden")
    planners = PlannerChain({"experience": planner(history()), "catalogue": CataloguePlanner()})
    result = await planners.plan(asked("water the plants in my garden", tools=(*TOOLS, new)))
    assert steps(result) == ["water_plants"]


async def test_without_the_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "easynet.planners.experience_fitting", None)
    result = await planner(history()).plan(asked("look for a hotel in Ulm and reserve a room"))
    assert result.status == "unsupported"
    assert "easynet-os[planning]" in result.why


async def test_a_past_run_without_steps_teaches_nothing() -> None:
    empty = past(99, "cancel everything", "cancel_train").model_copy(update={"graph": TaskGraph(subtasks=())})
    result = await planner([*history(), empty]).plan(asked("cancel my train ticket to Essen"))
    assert steps(result) == ["cancel_train"]


# ── arguments ───────────────────────────────────────────────────────────────────────────────────


def weather_runs() -> list[PastRun]:
    return [past(i, f"what is the weather like on day {i}", "read_weather") for i in range(8)]


async def test_an_input_that_the_past_plan_took_is_asked_for_when_it_is_missing() -> None:
    result = await planner(weather_runs()).plan(asked("what is the weather like on day 9"))
    assert result.status == "needs_input"
    assert result.question is not None
    assert result.question.name == "city"


async def test_an_input_that_is_given_goes_where_the_past_plan_took_it() -> None:
    result = await planner(weather_runs()).plan(asked("what is the weather like on day 9", city="Ulm"))
    assert result.graph is not None
    assert result.graph.subtasks[0].arguments["city"] == FromInput(name="city")


async def test_an_input_that_no_past_plan_takes_is_left_to_other_planners() -> None:
    result = await planner(history()).plan(asked("cancel my train ticket to Ulm", reason="ill"))
    assert result.status == "unsupported"


async def test_a_number_from_a_past_sentence_is_not_carried_into_another() -> None:
    count = Parameter(name="seats", type=TypeRef(name="int"), required=False, default=1)
    seats = tool("book_seats", "Book seats in a theatre", takes=(count,))
    graph = chain("book_seats")
    four = graph.subtasks[0].model_copy(update={"arguments": {"seats": Given(value=4)}})
    runs = [
        past(i, f"book seats = 4 in the {place} theatre", "book_seats", tools=(seats,)).model_copy(
            update={"graph": graph.model_copy(update={"subtasks": (four,)})}
        )
        for i, place in enumerate(("old", "new", "big", "small", "red", "blue"))
    ]
    result = await planner(runs).plan(asked("book seats = 2 in the green theatre", tools=(seats,)))
    assert result.graph is not None
    assert result.graph.subtasks[0].arguments["seats"] == Given(value=2)
    result = await planner(runs).plan(asked("book seats in the green theatre", tools=(seats,)))
    assert result.graph is not None
    assert result.graph.subtasks[0].arguments["seats"] == FromInput(name="seats", optional=True)


# ── failures and forgetting ─────────────────────────────────────────────────────────────────────


async def test_nothing_is_planned_from_runs_that_failed() -> None:
    runs = [past(i, f"pay my bill number {i}", "pay_bill", failed="pay_bill") for i in range(12)]
    result = await planner(runs).plan(asked("pay my bill number 7"))
    assert result.status == "unsupported"


async def test_a_plan_that_lately_fails_is_no_longer_used() -> None:
    failures = [
        past(100 + i, f"cancel my train ticket to {c}", "cancel_train", failed="cancel_train")
        for i, c in enumerate(("Ulm", "Bonn", "Jena", "Trier"))
    ]
    request = asked("cancel my train ticket to Essen")
    assert steps(await planner(history()).plan(request)) == ["cancel_train"]
    result = await planner([*history(), *failures]).plan(request)
    assert result.graph is None or "cancel_train" not in result.graph.capabilities


async def test_a_function_that_takes_other_arguments_now_is_no_longer_planned_as_before() -> None:
    changed = tool("cancel_train", "Cancel a train ticket", takes=(CITY,))
    tools = tuple(changed if c.name == "cancel_train" else c for c in TOOLS)
    result = await planner(history()).plan(asked("cancel my train ticket to Essen", tools=tools))
    assert result.graph is None or "cancel_train" not in result.graph.capabilities


async def test_a_function_that_is_gone_is_in_no_plan() -> None:
    tools = tuple(c for c in TOOLS if c.name != "send_mail")
    result = await planner(history()).plan(
        asked("reserve a hotel room in Rome and mail it to my boss", tools=tools)
    )
    assert result.graph is None or "send_mail" not in result.graph.capabilities


async def test_a_request_that_went_well_three_times_needs_no_other_lessons() -> None:
    runs = [past(i, f"cancel my train ticket number {100 + i}", "cancel_train") for i in range(3)]
    request = asked("cancel my train ticket number 777")
    assert steps(await planner(runs).plan(request)) == ["cancel_train"]
    after_failure = [
        *runs,
        past(9, "cancel my train ticket number 555", "cancel_train", failed="cancel_train"),
    ]
    assert (await planner(after_failure).plan(request)).status == "unsupported"


# ── properties ──────────────────────────────────────────────────────────────────────────────────

NAMES = [c.name for c in TOOLS]
TEXTS = st.lists(
    st.sampled_from(
        ["train", "hotel", "book", "mail", "weather", "7", "酒店", "预订", "cancel", "bill", "é"]
    ),
    max_size=6,
).map(" ".join)


@st.composite
def any_run(draw: st.DrawFn) -> PastRun:
    """A run of any plan, sound or not, with any outcome."""
    names = draw(
        st.lists(st.sampled_from([*NAMES, CapabilityName("gone")]), min_size=1, max_size=4, unique=True)
    )
    failed = draw(st.sampled_from(["", "", names[-1]]))
    run = past(draw(st.integers(0, 10**6)), draw(TEXTS), *names, failed=failed)
    if draw(st.integers(0, 4)) == 0:  # reads what is not there
        broken = tuple(
            Subtask(id=s.id, capability=s.capability, arguments={"nonsense": Given(value=1)})
            for s in run.graph.subtasks
        )
        run = run.model_copy(update={"graph": run.graph.model_copy(update={"subtasks": broken})})
    return run


SLOWLY = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.slow
@SLOWLY
@given(st.sampled_from([0, 18]), st.lists(any_run(), max_size=14), TEXTS, st.booleans())
async def test_plans_are_sound_whatever_the_history(
    good: int, runs: list[PastRun], text: str, with_city: bool
) -> None:
    request = asked(text, city="Ulm") if with_city else asked(text)
    result = await planner([*history(good), *runs]).plan(request)
    for graph in (result.graph, *(a.graph for a in result.alternatives)):
        if graph is not None:
            assert validate(graph, request.catalogue, inputs=request.input_names) == ()
    assert (result.graph is not None) is (result.status == "planned")


@SLOWLY
@given(st.lists(any_run(), max_size=14), TEXTS)
async def test_runs_that_all_failed_never_give_a_plan(runs: list[PastRun], text: str) -> None:
    failed = [r.model_copy(update={"outcome": "failed"}) for r in runs]
    assert (await planner(failed).plan(asked(text, city="Ulm"))).graph is None


@pytest.mark.slow
@SLOWLY
@given(st.lists(any_run(), min_size=1, max_size=6), st.sampled_from(history(6)))
async def test_failures_teach_only_what_to_avoid(runs: list[PastRun], like: PastRun) -> None:
    """After failures there is a plan that was worth considering without them, or none."""
    failed = [r.model_copy(update={"outcome": "failed", "at": r.at + 100}) for r in runs]
    request = asked(like.text)
    before = await planner(history(24)).plan(request)
    after = await planner([*history(24), *failed]).plan(request)
    if after.graph is None or before.graph is None:
        assert after.graph is None or before.graph is not None
    elif after.graph != before.graph:
        touched = {n for r in failed for n in r.graph.capabilities}
        assert touched & {*before.graph.capabilities}


async def test_the_same_history_gives_the_same_plans() -> None:
    requests = [asked(f"book a hotel or a train to {c}") for c in ("Ulm", "Bonn", "Jena")]
    first, second = planner(history()), planner(history())
    for request in requests:
        assert await first.plan(request) == await second.plan(request)


async def test_new_runs_are_learned_from_without_a_new_planner() -> None:
    store = MemoryExperience(history(24))
    learner = ExperiencePlanner(store)
    request: PlanRequest = asked("send a mail to Ann about lunch")
    before = await learner.plan(request)
    assert before.graph is None or steps(before) != ["send_mail"]
    for i, who in enumerate(("Ann", "Bob", "Cid", "Dan", "Eva", "Fay")):
        store.add(past(500 + i, f"send a mail to {who} about lunch today", "send_mail"))
    assert steps(await learner.plan(request)) == ["send_mail"]
