import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from easynet.specialists.ranking_quality import (
    auc,
    average_precision,
    best_threshold,
    bootstrap_intervals,
    share_interval,
)

cases = st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=4, max_size=60).filter(
    lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
)


@given(cases)
def test_auc_and_average_precision_agree_with_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    labels = np.array([label for label, _ in rows])
    scores = np.array([float(score) for _, score in rows])
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))


@given(cases)
def test_best_threshold_is_at_least_as_good_as_any_score(rows: list[tuple[bool, int]]) -> None:
    labels = np.array([label for label, _ in rows])
    scores = np.array([float(score) for _, score in rows])

    def balanced(threshold: float) -> float:
        return float((scores[labels] > threshold).mean() + (scores[~labels] <= threshold).mean()) / 2

    best = balanced(best_threshold(labels, scores))
    assert best >= max(balanced(t) for t in scores) - 1e-9


def test_bootstrap_interval_holds_the_estimate_and_has_a_width() -> None:
    random = np.random.default_rng(0)
    labels = random.random(200) < 0.3
    scores = random.normal(size=200) + labels
    (low, high), _ = bootstrap_intervals(labels, scores)
    assert low < auc(labels, scores) < high
    assert 0.05 < high - low < 0.25


def test_interval_of_a_perfect_share_is_not_a_point() -> None:
    low, high = share_interval(20, 20)
    assert (round(low, 3), high) == (0.839, 1.0)
    assert share_interval(0, 0) == (0.0, 1.0)
