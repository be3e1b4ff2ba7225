"""What past requests say about a new one: kernel ridge regression, with words weighed by what they teach."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, get_lapack_funcs

from easynet.planners.experience_text import Floats, Rows, of_length_one

_STIFFNESS, _FIRST_STIFFNESS = 0.2, 0.3
_WORD_POWER, _KERNEL_POWER = 0.75, 1.5
"""How strongly words that teach nothing fade, and how fast likeness does."""
_AT_ONCE = 50


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
        linear = _solved(_products(requests), labels[:, :teaching])
        taught = np.sqrt(_squares(requests, linear))
        weights = np.power(taught, _WORD_POWER).astype(np.float32)
        rows = of_length_one(requests.multiply(weights[None, :]).tocsr())
        alike = _products(rows)
        inverse = _inverted(_kernel(alike))
        coefficients = (inverse @ labels).astype(np.float32)
        others = coefficients / -np.diag(inverse)[:, None]
        others += labels
        np.fill_diagonal(alike, 0.0)
        return cls(weights, rows, coefficients), others, alike

    def __call__(self, requests: Rows) -> tuple[Floats, Floats]:
        """The labels of each request, and how like each past request it is."""
        weighed = of_length_one(requests.multiply(self.word_weights[None, :]).tocsr())
        alike = (weighed @ self.rows.T).toarray()
        return _kernel(alike) @ self.coefficients, alike


def _kernel(alike: Floats) -> Floats:
    return np.power(np.maximum(alike, 0), _KERNEL_POWER)


def _solved(products: Floats, labels: Floats) -> Floats:
    """The coefficients of the first, linear regression."""
    products[np.diag_indices_from(products)] += _FIRST_STIFFNESS
    factor = cho_factor(products, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, labels, check_finite=False), np.float32)


def _inverted(kernel: Floats) -> Floats:
    """The inverse of the stiffened kernel, made in its place: it is the largest table there is."""
    kernel[np.diag_indices_from(kernel)] += _STIFFNESS
    factor, _ = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    inverse, _ = get_lapack_funcs(("potri",), (factor,))[0](factor, lower=True, overwrite_c=True)
    lower = np.tril(inverse, -1)
    return np.asarray(np.tril(inverse) + lower.T, np.float32)


def _products(rows: Rows) -> Floats:
    """The product of each row with each, some rows at a time, because sparse products are large."""
    other = rows.T.tocsc()
    found = np.empty((rows.shape[0], rows.shape[0]), np.float32)
    for start in range(0, rows.shape[0], _AT_ONCE):
        found[start : start + _AT_ONCE] = (rows[start : start + _AT_ONCE] @ other).toarray()
    return found


def _squares(requests: Rows, coefficients: Floats) -> Floats:
    """For each word the sum of the squares of what it says about each label."""
    found = np.zeros(requests.shape[1], np.float32)
    by_word = requests.T.tocsr()
    for start in range(0, coefficients.shape[1], _AT_ONCE):
        found += ((by_word @ coefficients[:, start : start + _AT_ONCE]) ** 2).sum(axis=1)
    return found
