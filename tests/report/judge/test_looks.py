import pytest

from repro.report.judge.looks import LEVEL, LOOKS, next_number, price, significance
from tests.bench.looks import CLAIMS, false_share


def test_the_looks_together_spend_the_level_of_a_table():
    assert sum(map(significance, LOOKS)) == pytest.approx(LEVEL)
    assert [significance(seeds) / significance(1) for seeds in LOOKS] == pytest.approx(list(LOOKS))


def test_the_level_depends_on_the_number_alone():
    assert significance(100) == significance(12) < LEVEL
    assert significance(5, planned=5) == LEVEL
    assert significance(5, planned=8) == significance(5)
    for seeds in (3, 4, 12, 40):
        assert price(seeds) * significance(seeds) == pytest.approx(LEVEL)
    assert price(7, planned=7) == 1.0


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_some_look_decides_falsely_in_at_most_one_table_of_twenty(claims):
    assert 0.01 < false_share(claims, LOOKS, 4_000) <= LEVEL


def test_looking_without_a_price_would_decide_falsely_in_more():
    assert false_share(CLAIMS["one claim"], LOOKS, 10_000, spends=False) > 2 * LEVEL


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
