"""Asking for an input that is missing, and refusing one that no part of a plan takes."""

from easynet.core.capability import Parameter
from easynet.core.errors import UnknownInput, nearest
from easynet.core.events import Question
from easynet.core.language import Language, say
from easynet.planners.planner import LANGUAGE_INPUT


def check_inputs(given: frozenset[str], taken: set[str]) -> None:
    """Raise UnknownInput for a given input that is not among those taken."""
    names = sorted(taken - {LANGUAGE_INPUT})
    for unknown in sorted(given - taken - {LANGUAGE_INPUT}):
        known, known_zh = ", ".join(names) or "no inputs", "、".join(names)
        raise UnknownInput(
            f"no part of this plan takes the input {unknown!r}; it takes {known}",
            hint=nearest(unknown, names),
            zh=f"计划中没有步骤使用输入 {unknown!r}；"
            + (f"可用的输入：{known_zh}" if names else "它不需要输入"),
            hint_zh=nearest(unknown, names, "zh"),
        )


def question_for(parameter: Parameter, language: Language) -> Question:
    """The question for a parameter's value; it takes no other answer than the parameter does."""
    return Question(name=parameter.name, text=_text(parameter, language), choices=parameter.choices)


def _text(parameter: Parameter, language: Language) -> str:
    name, kind = parameter.name, str(parameter.type)
    if parameter.type.name == "File":
        return say(
            language,
            f"Which file should I use? Give it with --input {name}=FILE.",
            f"要使用哪个文件？请用 --input {name}=文件 指定。",
        )
    return say(
        language,
        f"Which {name.replace('_', ' ')} should I use ({kind})? Give it with --input {name}=VALUE.",
        f"{name} 应取什么值（{kind}）？请用 --input {name}=值 指定。",
    )
