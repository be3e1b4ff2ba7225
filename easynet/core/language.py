"""Which language a person writes, and choosing words in it."""

import re
from typing import Literal

Language = Literal["en", "zh"]

_HAN = re.compile(r"[㐀-鿿豈-﫿]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")


def language_of(text: str) -> Language:
    """`"zh"` where the text is mostly Chinese, otherwise `"en"`.

    A Han character carries about as much as half an English word, hence the weight.
    """
    han = len(_HAN.findall(text))
    return "zh" if han and han >= 2 * len(_LATIN_WORD.findall(text)) else "en"


def say(language: Language, en: str, zh: str) -> str:
    """The one of two sentences that is in `language`."""
    return zh if language == "zh" else en
