"""Results of tables: the verdict on every kind of cell, claims, and cells that are one run."""

import dataclasses

import pytest

from repro.experiments.measurements import Measurements
from repro.papers import Address, load_papers
from repro.report.judge.tables import ONE_SEED, Tables, twins
from repro.report.judge.verdicts import Tolerance
from tests.report.made_runs import Made

TOLERANCE = Tolerance(0.5, 0.02)
CLOSE = [-0.1, 0.0, 0.1]  # about a mean, so that the interval over three seeds is 0.25 to each side


def result_of(made, *lines):
    known = {key: line for group in lines for key, line in group.items()}
    return Tables(made.found, known, TOLERANCE).result(made.table)


def cell(result, row, column="mIoU"):
    return result.cells[Address("small/table1", row, column)]


def about(mean):
    return [mean + offset for offset in CLOSE]


def test_what_nothing_was_run_of(as_printed):
    result = result_of(as_printed)
    verdicts = {row: cell(result, row).verdict for row in as_printed.table.rows}
    assert verdicts == {
        "Plain": "not run", "Rates": "not run", "Rates, smaller": "not run", "Deeper": "not built",
        "Someone [1]": "cited", "Server": "server only", "Secret": "cannot be run",
    }  # fmt: skip
    assert cell(result, "Plain", "Kind").verdict == "setting"
    assert cell(result, "Plain", "Gain").verdict == "blank"
    assert cell(result, "Someone [1]").published == 75.0
    assert "more blocks" in cell(result, "Deeper").reason
    assert list(result.cells) == [item.address for item in as_printed.table.cells()]


@pytest.mark.parametrize(
    ("mean", "verdict"), [(73.1, "reproduced"), (75.0, "above"), (70.0, "below"), (73.5, "inconclusive")]
)
def test_judged_at_the_papers_scale(as_printed, mean, verdict):
    found = cell(result_of(as_printed, as_printed.lines("Rates", about(mean))), "Rates")
    assert found.verdict == verdict
    assert found.measured.n == 3
    assert found.difference == pytest.approx(mean - 73.0)
    assert found.deviations == ()
    assert found.left_open == ("batch size (schedule.batch_size = 8)",)
    assert len(found.evidence) == 3


def test_one_seed_is_inconclusive_and_says_why(as_printed):
    found = cell(result_of(as_printed, as_printed.lines("Rates", [73.0])), "Rates")
    assert (found.verdict, found.reason) == ("inconclusive", ONE_SEED)


def test_a_run_that_deviates_is_not_judged(shortened):
    found = cell(result_of(shortened, shortened.lines("Rates", about(73.0))), "Rates")
    assert found.verdict == "deviates"
    assert "schedule.length: 200 steps → 20 steps" in found.deviations
    assert found.measured.mean == pytest.approx(73.0)


def test_parameters_are_judged_without_a_run_at_every_scale(as_printed, shortened):
    here, there = (cell(result_of(made), "Plain", "Parameters") for made in (as_printed, shortened))
    assert here.verdict in ("reproduced", "above", "below")
    assert here.deviations == ()
    assert dataclasses.replace(here, address=there.address) == there


def test_gain_with_pairs(as_printed):
    lines = as_printed.lines("Rates", [71.0, 75.0, 73.0]), as_printed.lines("Plain", [68.0, 72.1, 69.9])
    found = cell(result_of(as_printed, *lines), "Rates", "Gain")
    assert found.measured.mean == pytest.approx(3.0)
    assert found.verdict == "reproduced"  # although the scores themselves are far apart
    assert len(found.evidence) == 6


def claims_of(result):
    return {(item.claim.higher.row, item.claim.lower.row, item.claim.higher.column): item for item in result.claims}


def test_claims_from_pairs_at_any_scale(shortened):
    lines = [shortened.lines("Rates", [71.0, 75.0, 73.0]), shortened.lines("Plain", [70.0, 74.1, 71.9]),
             shortened.lines("Rates, smaller", [72.0, 76.0, 74.1])]  # fmt: skip
    claims = claims_of(result_of(shortened, *lines))
    holds = claims["Rates", "Plain", "mIoU"]
    assert (holds.verdict, holds.difference.n) == ("holds", 3)
    assert (holds.published, holds.printed) == (3.0, "holds")
    assert claims["Rates", "Rates, smaller", "Gain"].verdict == "reversed"


def test_claims_whose_sides_are_not_measured(as_printed):
    claims = claims_of(result_of(as_printed))
    assert claims["Rates", "Plain", "mIoU"].verdict == "not run"
    cited = claims["Rates", "Someone [1]", "mIoU"]
    assert (cited.verdict, cited.published, cited.printed) == ("cited", -2.0, "reversed")
    assert cited.reason == "Rates is not run; Someone [1] is cited: Someone 2019"
    assert claims["Deeper", "Server", "mIoU"].verdict == "server only"


def test_a_claim_with_two_seeds_waits_for_the_third(shortened):
    lines = shortened.lines("Rates", [80.0, 80.0]), shortened.lines("Plain", [70.0, 70.0])
    claim = claims_of(result_of(shortened, *lines))["Rates", "Plain", "mIoU"]
    assert claim.verdict == "inconclusive"
    assert claim.reason == "2 of the 3 seeds that a claim needs"


def test_rows_that_become_one_at_a_scale(papers):
    merged = Made(papers, "merged")
    lines = merged.lines("Rates", about(73.0)), merged.lines("Plain", about(70.0))
    result = result_of(merged, *lines)
    twin = cell(result, "Rates, smaller")
    assert (twin.verdict, twin.reason, twin.measured) == ("same as", "Rates", None)
    claim = claims_of(result)["Rates", "Rates, smaller", "Gain"]
    assert (claim.verdict, claim.difference) == ("not at this scale", None)


def test_a_scale_that_sets_what_the_table_varies(papers):
    result = result_of(Made(papers, "fixed"))
    assert cell(result, "Rates, smaller").verdict == "not at this scale"
    assert "head.rates" in cell(result, "Rates, smaller").reason
    assert cell(result, "Plain").verdict == "not run"


def test_cells_that_are_one_run_are_named_with_their_line(papers, tmp_path):
    text = (papers / "small" / "table1.yaml").read_text()
    (tmp_path / "again").mkdir()
    file = tmp_path / "again" / "table1.yaml"
    file.write_text(
        text.replace('run: [head=aspp, "head.rates=[3,6,9]"]', "run: [head=aspp]").replace("unbuilt", "vortex")
    )
    library = load_papers([tmp_path])
    table = library.tables["again/table1"]
    found = Measurements(library, [table], library.scale("paper"))
    problems = [str(problem) for problem in twins(found, table)]
    line = next(place for place, words in enumerate(text.splitlines(), 1) if "mIoU: 72.0" in words)
    assert len(problems) == 2  # the score and the gain
    assert problems[0] == (
        f"{file}:{line}: Rates, smaller @ mIoU is measured by the same run and evaluation as Rates @ mIoU; "
        "say in run or evaluation what tells them apart"
    )


def test_the_small_table_has_no_twins(as_printed):
    assert twins(as_printed.found, as_printed.table) == []
