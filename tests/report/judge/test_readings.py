"""What another reading of an open setting does to a cell."""

import pytest

from repro.experiments.readings import open_readings
from repro.report.judge.evidence import Evidence
from repro.report.judge.readings import Direction, effect, effects
from repro.store.runs_csv import recorded
from tests.report.made_runs import record_of


@pytest.fixture(scope="module")
def sixteen(as_printed):
    (found,) = [item for item in open_readings(as_printed.found) if item.base == as_printed.cell("Rates").address]
    return found


def lines_of(measurement, scores):
    made = [recorded(record_of(measurement, seed, score)) for seed, score in scores.items()]
    return {line.evaluation_id: line for line in made}


def effect_of(made, reading, known):
    """The only effect, after Holm."""
    (found,) = effects(Evidence(made.found, known), [reading], made.found)
    return found


def test_difference_is_paired_by_seed(as_printed, sixteen):
    known = as_printed.lines("Rates", [70.0, 72.0, 74.0, 99.0])
    known |= lines_of(sixteen.measurement, {0: 71.0, 1: 73.1, 2: 74.9, 7: 1.0})
    found = effect_of(as_printed, sixteen, known)
    assert found.difference.n == 3
    assert found.difference.mean == pytest.approx(1.0)
    assert found.base == pytest.approx(72.0)
    assert found.direction is Direction.RAISES
    assert (found.entry.setting, found.name) == ("batch_size", "sixteen")


@pytest.mark.parametrize(
    ("scores", "direction"),
    [
        ({0: 69.0, 1: 71.1, 2: 72.9}, Direction.LOWERS),
        ({0: 69.0, 1: 75.0, 2: 74.0}, Direction.UNDECIDED),
        ({0: 72.0, 1: 74.0}, Direction.UNDECIDED),
        ({0: 75.0}, Direction.UNDECIDED),
        ({0: 72.0, 1: 74.0, 2: 76.0}, Direction.UNDECIDED),  # the same difference thrice, which no seed moves
        ({3: 80.0, 4: 81.1, 5: 82.9}, Direction.RAISES),  # other seeds
    ],
)
def test_directions(as_printed, sixteen, scores, direction):
    known = as_printed.lines("Rates", [70.0, 72.0, 74.0]) | lines_of(sixteen.measurement, scores)
    assert effect_of(as_printed, sixteen, known).direction is direction


def test_effects_are_corrected_for_their_number(as_printed):
    readings = open_readings(as_printed.found)
    known = {}
    for row, values in (("Plain", [70.0, 71.0, 72.5]), ("Rates", [73.0, 74.0, 75.0])):
        known |= as_printed.lines(row, values)
        (own,) = [item for item in readings if item.base == as_printed.cell(row).address]
        known |= lines_of(own.measurement, {seed: value + 1 + 0.1 * seed for seed, value in enumerate(values)})
    found = effects(Evidence(as_printed.found, known), readings, as_printed.found)
    assert len(found) > 2  # gains as well
    assert all(item.p_value <= item.adjusted for item in found if item.p_value is not None)
    assert max(item.adjusted / item.p_value for item in found if item.p_value) > 1.5


def test_nothing_to_say_without_both_readings(as_printed, sixteen):
    base = as_printed.cell("Rates")
    for known in ({}, as_printed.lines("Rates", [70.0]), lines_of(sixteen.measurement, {0: 70.0})):
        assert effect(Evidence(as_printed.found, known), sixteen, base) is None
