import pytest
from scipy import stats

from repro.report.judge.student import critical


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 11, 30, 99])
@pytest.mark.parametrize("level", [0.3, 0.025, 1e-3, 1e-5])
def test_the_quantiles_are_those_of_students_t(degrees, level):
    assert critical(degrees, level) == pytest.approx(stats.t.isf(level, degrees), rel=2e-6)
