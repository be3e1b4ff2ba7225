"""Past runs as examples for a language model."""

from easynet.core.events import IntentParsed, PlanMade, RunFinished
from easynet.core.ids import RunId
from easynet.core.intent import ParsedIntent, Privacy, Requirements
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.model_planner import ModelPlanner
from easynet.planners.past_examples import PastExamples
from easynet.planners.past_run import PastRun
from tests.planners.experience_world import asked, chain, history, past
from tests.planners.model_world import answer, scripted, step

REQUEST = asked("find a train from Bonn to Ulm and book a seat")


def test_examples_are_the_most_alike_each_plan_once() -> None:
    found = PastExamples(MemoryExperience(history())).like(REQUEST, shareable=True)
    assert 1 <= len(found) <= 3
    assert found[0].graph.capabilities == ("search_train", "book_train")
    assert len({e.graph.capabilities for e in found}) == len(found)


def test_nothing_is_an_example_that_is_not_alike() -> None:
    examples = PastExamples(MemoryExperience(history()))
    assert examples.like(asked("paint the fence green"), shareable=True) == []


def test_only_what_went_well_and_still_holds_is_an_example() -> None:
    text = "find a train and book a seat"
    bad = past(1, text, "search_train", "book_train", failed="book_train")
    gone = past(2, text, "search_train", "fly")
    avoided = past(3, text, "search_train", "send_mail")
    examples = PastExamples(MemoryExperience([bad, gone, avoided]))
    request = asked(text, avoid=["send_mail"])
    assert examples.like(request, shareable=True) == []
    assert len(examples.like(asked(text), shareable=True)) == 1


def test_private_words_are_shown_only_to_a_model_on_this_machine() -> None:
    run = past(1, "find a train and book a seat", "search_train", "book_train")
    examples = PastExamples(MemoryExperience([run.model_copy(update={"is_private": True})]))
    assert examples.like(REQUEST, shareable=True) == []
    assert len(examples.like(REQUEST, shareable=False)) == 1


def test_new_runs_are_examples_at_once() -> None:
    store = MemoryExperience()
    examples = PastExamples(store)
    assert examples.like(REQUEST, shareable=True) == []
    store.add(past(1, "find a train and book a seat", "search_train", "book_train"))
    assert len(examples.like(REQUEST, shareable=True)) == 1


async def test_examples_reach_the_model_before_the_request() -> None:
    model = scripted(answer(step("s", "search_train")))
    examples = PastExamples(MemoryExperience(history()))
    found = await ModelPlanner(model, examples=examples).plan(REQUEST)
    assert found.status == "planned"
    text = model.asked[0].prompt.messages[0].text
    assert 0 < text.index('"plan": {"decision": "plan"') < text.index("<request>")


def test_run_under_high_privacy_is_remembered_as_private() -> None:
    for privacy in Privacy:
        parsed = ParsedIntent(text="x", language="en", requirements=Requirements(privacy=privacy))
        at = {"run_id": RunId("r"), "at": 0.0}
        run = PastRun.of(
            [
                IntentParsed(seq=0, parsed=parsed, **at),
                PlanMade(seq=1, graph=chain("book_train"), planner="catalogue", titles={}, **at),
                RunFinished(seq=2, status="succeeded", **at),
            ],
            (),
        )
        assert run is not None
        assert run.is_private == (privacy is Privacy.HIGH)
