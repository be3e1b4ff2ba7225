"""What tells the vectors of one capability from those of another."""

import numpy as np

from easynet.planners.meaning_ridge import fitted


def test_a_text_is_most_its_owners_and_what_owners_share_tells_them_apart_least() -> None:
    rows = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]], np.float32)
    weights = fitted(rows, np.array([0, 0, 1, 2]), 3)
    assert np.argmax(rows @ weights, axis=1).tolist() == [0, 0, 1, 2]
    shared, own = weights[0, 0] - weights[0, 1], weights[1, 0] - weights[1, 1]
    assert own > shared


def test_with_no_capability_all_is_the_backgrounds() -> None:
    rows = np.eye(3, dtype=np.float32)
    assert (np.diag(rows @ fitted(rows, np.zeros(3, np.int64), 1).repeat(3, axis=1)) > 0).all()
