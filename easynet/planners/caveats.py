"""What a plan leaves out of a request, as sentences in the user's language."""

import re
from collections.abc import Iterable, Sequence, Set

from pydantic import JsonValue

from easynet.core.capability import Capability
from easynet.core.language import Language, say
from easynet.planners.literals import unread_horizons
from easynet.planners.retrieval import Index

_WORD = re.compile(r"[a-z][a-z0-9]*|[㐀-鿿]+")


def undone_caveats(undone: Iterable[str], language: Language) -> list[str]:
    """A sentence for each clause that nothing does."""
    return [
        say(language, f"Nothing here does “{clause}”; it is left out.", f"没有功能可以做“{clause}”，已略过。")
        for clause in undone
    ]


def word_caveats(
    text: str, index: Index, used: Sequence[Capability], language: Language, *, named: Iterable[JsonValue]
) -> list[str]:
    """A sentence that names the words which no capability knows, nor a value that was `named` as an input."""
    values = {word for value in named for word in _WORD.findall(str(value).casefold())}
    strange = [rest for word in index.unknown_words(text, used) for rest in _without(word, values)]
    if not strange:
        return []
    words = say(language, ", ".join(strange), "、".join(strange))
    return [say(language, f"Not understood, and left out: {words}.", f"未能理解并已忽略：{words}。")]


def _without(word: str, values: Set[str]) -> list[str]:
    """What is left of a word without the values; a Chinese word may have one among other characters."""
    if word.isascii() or not values:
        return [] if word in values else [word]
    longest = sorted(values, key=len, reverse=True)
    rest = re.split("|".join(map(re.escape, longest)), word)
    return [part for part in rest if len(part) > 1]


def file_caveats(unread: Iterable[str], language: Language) -> list[str]:
    """A sentence for each file that is named and not read."""
    return [
        say(language, f"No step of this plan reads the file {path}.", f"计划中没有读取文件 {path} 的步骤。")
        for path in unread
    ]


def horizon_caveats(
    sentence: str, used: Iterable[Capability], given: frozenset[str], language: Language
) -> list[str]:
    """A sentence for each time ahead whose unit the parameter it is meant for does not know."""
    return [
        say(
            language,
            f"“{span}” is left out: {capability.name} takes {name!r} as a bare number. Give it with --input"
            f" {name}=NUMBER.",
            f"“{span}”已略过：{capability.name} 的 {name} 只接受不带单位的数字，"
            f"请用 --input {name}=数字 指定。",
        )
        for capability in used
        for name, span in unread_horizons(capability, sentence).items()
        if name not in given
    ]
