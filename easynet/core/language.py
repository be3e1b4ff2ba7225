"""Which language a person writes, and choosing words in it."""

import re
from typing import Literal

Language = Literal["en", "zh"]

_HAN = re.compile(r"[㐀-鿿豈-﫿]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")
_FILE = re.compile(
    r"(?<![^\s\u3000-\u9fff，。])[^\s\u3000-\u9fff，。]+\.[A-Za-z][A-Za-z0-9]{1,6}(?![A-Za-z0-9])"
    r"|(?<![\u3400-\u9fff])[\u3400-\u9fff]+\.[A-Za-z]{2,5}(?![a-z])"
)
"""The name of a file, which says nothing of who writes. It is looked for where a word begins, and only there:
otherwise long words would take a time that grows with the square of their length."""
_SMALL_HAN = re.compile(
    r"[的了吗呢吧把在用请帮我你它是有没先再和与从给让对这那哪什怎多几每个下里中成出做看按并]"
)
_SMALL_ENGLISH = re.compile(
    "a|an|the|of|to|in|on|for|with|and|or|by|from|at|is|are|was|be|do|does|can|could|would|should|will|my|our"
    "|your|me|us|it|its|this|that|these|those|what|which|who|how|where|when|then|there|if|has|have"
)


def language_of(text: str) -> Language:
    """`"zh"` where the text is in Chinese, otherwise `"en"`.

    A mixed text is in the language of its grammar, which its small words are of (the matrix language, Myers-
    Scotton 1993): “用 random forest 做 sales 的 forecast” is Chinese, "forecast the 销售额" English. Where
    both have some, or none, the greater part decides; a Han character is as much as half an English word.
    """
    told = _FILE.sub(" ", text) if _FILE.sub(" ", text).strip() else text
    han, words = len(_HAN.findall(told)), [word.lower() for word in _LATIN_WORD.findall(told)]
    if not han:
        return "zh" if not words and _HAN.search(text) else "en"
    in_chinese, in_english = bool(_SMALL_HAN.search(told)), any(map(_SMALL_ENGLISH.fullmatch, words))
    if in_chinese != in_english:
        return "zh" if in_chinese else "en"
    return "zh" if han >= 2 * len(words) else "en"


def has_han(text: str) -> bool:
    """Whether any of a text is Chinese."""
    return bool(_HAN.search(text))


def say(language: Language, en: str, zh: str) -> str:
    """The one of two sentences that is in `language`."""
    return zh if language == "zh" else en
