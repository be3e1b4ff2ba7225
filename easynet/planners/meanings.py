"""How near a text is in meaning to each capability of a catalogue, whatever language either is in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName
from easynet.llm.embedder import Embedder
from easynet.llm.kept_vectors import KeptVectors
from easynet.planners.background import BACKGROUND
from easynet.planners.files import unmentioned
from easynet.planners.meaning_ridge import fitted
from easynet.planners.words import is_kind_of_work

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_TEXTS = 64
"""Texts that stand for one capability, so that none takes up the memory of many."""
_NEAREST, _FADE = 6, 0.6
"""How many of a capability's texts count, and how much each next one counts beside the one before."""
_HEAD = re.compile("[:：]")
_HAN = re.compile(r"[㐀-鿿]")
_SAME_WORD = 0.6
"""The cosine from which two words say much the same: "odd" and "unusual", 加总 and 合计."""
_LATEST = 64
"""Texts whose likeness is remembered: the clauses of the request at hand."""


@dataclass(frozen=True)
class Likeness:
    """The cosines of a text with what it may be about."""

    of: Mapping[CapabilityName, float]
    """With each capability, as a mean over the capability's nearest texts."""
    chance: Mapping[CapabilityName, float]
    """Of each capability with what has nothing to do with any; the more texts it has, the nearer."""
    share: Mapping[CapabilityName, float]
    """How much of it is each capability's rather than another's: about 1 for a text of its own, else 0."""
    ours: float
    """How much more of it is the nearest capability's than the background's."""
    background: float
    """With what people ask for in general, at most."""


class Meanings:
    """The texts of a catalogue as vectors. Loading and embedding block; a text takes milliseconds."""

    def __init__(self, catalogue: Sequence[Capability], embedder: Embedder, kept: KeptVectors) -> None:
        self._catalogue = tuple(catalogue)
        self._embedder = embedder
        self._kept = kept
        self._asked: dict[str, Likeness] = {}

    def likeness(self, text: str) -> Likeness:
        """How near a text is to each capability, and to what has nothing to do with any."""
        found = self._asked.get(text)
        if found is None:
            if len(self._asked) >= _LATEST:
                self._asked.clear()
            found = self._asked[text] = self._measured(unmentioned(text).strip() or text)
        return found

    def strange(self, words: Sequence[str], used: Sequence[Capability]) -> tuple[str, ...]:
        """Those of the words that say something else than the words of the capabilities `used`."""
        texts = [text for c in used for text in (*c.tags, *c.examples, *c.description.values())]
        scripts = {bool(_HAN.search(text)) for text in texts}
        judged = [w for w in words if is_kind_of_work(w) or bool(_HAN.search(w)) in scripts]
        if not judged or not texts:
            return tuple(judged)
        nearest = (self._embedder.embed(judged) @ self._kept.of([*dict.fromkeys(texts)]).T).max(axis=1)
        pairs = zip(judged, nearest, strict=True)
        return tuple(w for w, cosine in pairs if cosine < _SAME_WORD or is_kind_of_work(w))

    def _measured(self, text: str) -> Likeness:
        rows, places = self._rows
        vector = self._embedder.embed([text])[0]
        cosines = rows @ vector
        means = _means(cosines, places)
        of = {c.name: float(mean) for c, mean in zip(self._catalogue, means, strict=True)}
        *shares, nobodys = (float(found) for found in vector @ self._weights)
        share = {c.name: found for c, found in zip(self._catalogue, shares, strict=True)}
        ours = max(shares, default=0.0) - nobodys
        return Likeness(of, self._chances, share, ours, float(cosines[-len(BACKGROUND) :].max()))

    @cached_property
    def _chances(self) -> dict[CapabilityName, float]:
        import numpy as np  # of the extra

        rows, places = self._rows
        likeness = rows @ rows[-len(BACKGROUND) :].T
        means = np.stack([_means(column, places) for column in likeness.T]).mean(axis=0)
        return {c.name: float(mean) for c, mean in zip(self._catalogue, means, strict=True)}

    @cached_property
    def _weights(self) -> "NDArray[np.float32]":
        """What tells the capabilities' vectors apart."""
        import numpy as np  # of the extra

        rows, places = self._rows
        owners = np.full(len(rows) + 1, len(places), np.int64)
        owners[places] = np.arange(len(places))[:, None]
        return fitted(rows, owners[:-1], len(places) + 1)

    @cached_property
    def _rows(self) -> tuple["NDArray[np.float32]", "NDArray[np.int64]"]:
        """The vectors of all texts, the background's last, and where each capability's are.

        Capabilities have different numbers of texts; a place that is none is the one after all rows.
        """
        import numpy as np  # of the extra

        texts = [_texts(c) for c in self._catalogue]
        flat = [*(t for of_one in texts for t in of_one), *BACKGROUND]
        rows = self._kept.of(flat)
        places = np.full((len(texts), max(map(len, texts), default=0)), len(flat), np.int64)
        start = 0
        for i, of_one in enumerate(texts):
            places[i, : len(of_one)] = np.arange(start, start + len(of_one))
            start += len(of_one)
        return rows, places


def _means(cosines: "NDArray[np.float32]", places: "NDArray[np.int64]") -> "NDArray[np.float64]":
    """The mean cosine with the nearest texts of each capability."""
    import numpy as np  # of the extra

    nearest = -np.sort(-np.append(cosines, -np.inf)[places], axis=1)[:, :_NEAREST]
    weights = np.where(np.isfinite(nearest), _FADE ** np.arange(nearest.shape[1]), 0.0)
    found: NDArray[np.float64] = np.where(np.isfinite(nearest), nearest, 0.0) * weights
    means: NDArray[np.float64] = found.sum(axis=1) / weights.sum(axis=1)
    return means


def _texts(capability: Capability) -> list[str]:
    """What stands for a capability: name, descriptions and their heads, examples, tags of each script."""
    descriptions = [text for text in capability.description.values() if text.strip()]
    heads = [_HEAD.split(text, maxsplit=1)[0] for text in descriptions]
    tags = [[t for t in capability.tags if bool(_HAN.search(t)) is is_han] for is_han in (False, True)]
    joined = [", ".join(tags[0]), "，".join(tags[1])]
    texts = (capability.name.replace("_", " "), *heads, *descriptions, *joined, *capability.examples)
    return [*dict.fromkeys(t for t in texts if t.strip())][:_MOST_TEXTS]
