"""How likely each capability is to be a step of the plan: logistic regression on what speaks for it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from easynet.planners.experience_evidence import Evidence
from easynet.planners.experience_plans import Ints
from easynet.planners.experience_text import Floats

_PRIOR = np.array([2.0, 1.5, 2.0, 1.5, 2.0, 1.0, 0.5, 0.3, 0.0, -5.5])
"""Weights before anything is learned; the last is the constant."""
WEIGHTS = len(_PRIOR)
_TRUST = 3.0
"""How strongly the weights are held to the prior."""
_ROUNDS = 12
_NEAR = (15, 10)
"""Of each request, so many capabilities teach: the best by past runs, and the best by words."""


@dataclass(frozen=True)
class Likelihood:
    """A capability's chance of being a step, from its features."""

    weights: Floats

    @classmethod
    def fit(cls, parts: Iterable[Evidence]) -> "Likelihood":
        """The weights that explain best which capabilities were steps (Newton's method)."""
        taught = [_near(evidence) for evidence in parts]
        features = _with_one(np.concatenate([found for found, _ in taught]).astype(np.float64))
        wanted = np.concatenate([is_step for _, is_step in taught])
        weights = _PRIOR.copy()
        for _ in range(_ROUNDS):
            chance = _chance(features @ weights)
            slope = features.T @ (chance - wanted) + _TRUST * (weights - _PRIOR)
            bend = (features * (chance * (1 - chance))[:, None]).T @ features
            weights = weights - np.linalg.solve(bend + _TRUST * np.eye(len(weights)), slope)
        return cls(weights.astype(np.float32))

    def __call__(self, evidence: Evidence) -> Floats:
        """The chance of each capability for each request; none where it is not offered."""
        chance = _chance(evidence.tool_features @ self.weights[:-1] + self.weights[-1])
        return np.where(evidence.view.is_offered, chance, 0.0).astype(np.float32)


def _near(evidence: Evidence) -> tuple[Floats, Floats]:
    """The features of the capabilities that teach, and whether each was a step."""
    past, own = evidence.view.past, evidence.own
    assert own is not None, "only past requests teach"
    is_step = np.zeros(evidence.tools.shape, np.float32)
    is_step[:, : len(past.names)] = past.has_step[own, :-1]
    near = (_rank(evidence.tools) < _NEAR[0]) | (_rank(evidence.fits) < _NEAR[1])
    return evidence.tool_features[near], is_step[near]


def _with_one(features: Floats) -> Floats:
    return np.hstack([features, np.ones((len(features), 1), features.dtype)])


def _chance(odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(odds, -30, 30)))


def _rank(values: Floats) -> Ints:
    return np.argsort(np.argsort(-values, axis=1), axis=1)
