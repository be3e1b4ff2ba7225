"""What the nodes offer, for people: all functions in short, or one of them in full."""

import json
import shlex
from collections.abc import Iterator, Sequence

from easynet.agents.run_step import Step
from easynet.agents.wording import about, columns, irreversible, one_line
from easynet.cli.render_table import (
    ALL,
    Places,
    by_function,
    may_call,
    no_function,
    not_allowed,
    price_range,
    trust_label,
    where,
)
from easynet.cli.render_wrap import wrap_prose
from easynet.core.capability import Capability, Parameter
from easynet.core.errors import UnknownFunction, nearest
from easynet.core.ids import SubtaskId
from easynet.core.language import Language, say
from easynet.core.offer import Node
from easynet.core.quantities import format_credits
from easynet.fabric.access.grants import Limits

_INDENT = "    "


def functions_list(nodes: Sequence[Node], width: int, language: Language = "en", rights: Limits = ALL) -> str:
    """Each function with its price and nodes, and below what it does, wrapped at `width` columns."""
    lines: list[str] = []
    for name, places in by_function(nodes).items():
        price = price_range(places)
        unit = say(language, f"credit{'s' * (price != '1')}", "积分")
        mark = f" · {irreversible(language)}" if any(c.irreversible for _, c in places) else ""
        mark += "" if may_call(places, rights) else f" · {not_allowed(language)}"
        lines += wrap_prose(f"{one_line(name)} · {price} {unit} · {where(places)}{mark}", width)
        lines += wrap_prose(_INDENT + one_line(places[0][1].describe(language)), width)
    return "\n".join(lines) or no_function(language)


def offered(nodes: Sequence[Node], name: str | None = None) -> Places:
    """All functions at their nodes, or the one called `name`; raises UnknownFunction with the nearest."""
    found = by_function(nodes)
    if name is None:
        return [place for places in found.values() for place in places]
    places = next((places for known, places in found.items() if known == name), None)
    if places is None:
        raise UnknownFunction(
            f"no node offers a function named {name!r}",
            hint=nearest(name, [*found]) or "`easynet functions` lists what is offered.",
        )
    return places


def functions_json(places: Places, rights: Limits = ALL) -> list[bytes]:
    """Each function once, as a line of JSON, with whether it may be called."""
    allowed_by_line: dict[str, bool] = {}
    for place in places:
        line = place[1].model_dump_json()
        allowed_by_line[line] = allowed_by_line.get(line, False) or may_call([place], rights)
    return [
        json.dumps(
            json.loads(line) | {"allowed": allowed}, ensure_ascii=False, separators=(",", ":")
        ).encode()
        for line, allowed in allowed_by_line.items()
    ]


def function_details(
    places: Places, width: int | None = None, language: Language = "en", rights: Limits = ALL
) -> str:
    """One function in full: its call, what it does, what it takes, who offers it at which price."""
    capability = places[0][1]
    descriptions = [words for _, words in sorted(capability.description.items())]
    warning = [_asks_first(language)] if any(c.irreversible for _, c in places) else []
    blocks = [
        [one_line(capability.signature)],
        [_INDENT + one_line(words) for words in (*descriptions, *warning)],
        _titled(say(language, "Inputs:", "输入："), _inputs(capability, language)),
        _titled(say(language, "Nodes:", "节点："), [_place(*place, language, rights) for place in places]),
        _titled(say(language, "Example:", "示例："), [_example(capability)]),
    ]
    lines = [line for block in blocks if block for line in (*block, "")]
    # An example is a command, to be copied as it is.
    *prose, example, _ = lines
    wrapped = [row for line in prose for row in (wrap_prose(line, width) if width else [line])]
    return "\n".join([*wrapped, example])


def _asks_first(language: Language) -> str:
    return say(
        language,
        "Its effect cannot be undone: a run asks before it calls it.",
        "其效果不可撤销：运行在调用它之前会先询问。",
    )


def _titled(title: str, lines: list[str]) -> list[str]:
    return [title, *(_INDENT + line for line in lines)] if lines else []


def _inputs(capability: Capability, language: Language) -> list[str]:
    shown = [(p, one_line(f"{p.name}: {p.type}")) for p in capability.parameters]
    width = max((columns(words) for _, words in shown), default=0)
    return [words + " " * (width - columns(words) + 2) + _need(p, language) for p, words in shown]


def _need(parameter: Parameter, language: Language) -> str:
    if parameter.is_variadic:
        return say(language, "any number", "任意个")
    if parameter.required:
        return say(language, "needed", "必填")
    default = one_line(repr(parameter.default))
    return say(language, f"otherwise {default}", f"默认 {default}")


def _place(node: Node, capability: Capability, language: Language, rights: Limits) -> str:
    parts = [
        f"{one_line(node.name)} ({trust_label(node, language)})",
        format_credits(capability.price, language),
        about(capability.expected_s, language),
        *(() if may_call([(node, capability)], rights) else (not_allowed(language),)),
    ]
    return " · ".join(parts)


def _example(capability: Capability) -> str:
    """A command that should come to a call of this function."""
    in_words = Step(SubtaskId(""), capability.describe("en")).title
    sentence = one_line(capability.examples[0] if capability.examples else in_words)
    return f'easynet "{sentence}"' + "".join(f" --input {given}" for given in _given(capability))


def _given(capability: Capability) -> Iterator[str]:
    for parameter in capability.parameters:
        if parameter.required and parameter.type.is_primitive:
            value = "FILE" if parameter.type.name == "File" else "VALUE"
            yield f"{shlex.quote(parameter.name)}={value}"
