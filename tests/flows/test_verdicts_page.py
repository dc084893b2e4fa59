"""The page on verdicts: its examples by hand, its simulated tables, and the bounds that verdicts must hold."""

import re

import numpy as np
import pytest

from repro.report.judge.comparisons import UPWARDS, compare
from repro.report.judge.contrasts import Contrast, Term
from repro.report.judge.looks import price
from repro.report.judge.statistics import estimate
from repro.report.judge.verdicts import more_seeds, seeds_that_decide, try_cell
from tools.verdicts import PAGE, PARTS, RULES, SPREADS, cells, decided, drawn, is_beyond

TEXT = PAGE.read_text(encoding="utf-8")
TRIALS, TOLD_TRIALS = 4000, 400
FIVE = [75.0, 75.3, 75.6, 74.9, 75.7]


def example(published, family=1):
    """Verdict and p-value of the page's five seeds."""
    test = try_cell(estimate([FIVE]), estimate([FIVE], [1.0]), published, 1.0, 0.05)
    return str(test.verdicts(family * test.away)), float(test.away)


def side(run, *values):
    return Contrast((Term(1.0, run, run, dict(enumerate(values))),))


def told(number):
    assert number in TEXT


def test_the_cells_of_the_page_by_hand():
    assert example(75.4)[0] == "reproduced"
    told("74.96 to 75.64")
    verdict, p_value = example(76.0)
    assert (verdict, f"{p_value:.2f}") == ("inconclusive", "0.17")
    more = more_seeds(5)
    test = try_cell(estimate([FIVE]).with_seeds(more), estimate([FIVE], [1.0]).with_seeds(more), 76.0, 1.0, 0.05)
    assert seeds_that_decide(5, test.verdicts(test.away) != "inconclusive") == 6
    verdict, p_value = example(77.3)
    assert (verdict, f"{p_value:.4f}") == ("below", "0.0073")
    assert (example(77.3, 6)[0], example(77.3, 7)[0]) == ("below", "inconclusive")


def test_the_claims_of_the_page_by_hand():
    aspp, price_of_three = side("a", 72.74, 73.56, 72.84), price(3, planned=3)
    found = float(compare(side("m", 53.54, 54.93, 53.02), aspp, UPWARDS).reversed)
    assert (f"{found:.5f}", f"{6 * price_of_three * found:.4f}") == ("0.00032", "0.0032")
    found = float(compare(side("b", 68.72, 70.24, 68.78), aspp, UPWARDS).reversed)
    assert (f"{found:.4f}", f"{2 * price_of_three * 5 * found:.3f}") == ("0.0040", "0.066")
    cited = Contrast(constant=75.0, cited=(1.0,), half=0.05)
    found = float(compare(side("a", 79.0, 79.5, 79.2), cited, UPWARDS).holds)
    price_at_paper_scale = price(3, planned=5)
    assert (f"{found:.4f}", f"{price_at_paper_scale * found:.3f}") == ("0.0048", "0.036")
    assert 2 * price_at_paper_scale * found > 0.05


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("spread", SPREADS)
def test_above_and_below_are_false_in_five_tables_of_a_hundred_at_most(spread, seeds):
    verdicts = cells(np.random.default_rng(seeds), SPREADS[spread], seeds, TRIALS)
    assert is_beyond(verdicts).any(axis=1).mean() <= 0.05


def test_a_perfect_reproduction_is_seen_with_five_seeds():
    verdicts = cells(np.random.default_rng(0), SPREADS["0.5"], 5, TRIALS)
    assert (verdicts == "reproduced").mean() >= 0.6


@pytest.mark.parametrize("shared", [0.0, 0.9, -0.9])
@pytest.mark.parametrize("spread", SPREADS)
def test_claims_are_false_in_three_tables_of_a_hundred_whatever_the_spreads(spread, shared):
    """At the number of seeds that is planned; the rest of the 5 % is for other looks."""
    scores = drawn(np.random.default_rng(0), SPREADS[spread], 3, TRIALS, shared)
    holds, turned = decided(RULES["paired by seed"](scores))
    assert (holds | turned).any(axis=1).mean() <= 0.03 + 3 * (0.03 * 0.97 / TRIALS) ** 0.5


def figures(line):
    return [float(number) for number in re.findall(r"(?<![\d.])\d+\.\d(?![\d.])", line)]


@pytest.mark.parametrize("place", range(len(PARTS)))
def test_the_tables_of_the_page_are_those_of_the_tool(place):
    (begin, end), rows = PARTS[place]
    lines = TEXT.partition(begin)[2].partition(end)[0].strip().splitlines()
    simulated = list(rows(TOLD_TRIALS))
    assert lines[:2] == simulated[:2]
    assert len(lines) == len(simulated)
    for line, other in zip(lines[2:], simulated[2:], strict=True):
        assert re.sub(r"\d+\.\d", "", line) == re.sub(r"\d+\.\d", "", other)
        assert np.allclose(figures(line), figures(other), atol=10)  # four standard errors of so few trials
