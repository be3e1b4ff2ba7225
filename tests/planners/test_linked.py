"""Plans of the catalogue along the observed tool graph."""

from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.planner import PlanResult
from easynet.planners.validate import validate
from tests.planners.experience_world import CITY, TOOLS, asked, tool

LINKS = (("search_hotel", "book_hotel"), ("book_hotel", "send_mail"), ("search_train", "book_train"))


def steps(result: PlanResult) -> list[str]:
    assert result.graph is not None, (result.status, result.why)
    return [s.capability for s in result.graph.subtasks]


async def test_steps_follow_each_other_as_they_were_seen_to() -> None:
    request = asked("search hotels in Rome and reserve a room, then send an email", links=LINKS)
    result = await CataloguePlanner().plan(request)
    assert steps(result) == ["search_hotel", "book_hotel", "send_mail"]
    assert validate(result.graph, TOOLS) == () if result.graph else False
    assert result.alternatives


async def test_what_is_to_be_avoided_is_in_no_plan() -> None:
    request = asked("search hotels in Rome and reserve a room", links=LINKS, avoid=["book_hotel"])
    result = await CataloguePlanner().plan(request)
    assert result.graph is None or "book_hotel" not in result.graph.capabilities


async def test_a_capability_outside_the_observed_graph_is_chained_by_types() -> None:
    result = await CataloguePlanner().plan(asked("cancel a train ticket", links=LINKS))
    assert steps(result) == ["cancel_train"]
    assert result.score is None


async def test_an_argument_that_nobody_gave_is_asked_for() -> None:
    weather = tool("read_weather", "Weather report of a city", takes=(CITY,))
    links = (("read_weather", "send_mail"),)
    request = asked("weather report please", tools=(weather, TOOLS[5]), links=links)
    result = await CataloguePlanner().plan(request)
    assert result.status == "needs_input"
    assert result.question is not None
    assert result.question.name == "city"


async def test_words_that_no_capability_has_are_unsupported() -> None:
    result = await CataloguePlanner().plan(asked("asdf qwer zxcv", links=LINKS))
    assert result.status == "unsupported"
