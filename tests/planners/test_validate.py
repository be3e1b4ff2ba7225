"""One validator for all plans: sound ones pass, each kind of mistake is named."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.intent import Privacy, Requirements
from easynet.core.offer import Offer, Trust
from easynet.core.task_graph import Binding, FromInput, FromSubtask, Gathered, Given, Subtask, TaskGraph
from easynet.planners.validate import validate

Make = Callable[..., Capability]


def of(subtask: str, *path: str) -> FromSubtask:
    return FromSubtask(subtask=SubtaskId(subtask), path=path)


def task(id_: str, capability: str, **arguments: Binding) -> Subtask:
    return Subtask(id=SubtaskId(id_), capability=CapabilityName(capability), arguments=arguments)


def graph(*subtasks: Subtask, outputs: tuple[str, ...] = ()) -> TaskGraph:
    return TaskGraph(subtasks=subtasks, outputs=tuple(SubtaskId(o) for o in outputs))


LOAD = task("load", "load_table", data=FromInput(name="data"))
CLEAN = task("clean", "clean_table", table=of("load", "table"))
SPLIT = task("split", "split_rows", table=of("clean"))
TREE = task("tree", "train_tree", train=of("split", "train"))
CHOOSE = task(
    "choose", "choose_classifier", candidates=Gathered(items=(of("tree"),)), test=of("split", "test")
)
SOUND = graph(LOAD, CLEAN, SPLIT, TREE, CHOOSE, outputs=("choose",))


def test_a_sound_plan_has_no_problems(small: tuple[Capability, ...]) -> None:
    assert validate(SOUND, small, inputs={"data"}) == ()


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (graph(), "the plan has no subtasks"),
        (graph(task("a", "sing")), "a: no node offers 'sing'"),
        (graph(LOAD, LOAD), "load: two subtasks have this id"),
        (graph(task("a", "add", a=Given(value=1))), "a: add needs 'b'; it takes add(a: int, b: int) -> int"),
        (
            graph(task("a", "add", a=Given(value=1), b=Given(value=2), c=Given(value=3))),
            "a: add has no argument 'c'; it takes add(a: int, b: int) -> int",
        ),
        (graph(task("a", "add", a=Given(value=1), b=Given(value="2"))), "a: 'b' must be int, not str"),
        (graph(task("a", "add", a=Given(value=1), b=Given(value=True))), "a: 'b' must be int, not bool"),
        (graph(task("a", "add", a=Given(value=1), b=Given(value=None))), "a: 'b' must be int, not none"),
        (graph(task("a", "add", a=Given(value=1), b=Given(value=[2]))), "a: 'b' must be int, not list"),
        (
            graph(task("a", "clean_table", table=Given(value={"x": 1}))),
            "a: 'table' must be RawTable, not dict",
        ),
        (
            graph(task("a", "clean_table", table=of("nobody"))),
            "a: 'table' reads 'nobody', which is not in the plan",
        ),
        (graph(LOAD, outputs=("nobody",)), "the output 'nobody' is not in the plan"),
        (
            graph(LOAD, task("clean", "clean_table", table=of("load"))),
            "clean: 'table' takes RawTable, but load is Loaded",
        ),
        (
            graph(LOAD, task("clean", "clean_table", table=of("load", "source"))),
            "clean: 'table' takes RawTable, but load.source is DataSource",
        ),
        (
            graph(LOAD, task("clean", "clean_table", table=of("load", "tabel"))),
            "clean: 'table' reads 'tabel' of load, which is Loaded and has no such part",
        ),
        (
            graph(LOAD, task("clean", "clean_table", table=of("load", "table", "rows"))),
            "clean: 'table' reads 'rows' of load.table, which is RawTable and has no such part",
        ),
        (
            graph(LOAD, task("clean", "clean_table", table=Gathered(items=(of("load", "table"),)))),
            "clean: 'table' takes one RawTable, not a list of results",
        ),
        (
            graph(*SOUND.subtasks[:4], CHOOSE.model_copy(update={"arguments": {
                "candidates": Gathered(items=(of("tree"), of("split"))), "test": of("split", "test")}})),
            "choose: 'candidates' takes Classifier, but split is Split",
        ),
        (
            graph(*SOUND.subtasks[:4], CHOOSE.model_copy(update={"arguments": {
                "candidates": Gathered(items=()), "test": of("split", "test")}})),
            "choose: 'candidates' gathers nothing",
        ),
        (
            graph(*SOUND.subtasks[:4], CHOOSE.model_copy(update={"arguments": {
                "candidates": of("tree"), "test": of("split", "test")}})),
            "choose: 'candidates' takes list[Classifier], but tree is Classifier",
        ),
        (
            graph(task("a", "echo", text=of("b")), task("b", "echo", text=of("a"))),
            "a: waits for itself, by way of a -> b -> a",
        ),
        (graph(task("a", "add", a=of("a"), b=Given(value=1))), "a: waits for itself, by way of a -> a"),
        (
            graph(task("load", "load_table", data=FromInput(name="dta"))),
            "load: 'data' needs the input 'dta', which was not given",
        ),
        (
            graph(task("load", "load_table", data=FromInput(name="data", optional=True))),
            "load: 'data' is required, but the input 'data' is marked optional",
        ),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_subtask(
    small: tuple[Capability, ...], plan: TaskGraph, problem: str
) -> None:
    assert problem in validate(plan, small, inputs={"data"})


def test_the_language_is_always_there(small: tuple[Capability, ...]) -> None:
    plan = graph(task("load", "load_table", data=FromInput(name="data"), language=FromInput(name="language")))
    assert validate(plan, small, inputs={"data"}) == ()


def test_an_optional_input_may_be_absent(small: tuple[Capability, ...]) -> None:
    target = FromInput(name="target", optional=True)
    plan = graph(LOAD, CLEAN, task("split", "split_rows", table=of("clean"), target=target))
    assert validate(plan, small, inputs={"data"}) == ()


def test_an_integer_serves_as_a_float(make: Make) -> None:
    catalogue = (make("half(x: float) -> float", "Half."), make("one() -> int", "One."))
    plan = graph(task("a", "half", x=Given(value=2)), task("one", "one"), task("b", "half", x=of("one")))
    assert validate(plan, catalogue) == ()


def test_anything_fits_where_the_type_is_not_stated(make: Make) -> None:
    catalogue = (make("f(x: any) -> any", "F."), make("g(x: Stone) -> Gem", "G."))
    plan = graph(task("a", "f", x=Given(value=None)), task("b", "g", x=of("a")), task("c", "f", x=of("b")))
    assert validate(plan, catalogue) == ()


def test_parts_of_an_open_record_are_not_checked(make: Make) -> None:
    catalogue = (make("f() -> dict", "F."), make("g(x: Stone) -> Gem", "G."))
    assert validate(graph(task("a", "f"), task("b", "g", x=of("a", "stone"))), catalogue) == ()


def test_arguments_of_any_name_are_taken_where_the_function_takes_them() -> None:
    rest = Parameter(name="rest", type=TypeRef(name="any"), is_variadic=True, is_keyword_only=True)
    free = Capability(name=CapabilityName("f"), description={"en": "F."}, parameters=(rest,))
    assert validate(graph(task("a", "f", x=Given(value=1))), (free,)) == ()


# ── privacy and price ───────────────────────────────────────────────────────────────────────────


def offer(capability: str, price: int, trust: Trust) -> Offer:
    return Offer(
        node=NodeId(trust.value),
        capability=CapabilityName(capability),
        price=price,
        expected_s=1,
        trust=trust,
    )


TWICE = graph(*(task(i, "add", a=Given(value=1), b=Given(value=2)) for i in "xy"))


def test_private_data_goes_to_the_users_own_nodes_only(small: tuple[Capability, ...]) -> None:
    offers = {CapabilityName("add"): [offer("add", 1, Trust.PUBLIC)]}
    high = Requirements(privacy=Privacy.HIGH)
    problems = validate(TWICE, small, offers=offers, requirements=high)
    assert problems[0] == (
        "x: it is given private data, and no node of your own, or that you trust, offers 'add'"
    )
    offers[CapabilityName("add")].append(offer("add", 9, Trust.OWN))
    assert validate(TWICE, small, offers=offers, requirements=high) == ()


def test_the_cheapest_total_must_be_within_the_budget(small: tuple[Capability, ...]) -> None:
    offers = {CapabilityName("add"): [offer("add", 7, Trust.PUBLIC), offer("add", 5, Trust.OWN)]}
    assert validate(TWICE, small, offers=offers, requirements=Requirements(budget=10)) == ()
    assert validate(TWICE, small, offers=offers, requirements=Requirements(budget=9)) == (
        "the plan costs at least 10 credits ($0.10), more than the budget of 9 credits ($0.09)",
    )


def test_privacy_limits_which_prices_count(small: tuple[Capability, ...]) -> None:
    offers = {CapabilityName("add"): [offer("add", 1, Trust.PUBLIC), offer("add", 50, Trust.OWN)]}
    strict = Requirements(budget=10, privacy=Privacy.HIGH)
    assert "costs at least 100 credits" in validate(TWICE, small, offers=offers, requirements=strict)[0]


def test_a_capability_without_an_offer_is_named(small: tuple[Capability, ...]) -> None:
    problems = validate(TWICE, small, offers={}, requirements=Requirements())
    assert problems == ("x: no node offers 'add' now", "y: no node offers 'add' now")


# ── random plans ────────────────────────────────────────────────────────────────────────────────

TYPES = ("Stone", "Gem", "Ring")


@st.composite
def markets(draw: st.DrawFn) -> tuple[Capability, ...]:
    """A catalogue in which every type has a maker that needs nothing named."""

    def parameter(name: str) -> Parameter:
        kind = draw(st.sampled_from((*TYPES, "int", "str")))
        many = kind in TYPES and draw(st.booleans())
        return Parameter(name=name, type=TypeRef(name=kind, many=many), required=draw(st.booleans()))

    def output(i: int) -> TypeRef:
        if draw(st.booleans()):
            return TypeRef(name=draw(st.sampled_from(TYPES)))
        part = TypeRef(name=draw(st.sampled_from(TYPES)))
        return TypeRef(name=f"Record{i}", fields={"part": part})

    makers = [
        Capability(name=CapabilityName(f"make_{t}"), description={"en": t}, output=TypeRef(name=t))
        for t in TYPES
    ]
    others = [
        Capability(
            name=CapabilityName(f"work_{i}"),
            description={"en": "work"},
            parameters=tuple(parameter(f"p{k}") for k in range(draw(st.integers(0, 3)))),
            output=output(i),
        )
        for i in range(draw(st.integers(1, 4)))
    ]
    return (*makers, *others)


def fitting(catalogue: tuple[Capability, ...], done: list[Subtask], kind: str) -> list[FromSubtask]:
    by_name = {c.name: c for c in catalogue}
    found: list[FromSubtask] = []
    for subtask in done:
        output = by_name[subtask.capability].output
        if output.name == kind:
            found.append(of(subtask.id))
        if "part" in output.fields and output.fields["part"].name == kind:
            found.append(of(subtask.id, "part"))
    return found


@st.composite
def plans(draw: st.DrawFn) -> tuple[tuple[Capability, ...], TaskGraph]:
    """A catalogue and a sound plan over it."""
    catalogue = draw(markets())
    done = [task(f"t{i}", c.name) for i, c in enumerate(catalogue[: len(TYPES)])]
    for i in range(draw(st.integers(1, 6))):
        capability = draw(st.sampled_from(catalogue))
        arguments: dict[str, Binding] = {}
        for parameter in capability.parameters:
            if not parameter.required and draw(st.booleans()):
                continue
            kind = parameter.type.name
            if kind in TYPES:
                sources = fitting(catalogue, done, kind)
                picked = draw(st.lists(st.sampled_from(sources), min_size=1, max_size=3))
                arguments[parameter.name] = (
                    Gathered(items=tuple(picked)) if parameter.type.many else picked[0]
                )
            elif draw(st.booleans()):
                arguments[parameter.name] = FromInput(name="given", optional=not parameter.required)
            else:
                arguments[parameter.name] = Given(
                    value=draw(st.integers()) if kind == "int" else draw(st.text())
                )
        done.append(task(f"s{i}", capability.name, **arguments))
    return catalogue, TaskGraph(subtasks=tuple(draw(st.permutations(done))), outputs=(done[-1].id,))


@given(plans())
def test_generated_plans_are_sound_in_whatever_order_they_are_written(
    generated: tuple[tuple[Capability, ...], TaskGraph],
) -> None:
    catalogue, plan = generated
    assert validate(plan, catalogue, inputs={"given"}) == ()


def changed(plan: TaskGraph, index: int, **update: Any) -> TaskGraph:
    subtasks = list(plan.subtasks)
    subtasks[index] = subtasks[index].model_copy(update=update)
    return plan.model_copy(update={"subtasks": tuple(subtasks)})


def rebound(plan: TaskGraph, index: int, name: str, binding: Binding | None) -> TaskGraph:
    arguments = {k: v for k, v in plan.subtasks[index].arguments.items() if k != name}
    return changed(plan, index, arguments=arguments if binding is None else {**arguments, name: binding})


@given(plans(), st.data())
def test_every_mutation_of_a_sound_plan_is_caught(
    generated: tuple[tuple[Capability, ...], TaskGraph], data: st.DataObject
) -> None:
    catalogue, plan = generated
    by_name = {c.name: c for c in catalogue}
    index = data.draw(st.integers(0, len(plan.subtasks) - 1))
    subtask = plan.subtasks[index]
    capability = by_name[subtask.capability]
    mutants = {
        "unknown capability": changed(plan, index, capability=CapabilityName("sing")),
        "duplicate id": plan.model_copy(update={"subtasks": (*plan.subtasks, subtask)}),
        "unknown argument": rebound(plan, index, "nonsense", Given(value=1)),
        "unknown output": plan.model_copy(update={"outputs": (SubtaskId("nobody"),)}),
        "no subtasks": TaskGraph(subtasks=()),
    }
    for parameter in capability.parameters:
        name, kind = parameter.name, parameter.type.name
        if parameter.required:
            mutants[f"missing {name}"] = rebound(plan, index, name, None)
            mutants[f"absent input for {name}"] = rebound(plan, index, name, FromInput(name="absent"))
        wrong = 1.5 if kind == "int" else 7
        mutants[f"wrong literal for {name}"] = rebound(plan, index, name, Given(value=wrong))
        mutants[f"nobody for {name}"] = rebound(plan, index, name, of("nobody"))
        mutants[f"itself for {name}"] = rebound(plan, index, name, of(subtask.id))
        maker = f"t{(TYPES.index(kind) + 1) % 3}" if kind in TYPES else "t0"
        mutants[f"wrong type for {name}"] = rebound(plan, index, name, of(maker))
        mutants[f"bad path for {name}"] = rebound(plan, index, name, of("t0", "nonsense"))
        mutants[f"bad list for {name}"] = rebound(plan, index, name, Gathered(items=(of(maker),)))
    for mutation, mutant in mutants.items():
        assert validate(mutant, catalogue, inputs={"given"}), mutation


def test_a_plan_of_thousands_of_subtasks_is_validated(small: tuple[Capability, ...]) -> None:
    first = task("t0", "add", a=Given(value=0), b=Given(value=1))
    rest = [task(f"t{i}", "add", a=of(f"t{i - 1}"), b=of("t0")) for i in range(1, 2_000)]
    plan, began = graph(first, *rest), time.process_time()
    assert validate(plan, small) == ()
    assert time.process_time() - began < 5
