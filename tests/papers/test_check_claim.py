"""Claims that cannot be meant: each is refused with file and line."""

import pytest

from repro.papers import Address
from repro.papers.check_claim import fault_of
from tests.papers.small_paper import ABLATION, CLAIM_LINE, claim_of, library_with_claim, small_library

COSTS = ("Width: {metric: setting}", "Width: {metric: parameters}")


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ('[best, ">", plain], place: " "', "the claim has an empty place"),
        ('[best, ">", best], place: here', "the claim compares small/table1: best @ mIoU with itself"),
        ('[{gain: [best, best]}, ">", 1], place: here', "which is nothing"),
        ('[129, ">", 25], place: here', "the claim compares 129.0 with 25.0, and no cell"),
        ('[best, ">=", plain], by: 2, place: here', "by says how much greater the left side is"),
        ('[best, "=", plain], by: 2, place: here', "must be [LEFT, >, RIGHT], not with ="),
        ('[best, ">", better, ">", plain], by: 2, place: here', "not with > >"),
        ('[best, ">", plain], within: 1, reason: why, place: here', "within is the margin of >= and =; > has none"),
        ('[best, ">", better, "=", plain], within: 1, reason: why, place: here', "> has none"),
        ('[a, ">", b], pairs: [[best, plain]], most: true, place: here', "most is more than half"),
        ('[best @ gain, ">", plain @ mIoU], place: here', "compares a difference in a score with a score"),
        ('[{gain: [best, plain]}, ">", better], place: here', "compares a difference in a score with a score"),
        ('[{gain: [best, better @ gain]}, ">", 1], place: here', "compares a score with a difference in a score"),
        ('[best @ Width, ">", plain @ Width], place: here', "which was set and not measured"),
        ('[best @ gain, ">", plain @ gain], place: here', "which is blank; write `not printed` there"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, claim, sentence):
    (problem,) = library_with_claim(tmp_path, f"{{claim: {claim}}}").problems
    assert sentence in problem.message
    assert problem.line == CLAIM_LINE


def test_sides_of_different_kinds_are_refused_and_costs_are_not(tmp_path):
    words = '{claim: [best @ mIoU, ">", best @ Width], place: here}'
    (problem,) = library_with_claim(tmp_path / "a", words, COSTS).problems
    assert "the claim compares a score with parameters" in problem.message
    gains = "{gain: [best @ Width, better @ Width]}", "{gain: [better @ Width, plain @ Width]}"
    words = f'{{claim: [{gains[0]}, ">", {gains[1]}], place: here}}'
    assert claim_of(tmp_path / "b", words, COSTS).is_cost


def test_a_bare_number_is_compared_with_anything(tmp_path):
    for side, folder in (("best", "a"), ("best @ gain", "b"), ("{gain: [best, plain]}", "c")):
        claim_of(tmp_path / folder, f'{{claim: [{side}, ">", 1], place: here}}')


def test_cells_of_other_tables_are_known_before_those_are_read(tmp_path):
    other = ABLATION.replace("metric: miou,", "metric: parameters,")
    text = ABLATION.replace('"best", ">", "better", ">", "plain"', '"best", ">", "table2: best @ mIoU"')
    (problem,) = small_library(tmp_path, ablation=text, table2=other).problems
    assert "the claim compares a score with parameters" in problem.message


def test_every_claim_of_the_papers_passes(tmp_path):
    library = small_library(tmp_path)
    table = library.tables["small/table1"]
    assert [fault_of(claim, library.cell) for claim in table.claims] == [""]
    assert Address("small/table1", "best", "mIoU") in table.claims[0].parts[0].addresses()
