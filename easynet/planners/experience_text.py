"""Requests as sparse vectors of their words and letter groups, rare ones weighing more."""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from easynet.planners.grams import letter_grams, word_grams, words

Floats = NDArray[np.floating[Any]]
Rows = Any
"""A sparse matrix; SciPy has no types."""

_MANY = 100
"""From so many texts on, what occurs in one or two of them is left out."""
_LETTERS_WEIGHT = 0.7
_MOST_TERMS = 60_000


class Vectors:
    """What vectors of requests consist of, as learned from texts."""

    def __init__(self, words_: "Terms", letters: "Terms") -> None:
        self.words, self.letters = words_, letters

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Vectors":
        rare = (2, 3) if len(texts) >= _MANY else (1, 1)
        return cls(
            Terms.of((word_grams(words(text)) for text in texts), rare[0]),
            Terms.of((letter_grams(words(text)) for text in texts), rare[1]),
        )

    def __call__(self, texts: Sequence[str]) -> Rows:
        """A row of length one, at most, for each text."""
        by_word = self.words.rows(word_grams(words(text)) for text in texts)
        by_letters = self.letters.rows(letter_grams(words(text)) for text in texts)
        share = math.sqrt(1 + _LETTERS_WEIGHT**2)
        return sp.hstack([by_word / share, by_letters * (_LETTERS_WEIGHT / share)]).tocsr().astype(np.float32)


class Terms:
    """A vocabulary with the rarity of each term."""

    def __init__(self, column: Mapping[str, int], rarity: Floats) -> None:
        self.column, self.rarity = column, rarity

    @classmethod
    def of(cls, counted: Iterable[Counter[str]], rarest: int) -> "Terms":
        """The terms of at least `rarest` texts. Texts are counted one by one: all at once take memory."""
        found: Counter[str] = Counter()
        texts = 0
        for counts in counted:
            found.update(counts.keys())
            texts += 1
        kept = [(term, n) for term, n in found.most_common(_MOST_TERMS) if n >= rarest]
        rarity = [math.log((1 + texts) / (1 + n)) + 1 for _, n in kept]
        return cls({term: i for i, (term, _) in enumerate(kept)}, np.array(rarity, np.float32))

    def rows(self, counted: Iterable[Counter[str]]) -> Rows:
        """A row of length one for each text, empty where it has none of the terms."""
        columns = array("i")
        counts = array("i")
        ends = [0]
        for found in counted:
            for term, n in found.items():
                if (column := self.column.get(term)) is not None:
                    columns.append(column)
                    counts.append(n)
            ends.append(len(columns))
        values = (1 + np.log(np.array(counts, np.float32))) * self.rarity[np.array(columns, np.int64)]
        shape = (len(ends) - 1, len(self.column))
        return of_length_one(
            sp.csr_matrix((values, np.array(columns, np.int32), np.array(ends)), shape=shape)
        )


def of_length_one(rows: Rows) -> Rows:
    """The rows, each divided by its length; an empty row stays empty."""
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return (sp.diags(1 / np.maximum(lengths, 1e-9)) @ rows).tocsr().astype(np.float32)
