from dataclasses import replace
from pathlib import Path

import pytest

from repro.papers import Address
from repro.report.judge.results import TableResult
from repro.report.render.claim_words import claim_text, part_text
from tests.report.judge.made_claims import a_claim
from tests.report.made_results import real_tables, small_table, unmeasured

PAIRS = (
    'pairs: [["With it @ mIoU", "Plain @ mIoU"], ["Plain @ mIoU", "Behind the server @ mIoU"], '
    '["With it @ mIoU", "Behind the server @ mIoU"]], place: section 2'
)
TEXTS = {
    '{claim: ["With it", ">", "Plain"], place: s}': "With it > Plain @ mIoU",
    '{claim: ["With it", ">", [Plain, "Behind the server"]], place: s}': "With it > Plain, Behind the server @ mIoU",
    '{claim: ["With it", ">", Plain, ">", "Behind the server"], place: s}':
        "With it > Plain > Behind the server @ mIoU",
    '{claim: ["With it", ">", 71.25], place: s}': "With it > 71.25 @ mIoU",
    '{claim: [{gain: ["With it", Plain]}, ">", {gain: ["Behind the server", Plain]}], place: s}':
        "(With it − Plain) > (Behind the server − Plain) @ mIoU",
    '{claim: ["With it", ">", "Plain"], by: 0.8, place: s}': "With it > Plain @ mIoU, by 0.8 points",
    '{claim: ["With it", ">", "Plain"], by: [1.5, 2], place: s}': "With it > Plain @ mIoU, by 1.5 to 2 points",
    '{claim: ["With it", ">", "Plain"], by: [1.5 %, 12 %], place: s}': "With it > Plain @ mIoU, by 1.5 to 12 %",
    '{claim: ["With it", "=", "Plain"], within: 0.3, reason: so, place: s}':
        "With it ≈ Plain @ mIoU, within 0.3 points",
    '{claim: ["With it", ">=", "Plain"], within: 2 %, reason: so, place: s}': "With it ≥ Plain @ mIoU, within 2 %",
    '{claim: [one row, ">", the next], ' + PAIRS + '}': "one row > the next, in each of 3 pairs",
    '{claim: [one row, ">", the next], most: true, over: rows of Table 1, ' + PAIRS + '}':
        "one row > the next, in most of 3 pairs (rows of Table 1)",
}  # fmt: skip


@pytest.fixture(scope="module", name="small")
def result_of_all(tmp_path_factory: pytest.TempPathFactory) -> TableResult:
    return unmeasured(small_table(tmp_path_factory.mktemp("papers"), *TEXTS))


def test_a_claim_reads_as_it_is_written(small: TableResult) -> None:
    assert [claim_text(claim, small) for claim in small.table.claims] == list(TEXTS.values())


def test_columns_stand_with_their_rows_where_they_differ(small: TableResult) -> None:
    def cell(row: str, column: str) -> Address:
        return Address("made/table1", row, column)

    ours = cell("With it", "mIoU")
    assert claim_text(a_claim(ours, ">", cell("With it", "Gain")), small) == "With it: mIoU > Gain"
    assert claim_text(a_claim(cell("With it", "Gain"), ">", cell("Plain", "mIoU")), small) == (
        "With it @ Gain > Plain @ mIoU"
    )
    others = (cell("Plain", "mIoU"), cell("Plain", "Gain"), cell("Behind the server", "mIoU"))
    parts = tuple(part for other in others for part in a_claim(ours, ">", other).parts)
    many = replace(a_claim(ours, ">", others[0]), sides=((ours,), others), parts=parts)
    assert claim_text(many, small) == "With it @ mIoU > Plain @ mIoU, Gain; Behind the server @ mIoU"


def test_a_comparison_names_what_its_sides_share_once(small: TableResult) -> None:
    first, second = small.table.claims[1].parts
    assert part_text(first, small) == "With it > Plain @ mIoU"
    assert part_text(second, small) == "With it > Behind the server @ mIoU"
    crossed = replace(first, right=Address("made/table1", "Plain", "Gain"))
    assert part_text(crossed, small) == "With it @ mIoU > Plain @ Gain"


def test_a_cell_of_another_table_says_so(small: TableResult) -> None:
    (part,) = small.table.claims[0].parts
    elsewhere = replace(part, right=Address("made/table2", "Plain", "mIoU"))
    assert part_text(elsewhere, small) == "With it @ mIoU > table2: Plain @ mIoU"
    foreign = replace(elsewhere, left=Address("made/table2", "With it", "mIoU"))
    assert part_text(foreign, small) == "table2: With it > Plain @ mIoU"


def test_a_table_with_one_column_of_results_does_not_name_it(tmp_path: Path) -> None:
    table = small_table(tmp_path)
    rows = {label: replace(row, cells={"mIoU": row.cells["mIoU"]}) for label, row in table.rows.items()}
    result = unmeasured(replace(table, rows=rows))
    assert claim_text(table.claims[0], result) == "With it > Plain"


def test_every_claim_and_comparison_of_the_papers_has_a_text_of_its_own() -> None:
    for table in real_tables().values():
        result = unmeasured(table)
        for claim in table.claims:
            texts = [part_text(part, result) for part in claim.parts]
            assert len(set(texts)) == len(texts)
            assert claim_text(claim, result)
