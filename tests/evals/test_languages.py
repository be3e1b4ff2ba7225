"""The suite of languages: that it is whole, and that what it has shown still holds."""

import pytest

from easynet.core.capability import Role
from easynet.core.language import has_han
from easynet.llm.kept_vectors import KeptVectors
from easynet.llm.sentence_encoder import SentenceEncoder
from easynet.planners.catalogue import CataloguePlanner
from evals.languages import Answer, Asked, answered, described, is_found, read


def test_every_right_answer_is_a_capability_and_no_request_is_there_twice() -> None:
    names = {c.name for c in described("both") if c.role is not Role.SAMPLE}
    asked = [q for name in ("requests", "several", "foreign") for q in read(f"{name}.jsonl", "all")]
    assert all(right <= names for q in asked for right in q.right)
    assert len({q.text for q in asked}) == len(asked)
    assert {q.language for q in asked} == {"en", "zh", "mixed"}


def test_requests_are_no_copies_of_what_describes_the_functions() -> None:
    told = {t.lower() for c in described("both") for t in (*c.description.values(), *c.examples, *c.tags)}
    asked = (*read("requests.jsonl", "all"), *read("dev.jsonl", "dev"))
    assert not told & {q.text.lower() for q in asked}


@pytest.mark.parametrize(("kept", "is_chinese"), [("en", False), ("zh", True)])
def test_one_language_can_be_taken_out_of_the_descriptions(kept: str, is_chinese: bool) -> None:
    for c in described(kept):
        texts = (*c.description.values(), *c.tags, *c.examples)
        assert texts
        assert all(has_han(text) is is_chinese for text in texts)


def test_a_request_of_several_deeds_is_found_when_each_is() -> None:
    asked = Asked("x", "en", "tune", (frozenset({"a"}), frozenset({"b", "c"})))
    assert is_found(asked, ["c", "a"])
    assert not is_found(asked, ["c", "b"])


async def _shares(planner: CataloguePlanner, described_in: str) -> tuple[float, float]:
    offered = described(described_in)
    pairs: list[tuple[Asked, Answer]] = [
        (q, await answered(planner, q, offered, with_file=True)) for q in read("requests.jsonl", "all")
    ]
    first = sum(is_found(q, a.ranked[:1]) for q, a in pairs) / len(pairs)
    return first, sum(is_found(q, a.ranked[:3]) for q, a in pairs) / len(pairs)


async def _accepted(planner: CataloguePlanner) -> int:
    offered = described("both")
    asked = read("foreign.jsonl", "all")
    return sum([(await answered(planner, q, offered, with_file=False)).is_accepted for q in asked])


@pytest.mark.slow
async def test_with_meanings_more_is_found_in_every_language_and_no_more_is_taken_on_wrongly() -> None:
    encoder = SentenceEncoder()
    by_words, by_meaning = CataloguePlanner(), CataloguePlanner(encoder, KeptVectors(encoder))
    for described_in, least_1, least_3 in (("both", 0.92, 0.98), ("en", 0.88, 0.97), ("zh", 0.88, 0.97)):
        first, third = await _shares(by_meaning, described_in)
        assert (first >= least_1, third >= least_3) == (True, True), (described_in, first, third)
        assert first > (await _shares(by_words, described_in))[0]
    assert await _accepted(by_meaning) <= await _accepted(by_words)
