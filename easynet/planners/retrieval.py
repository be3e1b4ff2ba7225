"""Which capabilities a text is about, and how much of the text each of them explains.

Words are compared by stem, misspelled ones by letter triples, Chinese by character pairs. A rare word says
more than a common one (inverse document frequency, Sparck Jones 1972), and a word in a name or a tag more
than one in a description. `coverage` is the share of the text that a capability accounts for, so that a text
about something else can be told from a text about little.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from easynet.core.capability import Capability, Role
from easynet.planners.meanings import Likeness, Meanings
from easynet.planners.words import (
    Unit,
    action,
    action_named,
    asked,
    is_common,
    is_kind_of_work,
    keys,
    told,
    trigrams,
    units,
)

_NAME, _TAG, _EXAMPLE, _DESCRIPTION, _SPECIALIZATION = 1.6, 1.4, 0.8, 1.0, 0.6
_ROLE_WEIGHT = {Role.CHOOSE: 0.85, Role.CHECK: 0.8, Role.PRESENT: 0.6, Role.SAMPLE: 0.5}
_UNKNOWN_WORD, _UNKNOWN_COMMON, _UNKNOWN_HAN, _UNKNOWN_CONTEXT = 2.0, 1.0, 0.5, 0.2
"""How much more or less a word that nothing uses counts than one that something does: it is distinctive."""
_UNKNOWN_ACTION = 3.0
_KNOWN_ELSEWHERE = 0.5
_HEAD = re.compile("[:：]")
_ALIKE = 0.6
_UNRELATED, _MEANING, _SHARE = 0.2, 3.3, 1.5
"""The cosine that any two texts have, how much one above it counts beside words, and how much it counts that
the meaning is this capability's rather than another's."""
_EXPLAINED, _BACKGROUND, _OURS = 0.2, 0.5, 0.3
"""How much the words count beside the meaning, what else it may be, and how much more of it is somebody's
here than nobody's, in telling whether one is meant."""
_MEANT, _SURER = 0.02, 5.0
"""Where a meaning, above chance, is enough to be `SUPPORTED`, and how fast it grows surer."""
_SURELY = 0.8
"""The share of words that is enough whatever they mean."""
_OTHER_WORK = 0.75
"""What is left of a score or a likeness where another kind of work is asked for."""
SUPPORTED = 0.45
"""The support that a capability needs to count as an answer to a request."""
_SUPPORTED_ALONE, _SUPPORTED_TOO, _FOREIGN = 1.3, 0.7, 0.1
"""Where meanings are known, the support with which one of several clauses is done by its meaning alone, is
done because its words say so, too, and is not even related."""


@dataclass(frozen=True)
class Hit:
    """A capability that a text may be about."""

    capability: Capability
    score: float
    """Between 0 and about 1; comparable within one text only."""
    coverage: float
    """The share of the text that the capability explains, between 0 and 1."""
    support: float
    """How sure it is that the text is about it; the coverage, where meanings are not known."""


