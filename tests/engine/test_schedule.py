import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.engine.schedule import poly


@given(st.integers(1, 50_000), st.floats(1e-4, 1), st.floats(0.1, 2))
def test_poly_starts_at_the_rate_and_falls_to_almost_nothing(steps, rate, power):
    rates = [poly(step, steps, rate, power) for step in {0, steps // 2, steps - 1}]
    assert poly(0, steps, rate, power) == rate
    assert all(0 < value <= rate for value in rates)
    assert poly(steps - 1, steps, rate, power) == pytest.approx(rate * (1 / steps) ** power)


def test_poly_by_hand():
    assert poly(15_000, 30_000, 0.007, 0.9) == pytest.approx(0.007 * 0.5**0.9)
