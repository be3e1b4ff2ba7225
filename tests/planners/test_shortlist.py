"""What a language model is shown of catalogues of any size, and how much that is at most."""

import random
from collections.abc import Sequence

import pytest

from easynet.core.capability import Capability, Parameter, Role, TypeRef
from easynet.core.contribution import contributed
from easynet.core.ids import CapabilityName
from easynet.planners.model_brief import Brief, Example
from easynet.planners.planner import PlanRequest
from easynet.planners.shortlist import MOST, Shortlists
from easynet.specialists import NODES, functions
from tests.patience import Stopwatch
from tests.planners.conftest import capability
from tests.planners.experience_world import TOOLS, chain
from tests.planners.model_world import LINE, planned, wanted

pytestmark = pytest.mark.slow

DEEDS = ("book", "cancel", "search", "read", "pay", "send", "split", "write", "translate", "resize")
THINGS = ("hotel", "flight", "mail", "weather", "bill", "image", "video", "contract", "invoice", "genome")


def crowd(count: int, description: int = 8) -> tuple[Capability, ...]:
    """As many functions with names and descriptions of their own."""
    chance = random.Random(0)
    return tuple(
        capability(
            f"{chance.choice(DEEDS)}_{chance.choice(THINGS)}_{i}(what: str, how?: str) -> Result{i}",
            f"{' '.join(chance.choice(DEEDS + THINGS) for _ in range(description))} number {i}.",
        )
        for i in range(count)
    )


CROWD = crowd(10_000)


def names(found: Sequence[Capability]) -> list[str]:
    return [c.name for c in found]


def test_small_catalogue_is_listed_whole_in_the_same_order_for_every_request() -> None:
    lists = Shortlists()
    first = lists.of(wanted("describe my table", tools=LINE))
    assert first == lists.of(wanted("write a note", tools=[*reversed(LINE)]))
    assert names(first) == sorted(c.name for c in LINE)


def test_what_fits_and_all_that_it_needs_is_found_among_ten_thousand() -> None:
    found = Shortlists().of(wanted("describe my table", tools=[*CROWD, *LINE]))
    assert {"load_table", "clean_table", "describe_table"} <= {*names(found)}
    assert len(found) <= MOST


def test_every_clause_has_its_functions() -> None:
    text = "resize the image, then cancel the flight and translate the contract"
    found = names(Shortlists().of(wanted(text, tools=CROWD)))
    for wished in ("resize_image", "cancel_flight", "translate_contract"):
        assert any(name.startswith(wished) for name in found), wished


def test_what_follows_a_type_is_found() -> None:
    shows = capability("show_it(summary: Summary) -> Section", "Paint bars.", role=Role.PRESENT)
    found = names(Shortlists().of(wanted("describe my table", tools=[*CROWD, *LINE, shows])))
    assert "show_it" in found


def test_neighbours_along_the_observed_graph_are_found() -> None:
    other = capability("zzz(what: str) -> Zzz", "Something else.")
    link = (CapabilityName("describe_table"), CapabilityName("zzz"))
    request = wanted("describe my table", tools=[*CROWD, *LINE, other])
    assert "zzz" not in names(Shortlists().of(request))
    linked = PlanRequest(**{**dict(request), "links": frozenset({link})})
    assert "zzz" in names(Shortlists().of(linked))


def test_functions_of_similar_past_plans_are_found() -> None:
    other = capability("zzz(what: str) -> Zzz", "Something else.")
    request = wanted("describe my table", tools=[*CROWD, *LINE, other])
    assert "zzz" in names(Shortlists().of(request, [CapabilityName("zzz")]))


def test_chinese_words_are_found_by_their_pairs() -> None:
    tool = capability("tides(harbour: str) -> Tides", zh="预测港口的潮汐。")
    assert names(Shortlists().of(wanted("请预测明天的潮汐", tools=[*CROWD, tool]))) == ["tides"]


