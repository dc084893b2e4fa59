import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.config.settings import Average, ScaledSize, window_stride
from repro.errors import ConfigError
from tests.composed import composed


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("evaluation.scales=[1,0.5,1.0]", "evaluation.scales holds 1.0 twice"),
        ("evaluation.scales=[]", "evaluation.scales needs at least one positive scale"),
        ("evaluation.scales=[1,0]", "evaluation.scales needs at least one positive scale"),
        ("evaluation.window=0", "evaluation.window must be at least 1 pixel"),
        ("evaluation.window_stride=8", "must lie between 1 and evaluation.window, which is null"),
        ("evaluation.batch_size=0", "evaluation.batch_size is 0; it must be at least 1"),
        ("evaluation.panels=-1", "evaluation.panels is -1; it cannot be negative"),
        ("evaluation.average=median", "evaluation.average"),
    ],
)
def test_a_value_out_of_its_range_is_one_sentence(override, sentence):
    with pytest.raises(ConfigError) as caught:
        _ = composed(override).settings
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


SIXTHS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)


def test_sides_of_8n_plus_1_keep_that_form_or_are_rounded():
    assert [ScaledSize.plus_one(513, scale) for scale in SIXTHS] == [257, 385, 513, 641, 769, 897]
    assert [ScaledSize.rounded(513, scale) for scale in SIXTHS] == [256, 385, 513, 641, 770, 898]
    assert [size(1, 0.1) for size in ScaledSize] == [1, 1]


@pytest.mark.parametrize("stride", [0, 9])
def test_windows_may_not_leave_gaps(stride):
    with pytest.raises(ConfigError, match=r"it must lie between 1 and evaluation\.window, which is 8"):
        _ = composed("evaluation.window=8", f"evaluation.window_stride={stride}").settings


def test_a_protocol_is_typed():
    protocol = composed(
        "evaluation.scales=[1,2]", "evaluation.average=logits", "evaluation.window=9"
    ).settings.evaluation
    assert (protocol.scales, protocol.average, protocol.window) == ([1.0, 2.0], Average.logits, 9)
    assert (protocol.split, protocol.window_stride) == (None, None)


@given(st.integers(1, 2000))
def test_windows_overlap_by_a_third(window):
    stride = window_stride(window)
    assert 1 <= stride <= window
    assert stride - 1 < 2 * window / 3 <= stride
    assert math.isclose(stride, 2 * window / 3, abs_tol=1)
