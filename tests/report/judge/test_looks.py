import pytest

from repro.report.judge.looks import LOOKS, next_number, price, significance
from repro.report.judge.statistics import LEVEL
from tests.bench.looks import CLAIMS, false_share


@pytest.mark.parametrize("planned", [3, 5, 7, 12])
def test_the_planned_number_and_all_looks_together_spend_the_level_of_a_table(planned):
    assert sum(significance(seeds, planned) for seeds in {*LOOKS, planned}) == pytest.approx(LEVEL)
    assert significance(planned, planned) == pytest.approx(0.03)


def test_the_level_depends_on_the_number_alone():
    assert significance(5, planned=3) == significance(8, planned=3) == significance(100, planned=3)
    assert significance(4, planned=4) > significance(5, planned=4)
    for seeds in (3, 4, 12, 40):
        assert price(seeds, planned=5) * significance(seeds, planned=5) == pytest.approx(LEVEL)


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("planned", [3, 5])
def test_some_look_decides_falsely_in_at_most_one_table_of_twenty(claims, planned):
    assert 0.01 < false_share(claims, LOOKS, 4_000, planned=planned) <= LEVEL


def test_looking_without_a_price_would_decide_falsely_in_more():
    assert false_share(CLAIMS["one claim"], LOOKS, 10_000, planned=None) > 2 * LEVEL


@pytest.mark.parametrize(
    ("complete", "all_decided", "number"),
    [
        (0, False, 3),
        (0, True, 3),
        (3, False, 5),
        (5, False, 8),
        (8, False, 12),
        (12, False, 12),
        (3, True, 3),
        (8, True, 8),
    ],
)
def test_seeds_are_added_until_all_is_decided_or_the_last_look_is_done(complete, all_decided, number):
    assert next_number(complete, all_decided=all_decided) == number
