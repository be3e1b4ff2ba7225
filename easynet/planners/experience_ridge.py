"""What past requests say about a new one: kernel ridge regression, with words weighed by what they teach."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from easynet.planners.experience_plans import Ints
from easynet.planners.experience_text import Floats, Rows, of_length_one

_STIFFNESS, _FIRST_STIFFNESS = 0.2, 0.3
_WORD_POWER, _KERNEL_POWER = 0.75, 1.5
"""How strongly words that teach nothing fade, and how fast likeness does."""
_AT_ONCE = 50


@dataclass(frozen=True)
class Ridge:
    """Predicts the labels of a request from those of the requests that it is like.

    All labels of a past request are those of its plan, so that one coefficient for each plan says all.
    """

    word_weights: Floats
    rows: Rows
    """The past requests, weighed."""
    by_plan: Floats
    """How much each past request speaks for each plan."""
    labels: Rows
    """What each plan is to be known by: sparse."""

    @classmethod
    def fit(cls, requests: Rows, of_run: Ints, labels: Rows, teaching: int) -> "tuple[Ridge, Others]":
        """The regression to the labels of each request's plan, and what it says of each from all others.

        A word's weight is the length of its coefficients in a first, linear regression to the `teaching`
        first labels: place names and numbers go with any plan and fade. The one large table, of each request
        by each, is worked on in its place: of 3,000 requests it takes 36 MB.
        """
        linear = _solved(_products(requests), labels[:, :teaching][of_run].toarray(order="F"))
        taught = np.sqrt(_squares(requests, linear))
        weights = np.power(taught, _WORD_POWER).astype(np.float32)
        rows = of_length_one(requests.multiply(weights[None, :]).tocsr())
        by_plan = np.zeros((len(of_run), labels.shape[0]), np.float32, order="F")
        by_plan[np.arange(len(of_run)), of_run] = 1
        by_plan, own = _solved_with_own(_products(rows, _kernel), by_plan)
        ridge = cls(weights, rows, np.ascontiguousarray(by_plan), labels)
        return ridge, Others(ridge, of_run, own)

    def __call__(self, requests: Rows) -> tuple[Floats, Floats]:
        """The labels of each request, and how like each past request it is."""
        weighed = of_length_one(requests.multiply(self.word_weights[None, :]).tocsr())
        alike = (weighed @ self.rows.T).toarray()
        return _labels(_kernel(alike) @ self.by_plan, self.labels), alike


@dataclass(frozen=True)
class Others:
    """What each past request would be told if it had not been there itself."""

    ridge: Ridge
    of_run: Ints
    own: Floats
    """The diagonal of the inverted kernel: it takes one's own part out (leave-one-out in one step)."""

    def predicted(self, start: int, end: int) -> Floats:
        """The labels of some of the requests."""
        ridge, part = self.ridge, slice(start, end)
        told = _labels(ridge.by_plan[part] / -self.own[part, None], ridge.labels)
        return np.asarray(told + ridge.labels[self.of_run[part]].toarray())

    def alike(self, start: int, end: int) -> Floats:
        """How like all others some of the requests are; 0 for each itself."""
        rows = self.ridge.rows
        found = np.ascontiguousarray((rows @ rows[start:end].T.toarray()).T)
        found[np.arange(end - start), np.arange(start, end)] = 0.0
        return found


def _labels(by_plan: Floats, labels: Rows) -> Floats:
    return np.asarray(by_plan @ labels, np.float32)


def _kernel(alike: Floats) -> Floats:
    return np.power(np.maximum(alike, 0), _KERNEL_POWER)


def _solved(products: Floats, labels: Floats) -> Floats:
    """The coefficients of the first, linear regression."""
    from scipy.linalg import cho_factor, cho_solve  # planning needs no solver

    products[np.diag_indices_from(products)] += _FIRST_STIFFNESS
    factor = cho_factor(products, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, labels, overwrite_b=True, check_finite=False), np.float32)


def _solved_with_own(kernel: Floats, labels: Floats) -> tuple[Floats, Floats]:
    """The coefficients, and the diagonal of the inverse of the stiffened kernel."""
    from scipy.linalg import cho_factor, cho_solve, get_lapack_funcs

    kernel[np.diag_indices_from(kernel)] += _STIFFNESS
    factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    found = cho_solve(factor, labels, overwrite_b=True, check_finite=False)
    inverse, _ = get_lapack_funcs(("trtri",), (factor[0],))[0](factor[0], lower=True, overwrite_c=True)
    own = [
        np.einsum("ij,ij->j", lower, lower)
        for start, end in _parts(len(inverse))
        for lower in (np.tril(inverse[:, start:end], -start),)
    ]
    return found, np.concatenate(own)


def _products(rows: Rows, weigh: Callable[[Floats], Floats] = np.asarray) -> Floats:
    """The product of each row with each, some rows at a time.

    In the order of LAPACK, which then works in the table itself.
    """
    found = np.empty((rows.shape[0], rows.shape[0]), np.float32, order="F")
    for start, end in _parts(rows.shape[0]):
        found[:, start:end] = weigh(rows @ rows[start:end].T.toarray())
    return found


def _squares(requests: Rows, coefficients: Floats) -> Floats:
    """For each word the sum of the squares of what it says about each label."""
    found = np.zeros(requests.shape[1], np.float32)
    by_word = requests.T.tocsr()
    for start, end in _parts(coefficients.shape[1]):
        found += ((by_word @ coefficients[:, start:end]) ** 2).sum(axis=1)
    return found


def _parts(size: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + _AT_ONCE, size)) for start in range(0, size, _AT_ONCE))
