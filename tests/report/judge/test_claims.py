"""Claims of the small table, judged from its runs."""

import dataclasses
import statistics

import pytest
from scipy import stats

from repro.papers import Address, Amount, Gain, Margin, Operator
from repro.report.judge.claims import NO_SIZE, NOT_AGAINST_CITED, ONE_RUN, Claims
from repro.report.judge.evidence import Evidence
from repro.report.judge.looks import price
from repro.report.judge.verdicts import Tolerance
from tests.report.judge.made_claims import a_claim
from tests.report.made_runs import Made

RATES, SMALLER, PLAIN = [71.0, 75.0, 73.0], [72.0, 76.0, 74.1], [68.0, 72.1, 69.9]


def at(row, column="mIoU"):
    return Address("small/table1", row, column)


def results(made, claims, *lines):
    known = {key: line for group in lines for key, line in group.items()}
    judge = Claims(made.found, Evidence(made.found, known), Tolerance(1.0, 0.02))
    return judge.results(dataclasses.replace(made.table, claims=tuple(claims)))


def result(made, left, operator, right, *lines, **words):
    (found,) = results(made, [a_claim(left, operator, right, **words)], *lines)
    return found


def measured(made):
    return made.lines("Rates", RATES), made.lines("Plain", PLAIN), made.lines("Rates, smaller", SMALLER)


def test_a_direction_at_any_scale(shortened, as_printed):
    for made in (shortened, as_printed):
        found = result(made, at("Rates"), ">", at("Plain"), *measured(made))
        (part,) = found.parts
        assert (found.verdict, part.method, part.difference.n) == ("holds", "paired by seed", 3)
        assert (found.printed, part.printed.difference.value) == ("holds", 3.0)
        assert found.p_value == part.p_value
        assert found.adjusted == pytest.approx(found.p_value * price(3, made.found.scale.planned_seeds))
        assert not found.is_direction_only
        assert result(made, at("Plain"), ">", at("Rates"), *measured(made)).verdict == "reversed"


def test_gains_over_one_base_are_compared_without_it(shortened):
    found = result(shortened, at("Rates", "Gain"), ">", at("Rates, smaller", "Gain"), *measured(shortened))
    assert found.verdict == "reversed"
    assert found.parts[0].difference.mean == pytest.approx(-1.0333, abs=1e-3)


def test_disjoint_seeds_are_two_samples(shortened):
    plain = dict(list(shortened.lines("Plain", [0.0, 0.0, 0.0, 58.0, 59.0, 60.0]).items())[3:])
    (part,) = result(shortened, at("Rates"), ">", at("Plain"), shortened.lines("Rates", RATES), plain).parts
    assert (part.verdict, part.method) == ("holds", "separate seeds")


def test_too_few_seeds_decide_nothing(shortened):
    lines = shortened.lines("Rates", [80.0, 81.0]), shortened.lines("Plain", [70.0, 70.5])
    found = result(shortened, at("Rates"), ">", at("Plain"), *lines)
    assert (found.verdict, found.reason) == ("inconclusive", "2 of the 3 seeds that a comparison needs")


def test_no_spread_decides_nothing(shortened):
    lines = shortened.lines("Rates", [75.5, 75.5, 75.5]), shortened.lines("Plain", PLAIN)
    found = result(shortened, at("Rates"), ">", at("Plain"), *lines)
    assert (found.verdict, found.p_value) == ("inconclusive", None)
    assert "no spread over 3 seeds" in found.reason


def test_a_cited_side_is_held_against_one_more_run(as_printed):
    lines = as_printed.lines("Rates", [79.0, 79.5, 79.2])
    found = result(as_printed, at("Rates"), ">", at("Someone [1]"), lines)
    assert (found.verdict, found.parts[0].method, found.printed) == ("holds", "against one run", "reversed")
    close = result(as_printed, at("Rates"), ">", at("Someone [1]"), as_printed.lines("Rates", [75.8, 76.3, 76.0]))
    assert close.verdict == "inconclusive"  # although the mean is significantly above 75.0
    assert close.parts[0].difference.low < 0


def test_a_cited_side_is_not_held_against_runs_that_deviate(shortened):
    for lines in ([], [shortened.lines("Rates", [99.0, 99.1, 99.2])]):
        found = result(shortened, at("Rates"), ">", at("Someone [1]"), *lines)
        assert (found.verdict, found.reason) == ("cited", NOT_AGAINST_CITED)


def test_what_is_not_ours_is_not_judged(as_printed):
    found = result(as_printed, at("Someone [1]"), ">", 70.0)
    assert (found.verdict, found.reason) == ("cited", "neither side is ours")


def test_sides_that_are_not_measured(as_printed):
    assert result(as_printed, at("Rates"), ">", at("Plain")).reason == "Rates is not run; Plain is not run"
    assert result(as_printed, at("Rates"), ">", at("Someone [1]")).verdict == "not run"
    assert result(as_printed, at("Deeper"), ">", at("Server")).verdict == "server only"


