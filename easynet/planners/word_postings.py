"""Which capabilities of a very large catalogue share words with a text: coarse, and fast."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from easynet.core.capability import Capability
from easynet.planners.words import keys, stem

_TOKEN = re.compile(r"[a-z]+|[㐀-鿿豈-﫿]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAMED = 1.6
"""How much a word of the name or the tags counts beside one of the description."""


class WordPostings:
    """For each stem and Chinese character pair, the capabilities that use it."""

    def __init__(self, catalogue: Sequence[Capability]) -> None:
        self._postings: dict[str, list[int]] = defaultdict(list)
        self._named: dict[str, set[int]] = defaultdict(set)
        for number, capability in enumerate(catalogue):
            names = _terms(" ".join((capability.name, *capability.tags)))
            told = (*capability.description.values(), *capability.examples, capability.specialization)
            for term in names:
                self._named[term].add(number)
            for term in names | _terms(" ".join(told)):
                self._postings[term].append(number)
        self._size = len(catalogue)

    def scores(self, text: str) -> dict[int, float]:
        """Of each capability that shares a word with the text, how much it shares.

        A rare word counts more than a common one (inverse document frequency, Sparck Jones 1972).
        """
        found: dict[int, float] = defaultdict(float)
        for term in keys(text):
            numbers = self._postings.get(term, [])
            rarity = math.log(1 + self._size / len(numbers)) if numbers else 0.0
            for number in numbers:
                found[number] += rarity * (_NAMED if number in self._named[term] else 1.0)
        return found


def _terms(text: str) -> frozenset[str]:
    return frozenset(_each_term(_CAMEL.sub(" ", text).lower()))


def _each_term(text: str) -> Iterable[str]:
    for token in _TOKEN.findall(text):
        if token[0].isascii():
            yield stem(token)
        elif len(token) == 1:
            yield token
        else:
            yield from (token[i : i + 2] for i in range(len(token) - 1))
