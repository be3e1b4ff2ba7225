"""How well each capability fits a request, by the words of names and descriptions and by their letters."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from easynet.core.capability import Capability
from easynet.planners.deeds import deed_of, han_deeds, stage
from easynet.planners.grams import letter_grams, words
from easynet.planners.words import stem

_NAME_WEIGHT = 2.0
_DEED_WEIGHT = 0.8
"""That both look something up says less than that both are about trains."""
_STOP = re.compile(
    "a|an|and|any|are|as|at|be|been|but|can|could|did|do|does|each|for|from|had|has|have|help|how|i|if|in|into"
    "|is|it|its|just|let|like|me|more|most|my|need|of|off|on|or|our|out|please|should|so|some|than|that|the"
    "|their|them|then|there|these|they|this|those|to|up|us|use|using|want|was|we|were|when|where|who|will"
    "|with|would|you|your|via|about|tools?|systems?|services?|functions?|users?|api|based|according|specific"
    "|various|provides?|also|next"
)
_DEED = "@"

Weights = dict[str, float]


@dataclass(frozen=True)
class Match:
    """A request seen against a catalogue."""

    scores: tuple[float, ...]
    """How well each capability fits, as standard deviations above the catalogue's mean."""
    keys: Mapping[str, float]
    """The request's words that the catalogue knows, with the share of the text at which each first stands."""


class Matcher:
    """The words of a catalogue."""

    def __init__(self, catalogue: Sequence[Capability]) -> None:
        self.names = tuple(c.name for c in catalogue)
        told = [_told(c) for c in catalogue]
        self._by_word = _Postings([_weights(c, text) for c, text in zip(catalogue, told, strict=True)])
        letters = [letter_grams(words(f"{c.name} {text}")) for c, text in zip(catalogue, told, strict=True)]
        self._by_letters = _Postings([{g: 1 + math.log(n) for g, n in found.items()} for found in letters])
        stages = (stage(words(c.name), words(text), text) for c, text in zip(catalogue, told, strict=True))
        self.stages = tuple(stages)

    def match(self, text: str) -> Match:
        """How well each capability fits a text."""
        found = words(text)
        keys = _keys(text, found)
        asked = Counter(key for key, _ in keys)
        by_word = self._by_word.likeness({k: 1 + math.log(n) for k, n in asked.items()})
        grams = {g: 1 + math.log(n) for g, n in letter_grams(found).items()}
        by_letters = self._by_letters.likeness(grams)
        scores = _standard([a + b for a, b in zip(_standard(by_word), _standard(by_letters), strict=True)])
        length = max(len(text), 1)
        first: dict[str, float] = {}
        for key, at in keys:
            if key in self._by_word.rarity:
                first.setdefault(key, at / length)
        return Match(tuple(scores), first)

    def share(self, capability: int, key: str) -> float:
        """How much of a capability a word says."""
        return self._by_word.docs[capability].get(key, 0.0) * self._by_word.rarity.get(key, 0.0)

    @cached_property
    def alike(self) -> tuple[tuple[tuple[int, float], ...], ...]:
        """For each capability the few that are described most alike, with shares that sum to one."""
        return tuple(self._alike(i) for i in range(len(self.names)))

    def _alike(self, capability: int, most: int = 5) -> tuple[tuple[int, float], ...]:
        a = self._by_word.likeness(self._by_word.raw[capability])
        b = self._by_letters.likeness(self._by_letters.raw[capability])
        both = sorted(((x + y, i) for i, (x, y) in enumerate(zip(a, b, strict=True)) if i != capability))
        best = [(i, s) for s, i in reversed(both[-most:]) if s > 0]
        total = sum(s for _, s in best)
        return tuple((i, s / total) for i, s in best)


class _Postings:
    """Documents by their terms, each weighed by how rare it is; documents are of length one."""

    def __init__(self, raw: Sequence[Weights]) -> None:
        self.raw = raw
        found = Counter(term for weights in raw for term in weights)
        self.rarity = {term: math.log(1 + len(raw) / n) for term, n in found.items()}
        self.docs = [_of_length_one({t: w * self.rarity[t] for t, w in weights.items()}) for weights in raw]
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for i, weights in enumerate(self.docs):
            for term, weight in weights.items():
                self._postings[term].append((i, weight))

    def likeness(self, asked: Mapping[str, float]) -> list[float]:
        """The cosine of each document with what is asked, except for the length of the latter."""
        found = [0.0] * len(self.docs)
        for term, weight in asked.items():
            if term in self.rarity:
                weighed = weight * self.rarity[term]
                for i, share in self._postings[term]:
                    found[i] += weighed * share
        return found


def _told(capability: Capability) -> str:
    return " . ".join(
        (*capability.description.values(), *capability.tags, *capability.examples, capability.specialization)
    )


def _weights(capability: Capability, told: str) -> Weights:
    weights: Weights = {}
    for text, weight in ((told, 1.0), (capability.name, _NAME_WEIGHT)):
        for key, _ in _keys(text, words(text)):
            factor = _DEED_WEIGHT if key.startswith(_DEED) else 1.0
            weights[key] = max(weights.get(key, 0.0), weight * factor)
    return weights


def _keys(text: str, found: Iterable[str]) -> list[tuple[str, int]]:
    """The stems, Chinese character pairs and deeds of a text, each with where it stands."""
    lower = text.lower()
    at = 0
    keys: list[tuple[str, int]] = [(_DEED + deed, where) for deed, where in han_deeds(lower)]
    before: tuple[str, int] | None = None
    for word in found:
        where = lower.find(word, at)
        at = where if where >= 0 else at
        is_han = not word.isascii() and len(word) == 1
        if is_han and before is not None and where == before[1] + 1:
            keys.append((before[0] + word, before[1]))
        before = (word, where) if is_han and where >= 0 else None
        if is_han or len(word) < 2 or not word.isalpha() or _STOP.fullmatch(word):
            continue
        if (deed := deed_of(word)) is not None:
            keys.append((_DEED + deed, at))
        keys.append((stem(word), at))
    return keys


def _of_length_one(weights: Weights) -> Weights:
    length = math.sqrt(sum(w * w for w in weights.values())) or 1.0
    return {term: w / length for term, w in weights.items()}


def _standard(values: Sequence[float]) -> list[float]:
    """The values with mean 0 and standard deviation 1."""
    mean = sum(values) / max(len(values), 1)
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / max(len(values), 1)) or 1.0
    return [(v - mean) / spread for v in values]
