"""An embedder that knows as much as it is told: sets of words that mean the same."""

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIZE = 256
_WORD = re.compile(r"[a-z0-9]+|[㐀-鿿]")
_MEANING = 3.0
"""How much a known meaning counts beside a word that merely stands there."""


class ConceptEmbedder:
    """Texts are near each other when they share a concept, or words."""

    def __init__(self, *concepts: Collection[str], name: str = "concepts 1") -> None:
        """Each concept is a set of words, in any language, that say the same."""
        self._concepts = concepts
        self._name = name
        self.embedded: list[str] = []
        """All texts that were embedded, in order."""

    @property
    def name(self) -> str:
        return self._name

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        import numpy as np  # heavy

        self.embedded += texts
        rows = np.zeros((len(texts), len(self._concepts) + _SIZE), np.float32)
        for row, text in zip(rows, texts, strict=True):
            lower = text.lower()
            for word in _WORD.findall(lower):
                row[len(self._concepts) + _place(word)] += 0.2
            for number, concept in enumerate(self._concepts):
                if any(word in lower for word in concept):
                    row[number] += _MEANING
            row /= max(float(np.linalg.norm(row)), 1e-6)
        rows[~rows.any(axis=1), 0] = 1.0
        return rows


def _place(word: str) -> int:
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % _SIZE
