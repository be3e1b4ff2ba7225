"""What past requests say about a new one: kernel ridge regression, with words weighed by what they teach."""

from dataclasses import dataclass

import numpy as np

from easynet.planners.experience_text import Floats, Rows, of_length_one

_STIFFNESS, _FIRST_STIFFNESS = 0.2, 0.3
_WORD_POWER, _KERNEL_POWER = 0.75, 1.5
"""How strongly words that teach nothing fade, and how fast likeness does."""


@dataclass(frozen=True)
class Ridge:
    """Predicts the labels of a request from those of the requests that it is like."""

    word_weights: Floats
    rows: Rows
    """The past requests, weighed."""
    coefficients: Floats

    @classmethod
    def fit(cls, requests: Rows, labels: Floats, teaching: int) -> "tuple[Ridge, Floats, Floats]":
        """The regression; what it says of each request from all others; and how alike they are.

        A word's weight is the length of its coefficients in a first, linear regression to the `teaching`
        first labels: place names and numbers go with any plan and fade.
        """
        eye = np.eye(requests.shape[0], dtype=np.float32)
        linear = np.linalg.solve(
            (requests @ requests.T).toarray() + _FIRST_STIFFNESS * eye, labels[:, :teaching]
        )
        taught = requests.T @ linear
        weights = np.power(np.sqrt((taught**2).sum(axis=1)), _WORD_POWER).astype(np.float32)
        rows = of_length_one(requests.multiply(weights[None, :]).tocsr())
        alike = (rows @ rows.T).toarray()
        inverse = np.linalg.inv(_kernel(alike) + _STIFFNESS * eye)
        coefficients = (inverse @ labels).astype(np.float32)
        others = labels - coefficients / np.diag(inverse)[:, None]
        np.fill_diagonal(alike, 0.0)
        return cls(weights, rows, coefficients), others.astype(np.float32), alike

    def __call__(self, requests: Rows) -> tuple[Floats, Floats]:
        """The labels of each request, and how like each past request it is."""
        weighed = of_length_one(requests.multiply(self.word_weights[None, :]).tocsr())
        alike = (weighed @ self.rows.T).toarray()
        return _kernel(alike) @ self.coefficients, alike


def _kernel(alike: Floats) -> Floats:
    return np.power(np.maximum(alike, 0), _KERNEL_POWER)
