"""Results of tables: the verdict on every kind of cell, claims, and cells that are one run."""

from repro.experiments.measurements import Measurements
from repro.papers import Address, load_papers
from repro.report.judge.tables import Tables, twins
from repro.report.judge.verdicts import Tolerance
from tests.report.made_runs import Made

TOLERANCE = Tolerance(1.0, 0.02)
CLOSE = [-0.1, 0.0, 0.1]


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


def test_cells_and_claims_of_one_table(shortened):
    lines = [shortened.lines("Rates", [71.0, 75.0, 73.0]), shortened.lines("Plain", [70.0, 74.1, 71.9]),
             shortened.lines("Rates, smaller", [72.0, 76.0, 74.1])]  # fmt: skip
    result = result_of(shortened, *lines)
    assert cell(result, "Rates").verdict == "deviates"
    assert [str(claim.verdict) for claim in result.claims] == ["holds", "reversed", "cited", "server only"]
    assert result.scale == "short"


def test_rows_that_become_one_at_a_scale(papers):
    merged = Made(papers, "merged")
    lines = merged.lines("Rates", about(73.0)), merged.lines("Plain", about(70.0))
    result = result_of(merged, *lines)
    twin = cell(result, "Rates, smaller")
    assert (twin.verdict, twin.reason, twin.measured) == ("same as", "Rates", None)
    assert result.claims[1].verdict == "not at this scale"


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
