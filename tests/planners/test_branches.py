"""Several deeds in one sentence: what they share is done once, and what gathers them waits for all."""

from collections.abc import Awaitable, Callable, Mapping

import pytest

from easynet.core.capability import Capability, Role
from easynet.core.ids import SubtaskId
from easynet.core.task_graph import TaskGraph
from easynet.planners.planner import PlanResult
from easynet.planners.validate import validate

Plan = Callable[..., Awaitable[PlanResult]]
Make = Callable[..., Capability]
Catalogue = tuple[Capability, ...]


@pytest.fixture
def brewery(make: Make) -> Catalogue:
    """One source, three kinds of work that read it or each other, and a book that gathers their pages."""
    return (
        make("open_cellar(cellar: File) -> Barrels", "Open a cellar.", "打开酒窖。"),
        make("filter_beer(barrels: Barrels) -> Beer", "Filter beer.", "过滤啤酒。"),
        make("forecast_thirst(beer: Beer) -> Thirst", "Forecast thirst.", "预测口渴程度。"),
        make("sort_guests(beer: Beer) -> Guests", "Sort guests into tables.", "给客人分桌。"),
        make("seat_thirsty(thirst: Thirst, guests: Guests) -> Seats", "Seat thirsty guests.", "安排座位。"),
        make("page_thirst(thirst: Thirst) -> Page", "Present.", "展示。", role=Role.PRESENT),
        make("page_guests(guests: Guests) -> Page", "Present.", "展示。", role=Role.PRESENT),
        make("bind_book(pages: list[Page]) -> Book", "Bind a book.", "装订成册。", role=Role.PRESENT),
    )


def needs(result: PlanResult) -> Mapping[str, set[str]]:
    graph = graph_of(result)
    return {s.capability: {graph.by_id[SubtaskId(b)].capability for b in s.needs} for s in graph.subtasks}


def graph_of(result: PlanResult) -> TaskGraph:
    assert result.graph is not None, (result.status, result.why)
    return result.graph


@pytest.mark.parametrize(
    "text",
    [
        "filter the beer, then forecast thirst and sort guests, and bind both in a book",
        "first filter beer; after that forecast thirst as well as sort guests; finally bind a book",
        "先过滤啤酒，再分别预测口渴程度和给客人分桌，最后装订成册",
        "先 filter 啤酒，然后 forecast thirst，同时给客人分桌，装订成册",
    ],
)
async def test_deeds_branch_where_they_share_and_join_where_they_are_gathered(
    plan: Plan, brewery: Catalogue, text: str
) -> None:
    result = await plan(brewery, text, cellar="c.txt")
    found = needs(result)
    assert found["forecast_thirst"] == found["sort_guests"] == {"filter_beer"}
    assert found["bind_book"] == {"page_thirst", "page_guests"}
    assert len(found) == len(graph_of(result).subtasks) == 7
    assert validate(graph_of(result), brewery, inputs={"cellar"}) == ()


async def test_a_deed_that_reads_two_others_joins_them(plan: Plan, brewery: Catalogue) -> None:
    found = needs(await plan(brewery, "seat the thirsty guests", cellar="c.txt"))
    assert found["seat_thirsty"] == {"forecast_thirst", "sort_guests"}
    assert found["bind_book"] == {"page_thirst", "page_guests"}


async def test_a_deed_asked_for_twice_is_done_once(plan: Plan, brewery: Catalogue) -> None:
    found = needs(
        await plan(brewery, "forecast thirst, then forecast thirst and sort guests", cellar="c.txt")
    )
    assert [*found].count("forecast_thirst") == 1


@pytest.mark.parametrize("text", ["sort guests and forecast thirst", "给客人分桌，预测口渴程度"])
async def test_the_order_of_the_words_does_not_change_what_reads_what(
    plan: Plan, brewery: Catalogue, text: str
) -> None:
    found = needs(await plan(brewery, text, cellar="c.txt"))
    assert found["forecast_thirst"] == found["sort_guests"] == {"filter_beer"}


async def test_each_deed_that_was_asked_for_is_among_the_results(plan: Plan, make: Make) -> None:
    catalogue = (
        make("count_words(story: File) -> int", "Count words."),
        make("count_vowels(story: File) -> int", "Count vowels."),
    )
    result = await plan(catalogue, "count words and count vowels", story="a.txt")
    assert graph_of(result).outputs == ("count_words", "count_vowels")


@pytest.mark.parametrize(
    "text",
    ["rank orchards and rivers by apples", "按果园和河流给苹果排名", "按果园、河流给苹果排名"],
)
async def test_what_is_joined_inside_one_deed_is_not_torn_apart(plan: Plan, make: Make, text: str) -> None:
    catalogue = (
        make(
            "rank_apples(field: str) -> Ranks",
            "Rank orchards and rivers by apples.",
            "按果园和河流给苹果排名。",
        ),
        make("map_rivers(field: str) -> Map", "Draw a map of rivers.", "绘制河流地图。"),
    )
    assert [*graph_of(await plan(catalogue, text, field="north")).capabilities] == ["rank_apples"]


async def test_one_deed_that_nothing_does_leaves_the_others_and_is_told(
    plan: Plan, brewery: Catalogue
) -> None:
    text = "先过滤啤酒，再订一张去巴黎的机票，最后给客人分桌"
    result = await plan(brewery, text, cellar="c.txt")
    assert "sort_guests" in needs(result)
    assert result.caveats == ("没有功能可以做“订一张去巴黎的机票”，已略过。",)
