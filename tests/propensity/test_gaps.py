import numpy as np
import pytest
from scipy import sparse

from territory_lab.propensity import gaps


def test_the_strongest_lift_keeps_one_strong_pair_visible_among_popular_products():
    rng = np.random.default_rng(0)
    first = rng.random(4000) < 0.3
    second = rng.random(4000) < np.where(first, 0.45, 0.15)  # three times as likely given the first
    popular = rng.random((4000, 2)) < 0.6
    owned = np.column_stack([first, second, popular]).astype(float)
    lift = gaps.item_lifts(sparse.csr_array(owned))
    by_hand = second[first].mean() / second.mean()
    assert lift[first & ~second, 1] == pytest.approx(by_hand, rel=0.02)
    assert lift[~first & ~second & popular.any(axis=1), 1].max() < 1.1
    assert (lift[owned.sum(axis=1) == 0] == 0).all()