def test_what_is_to_be_avoided_is_left_out() -> None:
    request = wanted("describe my table", tools=[*CROWD, *LINE], avoid=["describe_table"])
    assert "describe_table" not in names(Shortlists().of(request))
    assert "describe_table" not in names(Shortlists().of(wanted(tools=LINE, avoid=["describe_table"])))


def test_nothing_is_found_where_no_word_is_shared() -> None:
    assert Shortlists().of(wanted("qwertz", tools=CROWD)) == ()


def test_another_catalogue_is_looked_at_anew() -> None:
    lists = Shortlists()
    lists.of(wanted("describe my table", tools=CROWD))
    assert "describe_table" in names(lists.of(wanted("describe my table", tools=[*CROWD, *LINE])))


@pytest.mark.parametrize("description", [8, 900])
async def test_prompt_of_ten_thousand_functions_is_bounded_and_made_at_once(description: int) -> None:
    tools = [*LINE, *(CROWD if description == 8 else crowd(2_000, description))]
    lists = Shortlists()
    request = wanted("describe my table, send the mail and pay the bill", tools=tools)
    lists.of(request)  # the words of a catalogue are learned once
    with Stopwatch() as watch:
        brief = Brief(request, lists.of(request))
        prompt = brief.prompt
    assert watch.seconds < 0.5
    assert len(prompt.messages[0].text) < 50_000
    assert len(brief.functions) > 15


async def test_prompt_is_bounded_whatever_the_catalogue_and_the_request_hold() -> None:
    vast = Capability(
        name=CapabilityName("vast"),
        description={"en": "table " * 1_600},
        parameters=tuple(Parameter(name=f"p{i}" * 9, type=TypeRef(name="str")) for i in range(500)),
        output=TypeRef(name="V", fields={f"f{i}": TypeRef(name="str") for i in range(900)}),
    )
    long_name = capability(f"{'n' * 5_000}(what: str) -> N", "table")
    inputs = {f"input_{i}_{'x' * 60}": "y" for i in range(500)} | {"z" * 9_000: 1, "data": "a.csv"}
    request = wanted("table " * 50_000, tools=[vast, long_name, *LINE], inputs=inputs)
    _, model = await planned("no", "no", "no", request=request)
    for asked in model.asked:
        assert sum(len(m.text) for m in asked.prompt.messages) < 60_000
    assert '"name": "vast"' not in model.asked[0].prompt.messages[0].text
    assert '"name": "load_table"' in model.asked[0].prompt.messages[0].text


def test_built_in_specialists_fit_into_one_prompt() -> None:
    tools = [c for node in NODES for f in functions(node) if (c := contributed(f)) is not None]
    request = wanted("train a medical anomaly detector", tools=[*tools])
    brief = Brief(request, Shortlists().of(request))
    assert len(brief.prompt.messages[0].text) < 30_000
    shown = {*names(brief.functions)}
    assert len(shown) > 20


def test_what_changes_comes_last() -> None:
    lists = Shortlists()
    one, other = (wanted(text, tools=LINE) for text in ("describe my table", "clean my table"))
    texts = [Brief(r, lists.of(r)).prompt.messages[0].text for r in (one, other)]
    assert texts[0].split("<request>")[0] == texts[1].split("<request>")[0]
    assert texts[0].endswith("</request>")


def test_examples_show_plans_of_functions_that_are_shown() -> None:
    good = Example("clean up", chain("search_train", "book_train"))
    request = wanted("book a train", tools=TOOLS, inputs={})
    text = Brief(request, TOOLS, [good]).prompt.messages[0].text
    assert '"request": "clean up"' in text
    assert '"subtask": "search_train"' in text
    assert "clean up" not in Brief(request, TOOLS[2:], [good]).prompt.messages[0].text
    assert Brief(request, TOOLS, [good] * 9).prompt.messages[0].text.count("clean up") == 3
