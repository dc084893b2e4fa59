from dataclasses import replace
from pathlib import Path

from repro.papers import Address, Metric
from repro.report.judge.evidence import Evidence
from repro.report.judge.identities import identity
from tests.composed import measured
from tests.report.made_runs import Made


def test_a_difference_is_one_with_its_own_side(as_printed: Made) -> None:
    rates, gain, plain = (as_printed.cell(*key) for key in (("Rates",), ("Rates", "Gain"), ("Plain",)))
    assert identity(rates) == identity(gain) != identity(plain)
    assert identity(rates) is not None


def test_another_metric_of_the_same_evaluation_is_another_cell(as_printed: Made) -> None:
    plain = as_printed.cell("Plain")
    accuracy = Metric("pixel_accuracy")
    assert identity(replace(plain, cell=replace(plain.cell, metric=accuracy))) != identity(plain)


def test_what_is_not_measured_is_none(as_printed: Made) -> None:
    for row in ("Deeper", "Someone [1]", "Server", "Secret"):
        assert identity(as_printed.cell(row)) is None
    assert identity(as_printed.cell("Plain", "Kind")) is None


def test_a_closed_form_goes_by_what_decides_it(as_printed: Made) -> None:
    plain = as_printed.cell("Plain", "Parameters")
    found = identity(plain)
    assert found is not None
    assert found != identity(as_printed.cell("Plain"))
    seeded = replace(plain, chain=replace(plain.chain, links=tuple(
        replace(link, configuration=link.configuration.with_seed(5)) for link in plain.chain.links)))  # fmt: skip
    assert identity(seeded) == found


def test_cells_that_are_the_same_at_a_scale_are_one(papers: Path) -> None:
    merged = Made(papers, "merged")
    evidence = Evidence(merged.found, {})
    rates, smaller = (identity(evidence.resolved(merged.cell(row))) for row in ("Rates", "Rates, smaller"))
    assert rates == smaller
    assert rates is not None


def test_several_tables_print_one_evaluation_of_deeplabv3() -> None:
    found = measured("paper", "deeplabv3/*")
    places = (("table6", "OS=16"), ("table9", "16"), ("table10", "train 16 / eval 16"))
    keys = {identity(found[Address(f"deeplabv3/{table}", row, "mIOU")]) for table, row in places}
    assert len(keys) == 1
    assert None not in keys
