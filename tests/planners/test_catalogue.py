"""Plans from words and types alone, on a small made-up catalogue."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from easynet.core.capability import Capability, Role
from easynet.core.contribution import contribute, contributed
from easynet.core.errors import UnknownInput
from easynet.core.ids import SubtaskId
from easynet.core.task_graph import FromInput, FromSubtask, Gathered, Given
from easynet.planners.planner import PlanResult
from easynet.planners.validate import validate

Plan = Callable[..., Awaitable[PlanResult]]
Make = Callable[..., Capability]
Catalogue = tuple[Capability, ...]


def steps(result: PlanResult) -> list[str]:
    assert result.graph is not None, (result.status, result.why)
    return [*result.graph.capabilities]


def argument(result: PlanResult, subtask: str, name: str) -> Any:
    assert result.graph is not None
    return result.graph.by_id[SubtaskId(subtask)].arguments.get(name)


# ── chaining ────────────────────────────────────────────────────────────────────────────────────


async def test_a_goal_is_chained_back_to_the_users_file(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "describe this table", data="a.csv")
    assert steps(result) == ["load_table", "clean_table", "describe_table", "show_summary", "write_report"]
    assert argument(result, "load_table", "data") == FromInput(name="data")
    assert argument(result, "clean_table", "table") == FromSubtask(
        subtask=SubtaskId("load_table"), path=("table",)
    )


async def test_every_plan_passes_the_validator(plan: Plan, small: Catalogue) -> None:
    for text in ("describe this table", "train a classifier", "clean my table", "write a report"):
        result = await plan(small, text, data="a.csv")
        assert result.graph is not None
        assert validate(result.graph, small, inputs={"data"}) == ()


async def test_trainers_are_alternatives_and_the_choice_is_checked_and_shown(
    plan: Plan, small: Catalogue
) -> None:
    result = await plan(small, "train a classifier", data="a.csv")
    assert steps(result) == [
        "load_table",
        "clean_table",
        "split_rows",
        "train_tree",
        "train_forest",
        "choose_classifier",
        "grade_classifier",
        "show_grade",
        "write_report",
    ]
    gathered = argument(result, "choose_classifier", "candidates")
    assert [i.subtask for i in gathered.items] == ["train_tree", "train_forest"]


async def test_an_irrelevant_producer_of_the_same_type_is_not_drawn_in(plan: Plan, small: Catalogue) -> None:
    used = steps(await plan(small, "train a classifier", data="a.csv"))
    assert "shuffle_weights" not in used
    assert "train_spam_filter" not in used


async def test_the_input_decides_between_producers_of_one_type(plan: Plan, small: Catalogue) -> None:
    used = steps(await plan(small, "train a spam filter", mailbox="a.mbox"))
    assert used == ["load_mail", "train_spam_filter"]


async def test_asking_for_one_alternative_by_name_makes_the_choice_the_output(
    plan: Plan, small: Catalogue
) -> None:
    result = await plan(small, "train a random forest", data="a.csv")
    assert result.graph is not None
    assert result.graph.outputs == ("choose_classifier", "write_report")


async def test_a_plain_function_is_planned_alone_and_its_result_is_the_output(
    plan: Plan, small: Catalogue
) -> None:
    result = await plan(small, "add 2 and 3")
    assert result.graph is not None
    assert result.graph.outputs == ("add",)
    assert argument(result, "add", "a") == Given(value=2)
    assert argument(result, "add", "b") == Given(value=3)


async def test_lists_gather_what_follows_later(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "describe this table and train a classifier", data="a.csv")
    sections = argument(result, "write_report", "sections")
    assert isinstance(sections, Gathered)
    assert {i.subtask for i in sections.items} == {"show_summary", "show_grade"}
    assert steps(result)[-1] == "write_report"


async def test_a_list_does_not_gather_what_needs_its_reader(plan: Plan, make: Make) -> None:
    catalogue = (
        make("dig(spade: str) -> Stone", "Dig stones."),
        make("praise(stone: Stone) -> Verse", "Praise.", role=Role.PRESENT),
        make("bind(verses: list[Verse]) -> Book", "Bind.", role=Role.PRESENT),
        make("review(book: Book) -> Verse", "Review.", role=Role.PRESENT),
    )
    result = await plan(catalogue, "dig stones", spade="iron")
    assert steps(result) == ["dig", "praise", "bind", "review"]
    assert [i.subtask for i in argument(result, "bind", "verses").items] == ["praise"]


async def test_a_presenting_step_asked_for_by_name_gets_something_to_present(
    plan: Plan, small: Catalogue
) -> None:
    used = steps(await plan(small, "write a report", data="a.csv"))
    assert used[-1] == "write_report"
    assert len(used) > 2


async def test_a_record_part_with_the_parameters_name_is_preferred(plan: Plan, make: Make) -> None:
    catalogue = (
        make("measure(site: str) -> Levels", "Measure water levels."),
        make("compare_tides(low: Level, high: Level) -> Range", "Compare tides."),
    )
    level = catalogue[1].parameters[0].type
    output = catalogue[0].output.model_copy(update={"fields": {"high": level, "low": level}})
    catalogue = (catalogue[0].model_copy(update={"output": output}), catalogue[1])
    result = await plan(catalogue, "compare tides", site="Kiel")
    assert argument(result, "compare_tides", "low").path == ("low",)
    assert argument(result, "compare_tides", "high").path == ("high",)


async def test_capabilities_that_need_each_other_are_no_plan(plan: Plan, make: Make) -> None:
    catalogue = (
        make("make_egg(hen: Hen) -> Egg", "Lay an egg."),
        make("make_hen(egg: Egg) -> Hen", "Hatch a hen."),
    )
    result = await plan(catalogue, "lay an egg")
    assert result.status == "unsupported"
    assert "make_egg" in result.nearest


async def test_an_optional_argument_is_filled_when_the_plan_has_it_anyway(plan: Plan, make: Make) -> None:
    catalogue = (
        make("read_log(log: File) -> Log", "Read a log."),
        make("count_errors(log: Log) -> Errors", "Count errors in a log."),
        make("rank_hosts(log: Log, errors?: Errors) -> Hosts", "Rank hosts in a log."),
    )
    alone = await plan(catalogue, "rank hosts", log="a.log")
    assert steps(alone) == ["read_log", "rank_hosts"]
    both = await plan(catalogue, "rank hosts and count errors", log="a.log")
    assert argument(both, "rank_hosts", "errors") == FromSubtask(subtask=SubtaskId("count_errors"))


async def test_a_chooser_with_the_type_of_its_candidates_stands_before_their_readers(
    plan: Plan, make: Make
) -> None:
    catalogue = (
        make("bake_rye(flour: str) -> Bread", "Bake rye bread."),
        make("bake_wheat(flour: str) -> Bread", "Bake wheat bread."),
        make("choose_bread(breads: list[Bread]) -> Bread", "Choose the best bread.", role=Role.CHOOSE),
        make("slice_bread(bread: Bread) -> Slices", "Slice bread into slices."),
    )
    result = await plan(catalogue, "slice bread", flour="white")
    assert steps(result) == ["bake_rye", "bake_wheat", "choose_bread", "slice_bread"]
    assert argument(result, "slice_bread", "bread").subtask == "choose_bread"


# ── clauses and goals ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "clean my table, then describe it and add 2 and 3",
        "清洗数据表，然后描述数据表，并把 2 和 3 两个数相加求和",
    ],
)
async def test_each_clause_names_work_of_its_own(plan: Plan, small: Catalogue, text: str) -> None:
    used = steps(await plan(small, text, data="a.csv"))
    assert {"clean_table", "describe_table", "add"} <= {*used}


async def test_a_clause_that_nothing_does_is_left_out_and_said(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "train a classifier and bake sourdough pancakes", data="a.csv")
    assert "train_tree" in steps(result)
    assert result.caveats == ("Nothing here does “bake sourdough pancakes”; it is left out.",)


async def test_a_goal_that_is_the_name_of_a_capability_is_that_capability(
    plan: Plan, small: Catalogue
) -> None:
    result = await plan(small, "please", goal="split_rows", data="a.csv")
    assert result.graph is not None
    assert "split_rows" in result.graph.outputs


async def test_an_unknown_goal_falls_back_to_the_words(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "describe this table", goal="tell_me", data="a.csv")
    assert "describe_table" in steps(result)


# ── questions, samples and inputs ───────────────────────────────────────────────────────────────


async def test_a_missing_file_is_asked_for_in_english(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "describe this table")
    assert result.status == "needs_input"
    assert result.question is not None
    assert result.question.name == "data"
    assert result.question.text == "Which file should I use? Give it with --input data=FILE."


async def test_a_missing_file_is_asked_for_in_chinese(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "描述这张数据表")
    assert result.question is not None
    assert result.question.text == "要使用哪个文件？请用 --input data=文件 指定。"


async def test_a_missing_plain_argument_is_asked_for_by_name_and_type(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "forecast tides")
    assert result.question is not None
    assert result.question.name == "harbour"
    assert "harbour" in result.question.text
    assert "(str)" in result.question.text


@pytest.mark.parametrize("text", ["train a flower classifier", "训练花卉分类模型"])
async def test_a_sample_stands_in_where_its_subject_is_the_goals(
    plan: Plan, small: Catalogue, text: str
) -> None:
    assert steps(await plan(small, text))[0] == "flower_demo_data"


@pytest.mark.parametrize("text", ["train a classifier", "describe this table", "训练分类模型", "描述数据表"])
async def test_a_sample_does_not_stand_in_for_another_subject(
    plan: Plan, small: Catalogue, text: str
) -> None:
    result = await plan(small, text)
    assert result.question is not None
    assert result.question.name == "data"


async def test_a_sample_is_not_used_where_the_user_gave_a_file(plan: Plan, small: Catalogue) -> None:
    used = steps(await plan(small, "train a flower classifier", data="a.csv"))
    assert "load_table" in used
    assert "flower_demo_data" not in used


@pytest.mark.parametrize("text", ["describe my flower data", "描述我的花卉数据"])
async def test_a_sample_does_not_stand_in_for_data_that_the_user_calls_their_own(
    plan: Plan, small: Catalogue, text: str
) -> None:
    assert (await plan(small, text)).status == "needs_input"


async def test_an_unknown_input_is_named_with_those_that_are_taken(plan: Plan, small: Catalogue) -> None:
    with pytest.raises(UnknownInput, match="input 'targte'; it takes data, target, trees") as caught:
        await plan(small, "train a classifier", data="a.csv", targte="kind")
    assert caught.value.hint == "Did you mean 'target'?"


async def test_an_unknown_input_is_named_before_a_missing_one_is_asked_for(
    plan: Plan, small: Catalogue
) -> None:
    with pytest.raises(UnknownInput, match=r"input 'dta'; it takes data$") as caught:
        await plan(small, "describe this table", dta="a.csv")
    assert "'data'" in caught.value.hint


async def test_an_unknown_input_beside_a_sample_names_the_users_own_file(
    plan: Plan, small: Catalogue
) -> None:
    with pytest.raises(UnknownInput, match="data"):
        await plan(small, "train a flower classifier", dat="a.csv")


async def test_the_language_is_always_offered_and_never_unknown(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "describe this table", data="a.csv", language="zh")
    assert argument(result, "clean_table", "language") == FromInput(name="language", optional=True)
    assert (await plan(small, "add 2 and 3", language="zh")).status == "planned"


async def test_an_input_may_be_a_value_of_a_named_type_that_nothing_makes(plan: Plan, make: Make) -> None:
    catalogue = (make("plot_route(start: Place) -> Route", "Plot a route."),)
    result = await plan(catalogue, "plot a route", start={"lat": 1})
    assert argument(result, "plot_route", "start") == FromInput(name="start")


# ── honesty ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "asdf qwer zxcv",
        "今天天气怎么样",
        "book a flight to Paris",
        "write me a poem",
        "给我写一首诗",
        "42",
        "hello",
    ],
)
async def test_what_nothing_does_is_unsupported(plan: Plan, small: Catalogue, text: str) -> None:
    result = await plan(small, text)
    assert (result.status, result.graph, result.question) == ("unsupported", None, None)
    assert result.why


async def test_an_empty_catalogue_supports_nothing(plan: Plan) -> None:
    assert (await plan((), "train a classifier")).status == "unsupported"


async def test_words_that_were_not_understood_are_said(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "describe the zyxgy of this table", data="a.csv")
    assert result.status == "planned"
    strange = await plan(small, "describe quibbles", data="a.csv")
    assert strange.caveats == ("Not understood, and left out: quibbles.",)


async def test_a_misspelled_word_is_understood(plan: Plan, small: Catalogue) -> None:
    assert "train_tree" in steps(await plan(small, "trian a clasifier", data="a.csv"))


@pytest.mark.parametrize(
    ("text", "caveat"),
    [
        (
            "train a classifier for flower pictures",
            "You mentioned images, but no step of this plan reads images; it works on a table.",
        ),
        ("训练花卉图片分类模型", "您提到了影像，但计划中没有处理影像的步骤；它处理的是数据表。"),
    ],
)
async def test_a_kind_of_data_that_no_step_reads_is_said(
    plan: Plan, small: Catalogue, text: str, caveat: str
) -> None:
    assert caveat in (await plan(small, text)).caveats


async def test_a_kind_of_data_that_a_step_reads_needs_no_caveat(
    plan: Plan, small: Catalogue, make: Make
) -> None:
    faces = make("find_faces(picture: File) -> Faces", "Find faces in an image.", tags=("image",))
    assert (await plan((*small, faces), "find faces in images", picture="a.png")).caveats == ()


# ── a function registered a minute ago ──────────────────────────────────────────────────────────


class Sourdough:
    """What the made-up bakery makes."""


@contribute
def knead_dough(flour: str, hours: int = 2) -> Sourdough:
    """Knead sourdough from flour and let it rest."""
    raise NotImplementedError


class Loaf:
    """What becomes of it."""


@contribute(zh="把酸面团烤成面包。")
def bake_bread(dough: Sourdough) -> Loaf:
    """Not searched, because a description was given."""
    raise NotImplementedError


def offered(function: Any) -> Capability:
    found = contributed(function)
    assert found is not None
    return found


async def test_a_new_function_is_planned_by_its_docstring_alone(plan: Plan, small: Catalogue) -> None:
    result = await plan((*small, offered(knead_dough)), "knead some sourdough", flour="rye")
    assert steps(result) == ["knead_dough"]
    assert validate(result.graph, (offered(knead_dough),), inputs={"flour"}) == ()  # type: ignore[arg-type]


async def test_the_output_of_a_new_function_feeds_another_new_function(plan: Plan, small: Catalogue) -> None:
    catalogue = (*small, offered(knead_dough), offered(bake_bread))
    for text in ("bake bread", "烤面包"):
        assert steps(await plan(catalogue, text, flour="rye")) == ["knead_dough", "bake_bread"]


async def test_a_new_trainer_joins_the_alternatives(plan: Plan, small: Catalogue, make: Make) -> None:
    new = make("train_neighbours(train: TrainRows) -> Classifier", "Train a nearest neighbours classifier.")
    assert "train_neighbours" in steps(await plan((*small, new), "train a classifier", data="a.csv"))


async def test_planning_among_fifty_capabilities_takes_milliseconds(
    plan: Plan, small: Catalogue, make: Make
) -> None:
    more = tuple(
        make(f"polish_{i}(stone: Stone{i}) -> Gem{i}", f"Polish stones of kind {i}.") for i in range(50)
    )
    catalogue = (*small, *more)
    fastest = 1.0
    for _ in range(5):
        start = time.process_time()
        await plan(catalogue, "describe this table and train a classifier", data="a.csv")
        fastest = min(fastest, time.process_time() - start)
    assert fastest < 0.2  # 30 ms are meant; caches that a busy machine empties cost some
