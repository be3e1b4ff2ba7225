"""Which of a request's candidates is the plan: a small network that learns to tell them apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easynet.planners.experience_plans import Ints
from easynet.planners.experience_text import Floats

_HIDDEN, _NETWORKS = 32, 3
_RATE, _DECAY, _DROPPED = 3e-3, 1e-4, 0.1
_BATCH, _LEAST_STEPS, _ROUNDS = 64, 300, 30
_FADE_1, _FADE_2 = 0.9, 0.999
_FARTHEST = 5.0
_BY_WORDS = 0.8
"""How much the first feature, what words alone say, counts before anything is learned."""


class Examples:
    """Candidates of past requests with what they were worth, in half precision because they are many."""

    def __init__(self) -> None:
        self.features: list[NDArray[np.float16]] = []
        self.worth: list[Floats] = []
        self.starts: list[Ints] = []
        self._count = 0

    def add(self, features: Floats, worth: Floats, starts: Ints) -> None:
        """Add the candidates of some requests; those of each begin at `starts`.

        `worth` is each candidate's chance of being the plan; it sums to one over those of a request.
        """
        self.features.append(features.astype(np.float16))
        self.worth.append(worth)
        self.starts.append(starts + self._count)
        self._count += len(features)

    def mean_and_spread(self) -> tuple[Floats, Floats]:
        """Of each feature."""
        sums = sum(f.sum(axis=0, dtype=np.float64) for f in self.features)
        mean = np.asarray(sums / self._count)
        squares = sum(((f - mean) ** 2).sum(axis=0) for f in self.features)
        spread = np.sqrt(squares / self._count) + 1e-6
        return mean.astype(np.float32), np.asarray(spread, np.float32)

    def scaled(self, mean: Floats, spread: Floats) -> Floats:
        """All features, brought to one scale; the features themselves are gone then."""
        found = np.empty((self._count, len(mean)), np.float16)
        end = self._count
        while self.features:
            part = self.features.pop()
            found[end - len(part) : end] = _scaled(part, mean, spread)
            end -= len(part)
        return found


@dataclass(frozen=True)
class Ranker:
    """Scores candidates; those of one request are comparable, as logarithms of their chances."""

    mean: Floats
    spread: Floats
    networks: Sequence[Sequence[Floats]]

    @classmethod
    def fit(cls, examples: "Examples", seed: int = 0) -> "Ranker":
        """Networks that give each request's best candidates the highest chances."""
        mean, spread = examples.mean_and_spread()
        scaled = examples.scaled(mean, spread)
        groups = np.split(np.arange(len(scaled)), np.concatenate(examples.starts)[1:])
        worth = np.concatenate(examples.worth)
        prior = np.zeros(scaled.shape[1], np.float32)
        prior[0] = _BY_WORDS * spread[0]
        networks = [_trained(scaled, worth, groups, prior, seed + i) for i in range(_NETWORKS)]
        return cls(mean, spread, networks)

    def __call__(self, features: Floats) -> Floats:
        """A score for each candidate."""
        scaled = _scaled(features, self.mean, self.spread)
        found = [np.maximum(scaled @ w + b, 0) @ v + scaled @ direct for w, b, v, direct in self.networks]
        return np.asarray(np.mean(found, axis=0))


def _scaled(features: Floats, mean: Floats, spread: Floats) -> Floats:
    return np.clip((features - mean) / spread, -_FARTHEST, _FARTHEST).astype(np.float32)


def _trained(scaled: Floats, worth: Floats, groups: Sequence[Ints], prior: Floats, seed: int) -> list[Floats]:
    """One network, by stochastic gradients (Adam) on the cross entropy between chances and worth."""
    random = np.random.default_rng(seed)
    width = scaled.shape[1]
    network = [
        random.normal(0, 1 / np.sqrt(width), (width, _HIDDEN)).astype(np.float32),
        np.zeros(_HIDDEN, np.float32),
        np.zeros(_HIDDEN, np.float32),
        prior.copy(),
    ]
    slopes = [np.zeros_like(part) for part in network]
    squares = [np.zeros_like(part) for part in network]
    batch = min(_BATCH, max(8, len(groups) // 8))
    rounds = max(_ROUNDS, -(-_LEAST_STEPS * batch // len(groups)))
    step, last = 0, rounds * -(-len(groups) // batch)
    for _ in range(rounds):
        order = random.permutation(len(groups))
        for at in range(0, len(order), batch):
            step += 1
            rate = _RATE * (1 - step / (last + 1)) + 1e-5
            picked = [groups[i] for i in order[at : at + batch]]
            kept = (random.random(_HIDDEN) > _DROPPED).astype(np.float32) / (1 - _DROPPED)
            for i, gradient in enumerate(_gradient(network, prior, scaled, worth, picked, kept)):
                slopes[i] = _FADE_1 * slopes[i] + (1 - _FADE_1) * gradient
                squares[i] = _FADE_2 * squares[i] + (1 - _FADE_2) * gradient**2
                slope, square = slopes[i] / (1 - _FADE_1**step), squares[i] / (1 - _FADE_2**step)
                network[i] -= rate * slope / (np.sqrt(square) + 1e-8)
    return network


def _gradient(
    network: Sequence[Floats],
    prior: Floats,
    scaled: Floats,
    worth: Floats,
    picked: Sequence[Ints],
    kept: Floats,
) -> tuple[Floats, ...]:
    rows = np.concatenate(picked)
    sizes = [len(group) for group in picked]
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    of_group = np.repeat(np.arange(len(picked)), sizes)
    x = scaled[rows].astype(np.float32)
    hidden, bias, out, direct = network
    before = x @ hidden + bias
    after = np.maximum(before, 0) * kept
    scores = after @ out + x @ direct
    exps = np.exp(scores - np.maximum.reduceat(scores, starts)[of_group])
    chances = exps / np.add.reduceat(exps, starts)[of_group]
    wrong = ((chances - worth[rows]) / len(picked)).astype(np.float32)
    back = np.outer(wrong, out) * kept * (before > 0)
    return (
        x.T @ back + _DECAY * hidden,
        back.sum(axis=0),
        after.T @ wrong + _DECAY * out,
        x.T @ wrong + _DECAY * (direct - prior),
    )
