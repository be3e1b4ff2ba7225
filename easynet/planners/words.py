"""The words of a text in a form that can be compared: English stems and Chinese character pairs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_STOP = re.compile(
    "a|an|and|any|are|as|at|be|been|build|but|can|could|create|did|do|does|each|for|from|get|give|had|has|have"
    "|help|how|i|if|in|into|is|it|its|just|kindly|let|like|make|me|more|most|my|need|of|off|on|ones?|or|our|out"
    "|please|should|show|so|some|tells?|than|that|the|their|them|then|there|these|they|this|those|to|up|us|use"
    "|using|want|was|we|were|what|when|where|which|who|will|with|would|you|your|via|about|s|t|ll|ve|re|new"
    "|next|last"
)
_PREPOSITIONS = re.compile("about|at|by|during|for|from|in|into|of|on|over|since|to|under|until|with|within")
_HAN_STOP = re.compile(
    "一个|一种|一份|一下|一些|可以|能够|需要|想要|什么样?|怎么样?|怎样|如何|哪些|哪个|所有|进行|使用|我们|你们|帮我|今天|现在"
    "|明天|明年|今年|这个|那个|这份|这张|最近|一首|一篇|一张|[的了吗呢吧请我你您这那把在里和与并个能帮给想用从对让]"
)
_TOKEN = re.compile(r"[a-z][a-z0-9]*(?:-[a-z]+)*|[㐀-鿿豈-﫿]+|[.,;:!?，。；：！？、]")
_AMOUNT_OF_TIME = re.compile(
    r"\d+\s*(?:-\s*)?(?:(?:second|minute|hour|day|week|month|quarter|year)s?\b|个?(?:秒|分钟|小时|天|周|星期|月|季度|年))"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")
_ENDINGS = (
    "ations",
    "ation",
    "ings",
    "ing",
    "ions",
    "ion",
    "ers",
    "er",
    "ors",
    "or",
    "ed",
    "ive",
    "ous",
    "ly",
)


@dataclass(frozen=True)
class Unit:
    """A piece of a text that is explained or not: an English word, or one Chinese character."""

    text: str
    """As it is written, in lower case."""
    keys: tuple[str, ...]
    """The stem, or the character pairs that the character is part of."""
    weight: float
    """A word is as much as two characters."""
    is_context: bool = False
    """Stands after a preposition: says where or with what rather than what to do."""

    @property
    def is_word(self) -> bool:
        return self.weight > 1


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """An English word without its endings: detector, detecting and detection all give `detect`."""
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= 4), "")
    word = word.removesuffix(ending) if ending else word
    if len(word) > 4 and word[-1] in "ey":
        word = word[:-1]
    doubled = len(word) > 4 and word[-1] == word[-2] and word[-1] not in "ls"
    return word[:-1] if doubled else word


def units(text: str) -> list[Unit]:
    """The content of a text, in order, without words that say nothing by themselves."""
    return [*_units(text)]


def _units(text: str) -> Iterator[Unit]:
    is_context = False
    for token in _TOKEN.findall(_AMOUNT_OF_TIME.sub(" ", _CAMEL.sub(" ", text).lower())):
        if token[0] > "㏿":
            for run in _HAN_STOP.sub(" ", token).split():
                yield from _characters(run)
        elif not token[0].isalpha():
            is_context = False
        elif _PREPOSITIONS.fullmatch(token):
            is_context = True
        else:
            for part in (token, *(token.split("-") if "-" in token else ())):
                if not _STOP.fullmatch(part) and len(part) > 1:
                    yield Unit(part, (stem(part),), 2.0, is_context)


def _characters(run: str) -> Iterator[Unit]:
    if len(run) == 1:
        yield Unit(run, (run,), 1.0)
        return
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    for i in range(len(run)):
        yield Unit(run[i], tuple(pairs[max(0, i - 1) : i + 1]), 1.0)


@lru_cache(maxsize=4096)
def keys(text: str) -> frozenset[str]:
    """All stems and character pairs of a text."""
    return frozenset(key for unit in units(text) for key in unit.keys)


def trigrams(word: str) -> frozenset[str]:
    """The letter triples of a word with its edges marked, for words that are not quite spelled alike."""
    edged = f"^{word}$"
    return frozenset(edged[i : i + 3] for i in range(len(edged) - 2))
