"""How a planner asks for what is missing."""

import pytest

from easynet.core.capability import Parameter, TypeRef
from easynet.core.language import Language
from easynet.planners.questions import question_for


def parameter(name: str, kind: str, *choices: str) -> Parameter:
    return Parameter(name=name, type=TypeRef(name=kind), choices=choices)


@pytest.mark.parametrize(("language", "words"), [("en", "Which tone"), ("zh", "应取什么值")])
def test_a_parameter_with_choices_is_asked_for_with_them(language: Language, words: str) -> None:
    question = question_for(parameter("tone", "str", "soft", "loud"), language)
    assert (question.name, question.choices) == ("tone", ("soft", "loud"))
    assert words in question.text


def test_a_file_is_asked_for_as_one() -> None:
    question = question_for(parameter("data", "File"), "en")
    assert question.text == "Which file should I use? Give it with --input data=FILE."
    assert question.choices == ()
