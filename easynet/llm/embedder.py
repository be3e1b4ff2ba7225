"""The protocol of those who turn texts into vectors, so that near ones mean much the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Embedder(Protocol):
    """Knows several languages: a sentence and its translation are near each other."""

    @property
    def name(self) -> str:
        """The model with its version; vectors of two names cannot be compared."""
        ...

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """One row for each text, in their order, of length one; the same for the same text.

        May be called from several threads. Blocks.
        """
        ...