class Index:
    """The words of a catalogue."""

    def __init__(self, catalogue: Sequence[Capability], meanings: Meanings | None = None) -> None:
        self.catalogue = tuple(catalogue)
        self._meanings = meanings
        self._weights = {c.name: _weights(c) for c in self.catalogue}
        self._work = {c.name: _work(c) for c in self.catalogue}
        self._deeds = {
            name: {a for key in work if (a := action_named(key))} for name, work in self._work.items()
        }
        # An example's words are the example's: that one asks for prices makes nobody a judge of prices.
        self._own = frozenset(k for c in self.catalogue for k in _weights(c, with_examples=False))
        found = Counter(key for weights in self._weights.values() for key in weights)
        self._idf = {key: math.log(1 + len(self.catalogue) / n) for key, n in found.items()}
        self._unknown_idf = math.log(1 + max(1, len(self.catalogue)))
        self._trigrams = {key: trigrams(key) for key in self._idf if key.isascii() and len(key) > 3}
        self._examples = {
            c.name: [keys(text) for text in (*c.examples, c.name.replace("_", " "))] for c in self.catalogue
        }
        lengths = [len(w) for w in self._weights.values()] or [1]
        self._mean_length = sum(lengths) / len(lengths)

    def stands_alone(self, hit: Hit) -> bool:
        """Whether what is found for one of several clauses is work of its own.

        Meanings find something near to any few words. They have to be surer there than of a whole request,
        unless the words say the same.
        """
        if self._meanings is None:
            return hit.support >= SUPPORTED
        return hit.support >= (_SUPPORTED_TOO if hit.coverage >= SUPPORTED else _SUPPORTED_ALONE)

    def search(self, text: str) -> list[Hit]:
        """All capabilities that share a word with the text or are near it in meaning, best first."""
        query = [u for u in map(self._spelled, asked(text)) if not u.is_implied or u.keys[0] in self._idf]
        words = {key: unit.weight / 2 if unit.is_implied else 1.0 for unit in query for key in unit.keys}
        deeds = {kind for unit in query if (kind := action(unit))}
        hits = [self._hit(c, query, words, deeds) for c in self.catalogue]
        if self._meanings is not None and query:
            likeness = self._meanings.likeness(text)
            hits = [self._fused(hit, likeness, deeds) for hit in hits]
        return sorted((h for h in hits if h.score > 0), key=lambda h: (-h.score, h.capability.name))

    def shares_subject(self, text: str, sample: Capability, others: Sequence[Capability]) -> bool:
        """Whether the text names the subject of a sample: one of its tags, or its specialization.

        Words that the `others`, which read the user's own data, use as well are nobody's subject: "data".
        """
        about = " ".join((*sample.tags, sample.specialization)).strip()
        subject = keys(about or " ".join(sample.description.values()))
        general = {key for other in others for key in self._weights.get(other.name, {})}
        words = (key for unit in units(text) for key in self._spelled(unit).keys)
        return any(key in subject - general for key in words)

    def is_foreign(self, clause: str) -> bool:
        """Whether a clause that nothing does asks for something, rather than says more of what others ask."""
        unknown = self.unknown_words(clause)
        amount = sum(1.0 if word.isascii() else len(word) / 2 for word in unknown)
        if amount < 2 and not any(map(is_kind_of_work, unknown)):
            return False
        return self._meanings is None or all(h.support < _FOREIGN for h in self.search(clause))

    def unknown_words(self, text: str, used: Sequence[Capability] = ()) -> tuple[str, ...]:
        """The words of a text that no capability uses of its own, nor one that is `used` in an example.

        Words of mere context are left out, and those of any request. The kind of work that is asked for has
        to be that of one that is `used`, if any are. Another word may also be near in meaning to one of
        theirs; in a script in which they are not described, words are not told.
        """
        known = self._own.union(*(self._weights[c.name] for c in used))
        deeds = {deed for c in used or self.catalogue for deed in self._deeds[c.name]}
        strange: list[str] = []
        was_han = False
        for unit in map(self._spelled, units(text)):
            kind = action(unit)
            is_known = kind in deeds if kind else any(k in known for k in unit.keys)
            is_strange = not (unit.is_context or is_common(unit) or is_known)
            if is_strange and was_han and not unit.is_word:
                strange[-1] += unit.text
            elif is_strange:
                strange.append(unit.text)
            was_han = is_strange and not unit.is_word
        found = tuple(dict.fromkeys(filter(None, map(told, strange))))
        return self._meanings.strange(found, used) if self._meanings and used else found

    def _hit(
        self, capability: Capability, query: Sequence[Unit], words: Mapping[str, float], deeds: Set[str]
    ) -> Hit:
        weights = self._weights[capability.name]
        total = sum(u.weight * self._unit_idf(u) * _NAME for u in query) or 1.0
        found = sum(
            u.weight * max((self._idf[k] * weights[k] for k in u.keys if k in weights), default=0.0)
            for u in query
        )
        alike = max((self._overlap(words, e) for e in self._examples[capability.name]), default=0.0)
        length = 0.85 + 0.15 * len(weights) / self._mean_length
        score = (found / total / length + 0.35 * alike) * self._weight(capability, deeds)
        coverage = self._coverage(query, capability)
        return Hit(capability, score if found else 0.0, coverage, support=coverage)

    def _fused(self, hit: Hit, likeness: Likeness, deeds: Set[str]) -> Hit:
        """The hit with what the meaning says for or against it."""
        like = likeness.of[hit.capability.name]
        meaning = _MEANING * max(0.0, like - _UNRELATED) + _SHARE * likeness.share[hit.capability.name]
        meaning *= self._weight(hit.capability, deeds)
        like *= self._fitness(hit.capability, deeds)
        sure = like - likeness.chance[hit.capability.name] + _EXPLAINED * hit.coverage
        sure += _OURS * likeness.ours - _BACKGROUND * max(0.0, likeness.background)
        support = max(SUPPORTED + _SURER * (sure - _MEANT), hit.coverage if hit.coverage >= _SURELY else 0.0)
        return replace(hit, score=hit.score + meaning, support=support)

    def _weight(self, capability: Capability, deeds: Set[str]) -> float:
        return _ROLE_WEIGHT.get(capability.role, 1.0) * self._fitness(capability, deeds)

    def _fitness(self, capability: Capability, deeds: Set[str]) -> float:
        """What another kind of work than one of those asked for is worth."""
        return 1.0 if not deeds or deeds & self._deeds[capability.name] else _OTHER_WORK

    def _coverage(self, query: Sequence[Unit], capability: Capability) -> float:
        explained = total = 0.0
        for unit in query:
            weight = unit.weight * self._unit_idf(unit)
            explains = (self._work if action(unit) else self._weights)[capability.name]
            if any(k in explains for k in unit.keys):
                explained += weight
                total += weight
            else:
                total += weight * self._unexplained(unit)
        return explained / total if total else 0.0

    def _unexplained(self, unit: Unit) -> float:
        """How much a word counts against a capability that does not use it."""
        if action(unit):
            return _UNKNOWN_ACTION
        if any(k in self._own for k in unit.keys):
            return _KNOWN_ELSEWHERE
        if not unit.is_word:
            return _UNKNOWN_HAN
        if unit.is_context:
            return _UNKNOWN_CONTEXT
        return _UNKNOWN_COMMON if is_common(unit) else _UNKNOWN_WORD

    def _overlap(self, words: Mapping[str, float], example: frozenset[str]) -> float:
        """How alike a request and an example are as weighted sets of words (Dice)."""
        weigh = {k: words.get(k, 1.0) * self._idf.get(k, self._unknown_idf) for k in {*words, *example}}
        shared = sum(weigh[k] for k in words.keys() & example)
        both = sum(weigh[k] for side in (words, example) for k in side)
        return 2 * shared / both if both else 0.0

    def _unit_idf(self, unit: Unit) -> float:
        return max((self._idf[k] for k in unit.keys if k in self._idf), default=self._unknown_idf)

    def _spelled(self, unit: Unit) -> Unit:
        """The unit with a misspelled word put right, where the catalogue has one much like it."""
        word = unit.keys[0]
        if not unit.is_word or word in self._idf or len(word) < 5:
            return unit
        mine = trigrams(word)
        likeness, key = max(
            ((_likeness(word, mine, key, theirs), key) for key, theirs in self._trigrams.items()),
            default=(0.0, word),
        )
        return replace(unit, keys=(key,)) if likeness >= _ALIKE else unit


def _likeness(word: str, mine: frozenset[str], other: str, theirs: frozenset[str]) -> float:
    """How alike two words are spelled (Dice); the same letters in another order are alike."""
    if word[0] == other[0] and len(word) == len(other) and sorted(word) == sorted(other):
        return 1.0
    return 2 * len(mine & theirs) / (len(mine) + len(theirs))


def _weights(capability: Capability, *, with_examples: bool = True) -> dict[str, float]:
    """The capability's words, each with the weight of the most telling place where it stands."""
    fields = (
        (_SPECIALIZATION, capability.specialization),
        (_DESCRIPTION, " . ".join(capability.description.values())),
        (_EXAMPLE, " . ".join(capability.examples) if with_examples else ""),
        (_TAG, " . ".join(capability.tags)),
        (_NAME, capability.name),
    )
    return {key: weight for weight, text in fields for key in keys(text)}


def _work(capability: Capability) -> frozenset[str]:
    """The words that say what a capability does: name, tags, examples and the head of its description.

    What follows a colon says how it is done: who compares forests fells no trees.
    """
    heads = (_HEAD.split(text, maxsplit=1)[0] for text in capability.description.values())
    return keys(" . ".join((capability.name, *capability.tags, *capability.examples, *heads)))
