"""The words of a text in a form that can be compared: English stems and Chinese character pairs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from easynet.core.numerals import NUMBER

_STOP = re.compile(
    "a|an|and|any|are|as|at|be|been|build|but|can|could|create|did|do|does|each|for|from|get|give|had|has|have"
    "|help|how|i|if|in|into|is|it|its|just|kindly|let|like|make|me|more|most|my|need|of|off|on|ones?|or|our|out"
    "|please|should|show|so|some|tells?|than|that|the|their|them|then|there|these|they|this|those|to|up|us|use"
    "|using|want|was|we|were|what|when|where|which|who|will|with|would|you|your|via|about|s|t|ll|ve|re|new"
    "|next|last"
)
_PREPOSITIONS = re.compile("about|at|by|during|for|from|in|into|of|on|over|since|under|until|with|within")
_HAN_STOP = re.compile(
    "一个|一种|一份|一下|一些|可以|能够|需要|想要|什么样?|怎么样?|怎样|如何|哪些|哪个|所有|进行|使用|我们|你们|帮我|今天|现在"
    "|明天|明年|今年|这个|那个|这份|这张|最近|一首|一篇|一张|按照?|根据|各个?|每个|然后|接着|随后|最后|首先|同时|另外|此外|还有|以及"
    "|另一方面|一方面|顺便|分别|并且|之前|之后|以后|[的了吗呢吧请我你您这那把在里和与并个能帮给想用从对让]"
)
_TOKEN = re.compile(r"[a-z][a-z0-9]*(?:-[a-z]+)*|[㐀-鿿豈-﫿]+|[.,;:!?，。；：！？、]")
_TIME = (
    r"(?:(?:second|minute|hour|day|week|month|quarter|year)(?:s|ly)?\b|(?:秒|分钟|小时|天|周|星期|月|季|年))"
)
_AMOUNT_OF_TIME = re.compile(rf"(?<![a-z\d]){NUMBER}\s*(?:-\s*)?个?{_TIME}度?")
_GROUPING = {
    "group": re.compile(
        r"\b(?:by|per|(?:for |in )?each|(?:for |in )?every)"
        rf" (?!the\b|columns?\b|fields?\b|rows?\b|{_TIME})[a-z]{{3,}}"
    ),
    "分组": re.compile(
        rf"(?:按照?|各个?|每一?个|每[种类家])(?!{_TIME}|[组列行个自种项类]|字段)[㐀-鿿a-z]{{2}}"
        r"|(?<![部划])分(?:成|为)?(?![析布割类组别成为开享])[㐀-鿿]{2}(?:来?[看算]|统计|汇总|比较|对比|合计)"
    ),
}
"""Ways to ask for groups without the word: `revenue by region`, 按地区汇总. Times are none: `by month`."""
_AGGREGATE = re.compile(
    r"[\W_]*(?:(?:show|give|tell|get|please|me|us|the|what|is|are|i|want|need|calculate|compute)\W+)*"
    r"(?:sum|totals?|averages?|mean|median|counts?|aggregate|summari[sz]e|compare|how (?:many|much))\b"
    r"|(?:[请我你想要帮给]|计算)*(?:统计|汇总|合计|求和|各|每).*(?:汇总|合计|统计|求和|平均|总|均值|中位数)"
    r"|.*按[^，。；]{1,8}(?:汇总|合计|统计|求和|平均)"
)
_GROUPED, _AGGREGATED = 1.0, 8.0
"""To sum up by groups is to ask for groups before all; to forecast by groups, for a forecast."""
_COMMON = re.compile(
    "add|after|afterwards|ahead|all|also|analy[sz]e|anything|before|best|better|big|both|change|check|clear|coming|compute|data|dataset"
    "|days?|delete|do|drop|easy|every|everything|explain|fast|file|finally|find|first|following|go|good|great"
    "|grow|hours?|interesting|job|keep|kind|know|learn|look|lot|main|many|minutes?|months?|much|nice"
    "|nothing|now|number|ok|okay|old|other|own|part|possible|put|quarters?|quick|quickly|really"
    "|recogni[sz]e|remove|result|return|right|run|say|see|simple|something|start|take|task|thank|thanks"
    "|thing|things|think|time|today|top|try|understand|upcoming|useful|user|value|way|weeks?|well|work"
    "|write|years?"
)
"""Words of any request; that a catalogue lacks them takes nothing from what was asked."""
_HAN_COMMON = re.compile(
    "找出|找到|查找|寻找|检查|查看|看看|分析|计算|统计|告诉|未来|接下来|今后|往后|季度|做|找|看|查|有|上|下|出|中|每|月|年|周|天"
)
_ACTIONS = {
    "predict": "predict|forecast|estimat|预测|预报|预估|估计|估算",
    "regress": "regress|回归",
    "classify": "classif|classify|classific|分类",
    "cluster": "cluster|聚类",
    "recommend": "recommend|推荐",
    "translate": "translat|翻译",
    "simulate": "simulat|模拟",
    "optimise": "optimi[sz]|优化",
}
"""Stems and characters that name a kind of work; to do another kind to the same thing is no answer."""
_ACTION = re.compile("|".join(f"(?P<{kind}>{words})" for kind, words in _ACTIONS.items()))
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

    is_implied: bool = False
    """Is not written, but meant by how the text is put."""

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


def asked(text: str) -> list[Unit]:
    """The content of a request, with what it implies."""
    lower = text.lower()
    weight = _AGGREGATED if _AGGREGATE.match(lower) else _GROUPED
    implied = (Unit(w, (w,), weight, is_implied=True) for w, by in _GROUPING.items() if by.search(lower))
    return [*_units(text), *implied]


def is_common(unit: Unit) -> bool:
    """Whether a word is one of any request, and so says little about this one."""
    return bool(_COMMON.fullmatch(unit.text))


def action(unit: Unit) -> str:
    """The kind of work that a word asks for; empty for most words."""
    return next(filter(None, map(action_named, unit.keys)), "")


def action_named(key: str) -> str:
    """The kind of work that a stem or a pair of characters names, in whichever language."""
    match = _ACTION.fullmatch(key)
    return (match.lastgroup or "") if match else ""


def is_kind_of_work(words: str) -> bool:
    """Whether one of the words names a kind of work."""
    return any(action(unit) for unit in units(words))


def told(words: str) -> str:
    """A strange word as it is told; Chinese without the words of any request, empty if little is left."""
    if words.isascii():
        return words
    rest = _HAN_COMMON.sub("", words)
    return rest if len(rest) > 1 else ""


def _units(text: str) -> Iterator[Unit]:
    is_context = False
    before = ""
    for token in _TOKEN.findall(_AMOUNT_OF_TIME.sub(" ", _CAMEL.sub(" ", text).lower())):
        if token[0] > "㏿":
            for run in _HAN_STOP.sub(" ", token).split():
                yield from _characters(run)
        elif not token[0].isalpha():
            is_context = False
        elif _PREPOSITIONS.fullmatch(token):
            is_context = True
        else:
            # "A model for predicting prices" says what to do, "a model for whales" on what.
            is_context = is_context and not (before == "for" and token.endswith("ing"))
            for part in (token, *(token.split("-") if "-" in token else ())):
                if not _STOP.fullmatch(part) and len(part) > 1:
                    yield Unit(part, (stem(part),), 2.0, is_context)
        before = token


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
