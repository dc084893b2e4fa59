import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.config.settings.common import Length, require
from repro.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "steps"), [("400 steps", 400), ("1 step", 1), ("3 epochs", 30), ("1 epoch", 10), ("30_000 steps", 30_000)]
)
def test_a_length_carries_its_unit(text, steps):
    assert Length.parse(text, "schedule.length").steps(steps_per_epoch=10) == steps


@pytest.mark.parametrize(
    "text", ["400", "steps", "0 steps", "-3 epochs", "1.5 epochs", "3 days", "", "3 epochs 4 steps"]
)
def test_a_length_without_a_sensible_unit_is_refused(text):
    with pytest.raises(ConfigError, match=r"schedule\.length is .*; it needs a count and a unit, such as"):
        Length.parse(text, "schedule.length")


def test_no_length_at_all_has_to_be_allowed():
    assert Length.parse("0 steps", "schedule.length", least=0).count == 0


@given(st.integers(1, 10**6), st.sampled_from(["steps", "epochs"]))
def test_a_length_is_written_as_it_is_read(count, unit):
    assert Length.parse(str(Length(count, unit)), "x") == Length(count, unit)


def test_what_is_required_is_refused_with_its_sentence():
    require(True, "never said")
    with pytest.raises(ConfigError, match=r"^said$"):
        require(False, "said")
