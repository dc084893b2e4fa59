import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.sweep.plan.spread import Spread, pooled


def test_rows_count_by_their_degrees_of_freedom():
    found = pooled([[1.0, 3.0], [2.0, 2.5, 3.0, 3.5], [7.0], []])
    assert (found.rows, found.degrees) == (2, 4)
    assert found.points == pytest.approx(np.sqrt((2.0 + 1.25) / 4))
    assert str(found) == "0.9 points (measured: 2 rows, 4 degrees of freedom)"
    assert str(Spread(0.5)) == "0.5 points (assumed)"


def test_rows_without_a_spread_enter_no_pool():
    assert pooled([]) is None
    assert pooled([[7.0], [7.6, 7.6, 7.6]]) is None
    assert pooled([[7.6, 7.6], [1.0, 3.0]]).rows == 1


@given(st.lists(st.floats(0, 100), min_size=2, max_size=9, unique=True))
def test_one_row_has_its_own_spread(values):
    found = pooled([values])
    assert found is None or found.points == pytest.approx(np.std(values, ddof=1))
