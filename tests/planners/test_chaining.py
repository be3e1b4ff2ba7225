"""Chaining at its limits: long, wide and hopeless catalogues."""

import time
from collections.abc import Callable

import pytest

from easynet.core.capability import Capability, Role
from easynet.core.ids import SubtaskId
from easynet.core.task_graph import Gathered
from easynet.planners.chaining import Chain, Gap, Wish

Make = Callable[..., Capability]


def chain(catalogue: list[Capability], *inputs: str, sample_fits: bool = False) -> Chain:
    wish = Wish(
        relevance={}, inputs=frozenset(inputs), sample_fits=lambda _: sample_fits, literals=lambda _: {}
    )
    return Chain(catalogue, wish)


def test_a_long_chain_is_planned(make: Make) -> None:
    links = [make(f"link_{i}(x: T{i}) -> T{i + 1}", "Link.") for i in range(100)]
    catalogue = [make("start(data: File) -> T0", "Start."), *links]
    draft = chain(catalogue, "data").add({}, links[-1])
    assert not isinstance(draft, Gap)
    assert len(draft) == 101


@pytest.mark.parametrize("inputs", [(), ("data",)])
def test_many_alternatives_at_every_link_take_no_longer(make: Make, inputs: tuple[str, ...]) -> None:
    links = [
        make(f"link_{i}_{k}(x: T{i}, y: T{i}) -> T{i + 1}", "Link.") for i in range(30) for k in range(4)
    ]
    catalogue = [make("start(data: File) -> T0", "Start."), *links]
    began = time.process_time()
    grown = chain(catalogue, *inputs).add({}, links[-1])
    assert time.process_time() - began < 5
    assert isinstance(grown, Gap) is not bool(inputs)


def test_a_gap_names_what_the_user_could_give(make: Make) -> None:
    catalogue = [
        make("dream(sleep: Sleep) -> Stone", "Dream."),
        make("dig(spade: str) -> Stone", "Dig."),
        make("cut(stone: Stone) -> Gem", "Cut."),
    ]
    gap = chain(catalogue).add({}, catalogue[-1])
    assert isinstance(gap, Gap)
    assert (gap.capability.name, gap.parameter.name, gap.is_answerable) == ("dig", "spade", True)


def test_a_gap_that_nobody_can_fill_is_told_apart(make: Make) -> None:
    catalogue = [make("cut(stone: Stone) -> Gem", "Cut.")]
    gap = chain(catalogue).add({}, catalogue[0])
    assert isinstance(gap, Gap)
    assert not gap.is_answerable


def test_a_failed_attempt_leaves_the_draft_as_it_was(make: Make) -> None:
    catalogue = [make("dig(spade: str) -> Stone", "Dig."), make("cut(stone: Stone, saw: str) -> Gem", "Cut.")]
    draft = chain(catalogue, "spade").add({}, catalogue[0])
    assert not isinstance(draft, Gap)
    before = dict(draft)
    assert isinstance(chain(catalogue, "spade").add(draft, catalogue[1]), Gap)
    assert draft == before


def test_a_source_that_needs_its_own_reader_is_passed_over(make: Make) -> None:
    catalogue = [
        make("a_mill(flour: Flour) -> Grain", "Mill."),
        make("field(seed: str) -> Grain", "Field."),
        make("grind(grain: Grain) -> Flour", "Grind."),
    ]
    draft = chain(catalogue, "seed").add({}, catalogue[2])
    assert not isinstance(draft, Gap)
    assert [*draft] == ["field", "grind"]


@pytest.mark.parametrize(("fits", "first"), [(True, "demo"), (False, None)])
def test_a_sample_stands_in_only_where_it_fits(make: Make, fits: bool, first: str | None) -> None:
    catalogue = [
        make("demo() -> Stone", "Demo.", role=Role.SAMPLE),
        make("dig(spade: str) -> Stone", "Dig."),
        make("cut(stone: Stone) -> Gem", "Cut."),
    ]
    draft = chain(catalogue, sample_fits=fits).add({}, catalogue[2])
    assert (None if isinstance(draft, Gap) else next(iter(draft))) == first
    with_input = chain(catalogue, "spade", sample_fits=fits).add({}, catalogue[2])
    assert not isinstance(with_input, Gap)
    assert "demo" not in with_input


def test_a_list_that_one_source_gives_whole_is_not_gathered(make: Make) -> None:
    catalogue = [
        make("dig_all(spade: str) -> list[Stone]", "Dig."),
        make("dig_one(spade: str) -> Stone", "Dig."),
        make("sort(stones: list[Stone]) -> Sorted", "Sort."),
    ]
    draft = chain(catalogue, "spade").add({}, catalogue[2])
    assert not isinstance(draft, Gap)
    assert [*draft] == ["dig_all", "sort"]
    assert not isinstance(draft[SubtaskId("sort")].arguments["stones"], Gathered)
