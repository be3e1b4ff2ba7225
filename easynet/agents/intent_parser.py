"""From an intent to a `ParsedIntent`: the language, the constraints in SI units, and the words left to plan.

Constraints come from the intent's fields and from its sentence; a field takes precedence.
"""

import re
from collections.abc import Mapping

from easynet.agents.metrics import METRICS, metric_name, quality_bound
from easynet.agents.sentence import Limits, Sentence
from easynet.core.errors import InvalidIntent, InvalidQuantity, UsageError, nearest
from easynet.core.intent import Intent, ParsedIntent, Privacy, Requirements
from easynet.core.quantities import parse_credits, parse_duration, parse_memory

_CONSTRAINTS = {
    "budget": "budget",
    "max_cost": "budget",
    "deadline": "deadline",
    "time": "deadline",
    "training_time": "deadline",
    "privacy": "privacy",
    "private": "private",
    "memory": "memory",
    "approve_above": "approve_above",
}
_PRIVACY = {
    **dict.fromkeys(("high", "private", "strict", "own", "高", "私有", "保密"), Privacy.HIGH),
    **dict.fromkeys(("normal", "low", "none", "public", "普通", "正常", "低", "公开"), Privacy.NORMAL),
}


def parse_intent(intent: Intent) -> ParsedIntent:
    """Understand an intent.

    Raises InvalidIntent where no words say what to do, InvalidQuantity where a limit cannot be read,
    UsageError for a constraint that does not exist.
    """
    if not intent.text.strip():
        raise InvalidIntent(
            "the intent is empty",
            hint='Say what to do, for example "train a medical anomaly detector".',
            zh="没有说明要做什么",
            hint_zh="请说明要做什么，例如“训练一个医疗异常检测模型”。",
        )
    sentence = Sentence(intent.text)
    text = sentence.without_constraints()
    if not re.search(r"\w", text):
        raise InvalidIntent(
            f"{intent.text.strip()!r} says how much, but not what to do",
            hint='Say what to do, for example "describe this table under $5".',
            zh=f"“{intent.text.strip()}”只说了限制，没有说要做什么",
            hint_zh="请说明要做什么，例如“描述这张表，预算5美元”。",
        )
    stated = _stated(intent.constraints)
    return ParsedIntent(
        text=text,
        language=intent.language,
        inputs=intent.input_data,
        requirements=Requirements(
            budget=stated.budget or sentence.limits.budget,
            deadline_s=stated.deadline_s or sentence.limits.deadline_s,
            privacy=stated.privacy or sentence.limits.privacy or Privacy.NORMAL,
            private=stated.private,
            approve_above=stated.approve_above,
            memory_bytes=stated.memory_bytes or sentence.limits.memory_bytes,
            quality=sentence.limits.quality
            | {
                metric_name(name): quality_bound(name, bound)
                for name, bound in intent.quality_requirements.items()
            },
        ),
    )


def with_limits(intent: Intent, limits: Mapping[str, str | int | float]) -> Intent:
    """The intent with these constraints in the place of those that limit the same, by whatever name."""
    kinds = {_CONSTRAINTS.get(name) for name in limits}
    others = {n: v for n, v in intent.constraints.items() if _CONSTRAINTS.get(n.strip().lower()) not in kinds}
    return intent.model_copy(update={"constraints": {**others, **limits}})


def _stated(constraints: dict[str, str | int | float]) -> Limits:
    limits = Limits()
    for name, value in constraints.items():
        match _CONSTRAINTS.get(name.strip().lower()):
            case "budget":
                limits.at_most(budget=parse_credits(value, name))
            case "deadline":
                limits.at_most(deadline_s=parse_duration(value, name))
            case "approve_above":
                limits.approve_above = parse_credits(value, name)
            case "memory":
                limits.memory_bytes = parse_memory(value, name)
            case "privacy":
                limits.privacy = _PRIVACY.get(str(value).strip().lower())
                if limits.privacy is None:
                    raise InvalidQuantity(
                        f"{name}: cannot read {value!r}; write high or normal",
                        zh=f"{name}：无法理解 {value!r}；请写 high（高）或 normal（普通）",
                    )
            case "private":
                limits.private = tuple(dict.fromkeys(re.findall(r"[^\s,，、;；]+", str(value))))
            case _:
                raise _unknown_constraint(name)
    return limits


def _unknown_constraint(name: str) -> UsageError:
    known = [*_CONSTRAINTS]
    if metric_name(name) in METRICS:
        hint = f"{name!r} is a quality: give it in quality_requirements."
        hint_zh = f"{name!r} 是质量指标，请写在 quality_requirements 中。"
    else:
        hint, hint_zh = nearest(name.lower(), known), nearest(name.lower(), known, "zh")
    return UsageError(
        f"there is no constraint {name!r}; there are {', '.join(known)}",
        hint=hint,
        zh=f"没有名为 {name!r} 的限制；可用的有：{'、'.join(known)}",
        hint_zh=hint_zh,
    )
