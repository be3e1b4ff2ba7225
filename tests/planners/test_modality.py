"""Kinds of data that are named and not read."""

from collections.abc import Callable

import pytest

from easynet.core.capability import Capability, Role
from easynet.planners.modality import modality_caveats

Make = Callable[..., Capability]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("find tumours in X-ray scans", "images"),
        ("sort my photos", "images"),
        ("emotion in this video", "video"),
        ("transcribe the recording", "audio"),
        ("classify documents", "text"),
    ],
)
def test_each_kind_that_is_named_is_said_once(make: Make, text: str, word: str) -> None:
    plan = [make("read(data: File) -> Table", "Read a table.")]
    assert modality_caveats(text, plan, "en") == (
        f"You mentioned {word}, but no step of this plan reads {word}; it works on a table.",
    )


def test_chinese_is_answered_in_chinese(make: Make) -> None:
    plan = [make("count(things: Stones) -> Number", "Count.")]
    assert modality_caveats("检测X光片里的异常", plan, "zh") == (
        "您提到了影像，但计划中没有处理影像的步骤。",
    )


def test_a_step_that_reads_the_kind_needs_no_caveat(make: Make) -> None:
    plan = [make("look(scene: ImageFile) -> Faces", "Look.")]
    assert modality_caveats("find faces in pictures or images", plan, "en") == ()


def test_sample_data_reads_nothing(make: Make) -> None:
    plan = [make("demo() -> Table", "Demo.", tags=("imaging", "image"), role=Role.SAMPLE)]
    assert len(modality_caveats("medical images", plan, "en")) == 1


@pytest.mark.parametrize(
    "text", ["describe this table", "a context for clipping contextual imagination", "描述数据表"]
)
def test_other_words_raise_no_caveat(make: Make, text: str) -> None:
    assert modality_caveats(text, [make("f(x: int) -> int", "F.")], "en") == ()


def test_a_description_tells_what_a_wanted_step_reads(make: Make) -> None:
    count = make("count_words(file: File) -> int", "Count the words of a text file.")
    assert modality_caveats("count the words in a text file", [count], "en", asked_for=[count]) == ()
    assert modality_caveats("count the words of this document", [count], "en", asked_for=[count]) == ()


def test_the_description_of_another_step_counts_only_by_the_very_word(make: Make) -> None:
    load = make("load(data: File) -> Table", "Load a CSV or text file.")
    show = make("show(table: Table) -> Section", "Show a table in pictures.", role=Role.PRESENT)
    assert modality_caveats("profile this text", [load], "en") == ()
    assert len(modality_caveats("profile my emails", [load], "en")) == 1
    assert len(modality_caveats("profile my pictures", [load, show], "en")) == 1
