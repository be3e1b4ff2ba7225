"""Tells capabilities apart by the vectors of their texts: ridge regression on whose each text is.

Hoerl & Kennard, "Ridge Regression", Technometrics 12 (1970). Cosines say what a text is near to; this says
what in it sets one capability apart from its neighbours and from what nothing here does.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STIFFNESS = 2.0
"""How much of itself each direction of the vectors has to show, in texts of an average capability."""


def fitted(rows: "NDArray[np.float32]", owners: "NDArray[np.int64]", count: int) -> "NDArray[np.float32]":
    """For each of `count` owners the weights by which a vector is its own: near 1 for its texts, else 0.

    Row i is a text of `owners[i]`. The last owner is the background. An owner's texts weigh as the root of
    their number, so that one with many does not silence one with few.
    """
    import numpy as np  # of the extra

    numbers = np.bincount(owners, minlength=count)
    weights = np.sqrt(numbers[:-1].mean() / np.maximum(numbers, 1)) if count > 1 else np.ones(count)
    weights[-1] = 1.0
    weighed = rows * weights[owners][:, None]
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, owners, weighed)
    spread = weighed.T @ rows + _STIFFNESS * np.eye(rows.shape[1])
    found: NDArray[np.float32] = np.linalg.solve(spread, sums.T).astype(np.float32)
    return found