def test_an_amount(as_printed, shortened):
    by = Amount(3.0, 3.0)
    assert result(as_printed, at("Rates"), ">", at("Plain"), *measured(as_printed), by=by).verdict == "holds"
    found = result(as_printed, at("Rates"), ">", at("Plain"), *measured(as_printed), by=Amount(6.0, 7.0))
    assert found.verdict == "reversed"
    found = result(shortened, at("Rates"), ">", at("Plain"), *measured(shortened), by=Amount(6.0, 7.0))
    assert (found.verdict, found.is_direction_only) == ("holds", True)


def test_a_margin(as_printed, shortened):
    words = {"within": Margin(4.0, False, "the text calls it small")}
    assert result(as_printed, at("Rates"), "=", at("Plain"), *measured(as_printed), **words).verdict == "holds"
    assert result(as_printed, at("Plain"), ">=", at("Rates"), *measured(as_printed), **words).verdict == "holds"
    found = result(shortened, at("Plain"), ">=", at("Rates"), *measured(shortened), **words)
    assert (found.verdict, found.is_direction_only) == ("reversed", True)
    found = result(shortened, at("Plain"), "=", at("Rates"), *measured(shortened), **words)
    assert (found.verdict, found.reason) == ("not at this scale", NO_SIZE)
    share = {"within": Margin(0.10, True, "a tenth")}
    assert result(shortened, at("Plain"), "=", at("Rates"), *measured(shortened), **share).verdict == "holds"


def test_a_number_of_the_text(as_printed, shortened):
    gain = Gain(at("Rates"), at("Plain"))
    assert result(as_printed, gain, ">", 1.0, *measured(as_printed)).verdict == "holds"
    assert result(shortened, gain, ">", 1.0, *measured(shortened)).verdict == "not at this scale"


def test_what_the_network_decides_is_exact(as_printed):
    found = result(as_printed, at("Plain", "Parameters"), ">", 10.0)
    assert (found.verdict, found.parts[0].method, found.p_value) == ("holds", "no seeds", None)


def test_the_family_are_all_claims_that_can_be_judged_here(as_printed):
    claim = a_claim(at("Rates"), ">", at("Plain"))
    rest = [a_claim(at("Rates, smaller"), ">", at("Plain")), a_claim(at("Deeper"), ">", at("Plain"))]
    lines = as_printed.lines("Rates", RATES), as_printed.lines("Plain", PLAIN)
    found, waits, not_built = results(as_printed, [claim, *rest], *lines)
    assert found.adjusted == pytest.approx(2 * found.p_value * price(3, as_printed.found.scale.planned_seeds))
    assert (waits.verdict, not_built.verdict) == ("not run", "not built")


def test_rows_that_become_one_at_a_scale(papers):
    merged = Made(papers, "merged")
    lines = merged.lines("Rates", RATES), merged.lines("Plain", PLAIN)
    found = result(merged, at("Rates"), ">", at("Rates, smaller"), *lines)
    assert (found.verdict, found.reason, found.parts[0].difference) == ("not at this scale", ONE_RUN, None)
    gains = result(merged, at("Rates", "Gain"), ">", at("Rates, smaller", "Gain"), *lines)
    assert gains.verdict == "not at this scale"


def test_rows_that_become_one_at_a_scale_wait_for_no_run(papers):
    merged = Made(papers, "merged")
    twins = (
        a_claim(at("Rates"), ">", at("Rates, smaller")),
        a_claim(at("Rates", "Gain"), ">", at("Rates, smaller", "Gain")),
    )
    for lines in ((), (merged.lines("Plain", PLAIN),), (merged.lines("Rates", RATES), merged.lines("Plain", PLAIN))):
        found = results(merged, [*twins, a_claim(at("Rates"), ">", at("Plain"))], *lines)
        assert [item.verdict for item in found[:2]] == ["not at this scale"] * 2
        assert {item.reason for item in found[:2]} == {ONE_RUN}
    judged = found[2]  # alone in its family, with or without the runs of the others
    assert judged.adjusted == pytest.approx(judged.p_value * price(3, merged.found.scale.planned_seeds))


def test_a_cited_gain_is_the_difference_of_two_runs(as_printed):
    lines = as_printed.lines("Rates", [79.0, 79.6, 79.3]), as_printed.lines("Plain", [70.0, 70.9, 70.2])
    (part,) = result(as_printed, at("Rates", "Gain"), ">", at("Someone [1]", "Gain"), *lines).parts
    rates, plain = (statistics.variance(values) for values in ([79.0, 79.6, 79.3], [70.0, 70.9, 70.2]))
    half = part.difference.high - part.difference.mean
    each = [variance * (1 / 3 + 1) for variance in (rates, plain)]
    degrees = sum(each) ** 2 / sum(item**2 / 2 for item in each)
    assert half == pytest.approx(stats.t.ppf(0.975, degrees) * sum(each) ** 0.5)


def test_a_chain_is_judged_part_by_part(shortened):
    chain = dataclasses.replace(
        a_claim(at("Rates, smaller"), ">", at("Rates")),
        parts=(
            *a_claim(at("Rates, smaller"), ">", at("Rates")).parts,
            *a_claim(at("Rates"), ">", at("Plain")).parts,
        ),
        operators=(Operator.GREATER, Operator.GREATER),
    )
    (found,) = results(shortened, [chain], *measured(shortened))
    assert (found.verdict, [part.verdict for part in found.parts]) == ("holds", ["holds", "holds"])
    assert found.p_value == max(part.p_value for part in found.parts)
