"""Rows of a table as numbers for a model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from easynet.specialists.columns import Kind, to_numbers

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_INDICATORS = 20
"""Rarer levels of a category share the code of a missing value."""


@dataclass(frozen=True)
class Feature:
    """One column as a model sees it."""

    name: str
    kind: Literal["number", "category"]
    median: float = 0.0
    """Of a number, over the training rows; stands in for missing values."""
    levels: list[str] = field(default_factory=list)
    """Of a category, in the training rows, most common first."""


@dataclass(frozen=True)
class FeatureEncoder:
    """Turns rows into a matrix; what it needs was learnt from the training rows alone."""

    features: tuple[Feature, ...]

    @classmethod
    def learnt(cls, rows: "pd.DataFrame", kinds: Mapping[str, Kind]) -> Self:
        """The encoder for these training rows."""
        return cls(tuple(_feature(str(name), rows[name], kinds[str(name)]) for name in rows.columns))

    @classmethod
    def from_json(cls, features: list[dict[str, Any]]) -> Self:
        """The encoder that `to_json` described."""
        return cls(tuple(Feature(**f) for f in features))

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(f) for f in self.features]

    @property
    def columns(self) -> list[str]:
        """The names of the columns that rows must have."""
        return [f.name for f in self.features]

    @property
    def groups(self) -> list[list[int]]:
        """For each column, its places in the matrix."""
        places: list[list[int]] = []
        start = 0
        for feature in self.features:
            width = 1 if feature.kind == "number" else len(_indicators(feature))
            places.append(list(range(start, start + width)))
            start += width
        return places

    def matrix(self, rows: "pd.DataFrame") -> "NDArray[np.float64]":
        """One line of numbers for each row, without gaps."""
        import numpy as np  # heavy

        blocks: list[NDArray[np.float64]] = []
        for feature in self.features:
            column = rows[feature.name]
            if feature.kind == "number":
                numbers = to_numbers(column).fillna(feature.median)
                blocks.append(numbers.to_numpy(dtype=np.float64)[:, None])
            else:
                texts = level_texts(column).to_numpy(dtype=object)
                blocks.extend((texts == level).astype(np.float64)[:, None] for level in _indicators(feature))
        return np.hstack(blocks)


def level_texts(column: "pd.Series") -> "pd.Series":
    """A category's values as text: whole numbers without a fraction, None where missing."""

    def text(value: Any) -> str | None:
        if value is None or value != value:  # NaN is not equal to itself
            return None
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value).strip()

    return column.astype("object").map(text)


def _feature(name: str, column: "pd.Series", kind: Kind) -> Feature:
    if kind == "number":
        numbers = to_numbers(column).dropna()
        return Feature(name, "number", median=float(numbers.median()) if len(numbers) else 0.0)
    common = level_texts(column).dropna().value_counts()
    # Equally common levels are put in order, so that the same rows give the same encoder.
    levels = sorted(common.index, key=lambda level: (-int(common[level]), str(level)))
    return Feature(name, "category", levels=[str(level) for level in levels])


def _indicators(feature: Feature) -> list[str]:
    """The levels that get a 0/1 column; of two levels one suffices."""
    return feature.levels[1:] if len(feature.levels) == 2 else feature.levels[:MOST_INDICATORS]
