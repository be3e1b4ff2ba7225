"""Plans of the catalogue along the observed tool graph."""

import pytest

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import FromInput, FromSubtask
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.planner import PlanRequest, PlanResult
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


def in_chinese(request: PlanRequest) -> PlanRequest:
    return request.model_copy(update={"parsed": request.parsed.model_copy(update={"language": "zh"})})


async def test_why_is_told_in_chinese_to_those_who_write_chinese() -> None:
    request = asked("search hotels in Rome and reserve a room", links=LINKS)
    found = await CataloguePlanner().plan(in_chinese(request))
    assert found.why == "search_hotel、book_hotel 与请求的用词相符，且曾按此顺序出现"
    weather = tool("read_weather", "Weather report of a city", takes=(CITY,))
    request = asked(
        "weather report please", tools=(weather, TOOLS[5]), links=(("read_weather", "send_mail"),)
    )
    found = await CataloguePlanner().plan(in_chinese(request))
    assert (found.status, found.why) == ("needs_input", "计划需要 'city'")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("asdf qwer zxcv", "没有功能能解释请求中足够多的词"),
        ("cancel a train ticket", "cancel_train 与请求的用词最相符"),
    ],
)
async def test_why_of_the_catalogue_is_in_chinese_too(text: str, why: str) -> None:
    assert (await CataloguePlanner().plan(in_chinese(asked(text)))).why == why


async def test_words_that_no_capability_has_are_unsupported() -> None:
    result = await CataloguePlanner().plan(asked("asdf qwer zxcv", links=LINKS))
    assert result.status == "unsupported"


def plain(name: str, description: str, **takes: str) -> Capability:
    """A function of plain values, of which types say nothing about what follows what."""
    parameters = tuple(Parameter(name=n, type=TypeRef(name=t)) for n, t in takes.items())
    return Capability(
        name=CapabilityName(name),
        description={"en": description},
        parameters=parameters,
        output=TypeRef(name="str"),
    )


PLAIN = (
    *TOOLS,
    plain("read_diary", "Read a page of the ship's diary", page="int"),
    plain("translate_norse", "Translate old Norse words", words="str"),
)


async def test_a_link_leads_into_a_plain_parameter() -> None:
    text = "read the ship's diary page = 4 and translate the old Norse words"
    alone = await CataloguePlanner().plan(asked(text, tools=PLAIN))
    assert alone.status == "needs_input", "nothing says that the words are those of the diary"
    result = await CataloguePlanner().plan(
        asked(text, tools=PLAIN, links=[("read_diary", "translate_norse")])
    )
    assert steps(result) == ["read_diary", "translate_norse"]
    assert result.graph is not None
    assert result.graph.subtasks[1].arguments == {"words": FromSubtask(subtask=SubtaskId("read_diary"))}


async def test_what_the_user_gives_is_read_instead_of_what_a_link_gives() -> None:
    links = [("read_diary", "translate_norse")]
    result = await CataloguePlanner().plan(
        asked("translate these old Norse words", tools=PLAIN, links=links, words="hest")
    )
    assert result.graph is not None
    assert FromInput(name="words") in result.graph.by_id[SubtaskId("translate_norse")].arguments.values()
