"""The pieces of a text by which texts are compared: words, pairs of neighbouring words, and letter groups."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")
_NUMBER = re.compile(r"\d+")
_HAN = re.compile(r"([㐀-鿿豈-﫿])")
_WORD = re.compile(r"0|[a-z]+|[㐀-鿿豈-﫿]|[^\W\d_]+")
_SHORTEST, _LONGEST = 3, 5


def words(text: str) -> list[str]:
    """The words in order, in lower case; all numbers are alike, a Chinese character is a word."""
    shaped = _NUMBER.sub(" 0 ", _CAMEL.sub(" ", text).lower())
    return _WORD.findall(_HAN.sub(r" \1 ", shaped))


def word_grams(found: list[str]) -> Counter[str]:
    """How often each word and each pair of neighbouring words occurs."""
    return Counter([*found, *(f"{a} {b}" for a, b in pairwise(found))])


def letter_grams(found: Iterable[str]) -> Counter[str]:
    """How often each group of three to five letters occurs inside words, whose edges count as letters."""
    grams: Counter[str] = Counter()
    for word, times in Counter(found).items():
        edged = f" {word} "
        for size in range(_SHORTEST, min(_LONGEST, len(edged)) + 1):
            for start in range(len(edged) - size + 1):
                grams[edged[start : start + size]] += times
    return grams
