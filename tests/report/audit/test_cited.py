"""Cited results in several papers: one of them, or two that only share a name."""

from dataclasses import replace
from pathlib import Path

import pytest

from repro.papers import Library, Metric, Paper, RowKind, Table
from repro.papers.cited import CitedNote
from repro.report.audit.checks import audit, printed_by
from repro.report.audit.finding import FindingKind
from tests.composed import papers
from tests.report.audit.made_tables import MIOU, table_of
from tests.report.made_results import library_of, with_row, with_value


def cited(key: str, label: str, value: float, **changes: object) -> Table:
    return with_row(table_of(key, {label: {"mIoU": (value, MIOU)}}), label, kind=RowKind.CITED, **changes)


def noted(library: Library, *notes: CitedNote) -> Library:
    """The library with notes of the paper `other` on its table 1."""
    paper = Paper("other", "", "", "", "", {}, notes, Path())
    return replace(library, papers={"other": paper})


@pytest.mark.parametrize("label", ["PSPNet(Zhao et al. 2017)", "PSP-Net [3]", "pspnet [Zhao et al., 2017]"])
def test_a_cited_number_must_be_the_same_in_another_paper(label: str) -> None:
    first, second = cited("made/table1", "PSPNet [95]", 85.4), cited("other/table1", label, 82.6)
    (found,) = audit(library_of(first, second))
    assert (found.kind, found.blamed) == (FindingKind.CITED, ())
    assert {place.table for place in found.places} == {"made/table1", "other/table1"}
    assert audit(library_of(first, replace(second, evaluated_on="Cityscapes test"))) == []
    assert audit(library_of(first, with_row(second, label, marks=("Coarse",)))) == []


def test_of_three_papers_the_odd_one_is_blamed() -> None:
    tables = [
        cited(f"{name}/table1", "PSPNet [9]", value) for name, value in zip("abc", (85.4, 82.6, 85.4), strict=True)
    ]
    (found,) = audit(library_of(*tables))
    assert [place.table for place in found.blamed] == ["b/table1"]
    assert found.expected == "85.4"


def test_what_a_paper_says_of_its_table_tells_results_apart() -> None:
    first, second = cited("made/table1", "PSPNet [95]", 85.4), cited("other/table1", "PSPNet [3]", 82.6)
    third = cited("third/table1", "PSPNet [7]", 85.4)
    without = CitedNote("table1", settings={"COCO": "without"})
    assert len(audit(noted(library_of(first, second), without))) == 1  # a row that does not say may be the same
    paper = noted(library_of(first, second, third), without)
    with_coco = Paper("third", "", "", "", "", {}, (CitedNote("table1", settings={"COCO": "with"}),))
    both = replace(paper, papers={**paper.papers, "third": with_coco})
    assert audit(both) == []  # the first one, which does not say, goes with the one whose number it prints
    moved = with_value(first, first.rows["PSPNet [95]"].cells["mIoU"].address, 84.0)
    assert len(audit(replace(both, tables={**both.tables, "made/table1": moved}))) == 1


def test_two_names_of_one_method_are_joined_by_a_note() -> None:
    first, second = (
        cited("made/table1", "Deep Layer Cascade (LC) [52]", 82.7),
        cited("other/table1", "Cascade [8]", 82.9),
    )
    assert audit(library_of(first, second)) == []
    note = CitedNote("table1", "Cascade [8]", same_as=("made/table1", "Deep Layer Cascade (LC) [52]"))
    assert [item.kind for item in audit(noted(library_of(first, second), note))] == [FindingKind.CITED]


def test_two_names_of_one_data_set_are_joined_by_a_note() -> None:
    first = replace(cited("made/table1", "X [1]", 50.0), evaluated_on="Context")
    second = replace(cited("other/table1", "X [2]", 51.0), evaluated_on="Context val")
    assert audit(library_of(first, second)) == []
    assert len(audit(noted(library_of(first, second), CitedNote("table1", evaluated_on="Context")))) == 1


def test_cited_rows_with_another_printed_setting_are_other_rows() -> None:
    setting = Metric("setting")
    first = table_of("made/table1", {"X [1]": {"Backbone": ("ResNet-101", setting), "mIoU": (50.0, MIOU)}})
    second = table_of("other/table1", {"X (A et al. 2019)": {"BackBone": ("ResNet50", setting), "mIoU": (49.0, MIOU)}})
    first, second = (
        with_row(first, "X [1]", kind=RowKind.CITED),
        with_row(second, "X (A et al. 2019)", kind=RowKind.CITED),
    )
    assert audit(library_of(first, second)) == []
    cell = second.rows["X (A et al. 2019)"].cells["BackBone"]
    same = with_value(second, cell.address, "ResNet101")
    assert [item.kind for item in audit(library_of(first, same))] == [FindingKind.CITED]


def test_the_cited_rows_of_the_four_papers() -> None:
    """PSPNet without COCO is no contradiction; DeepLabv3 under three names is one quantity."""
    printed = printed_by(papers())
    joined = [
        {place.address.table + ": " + place.address.row for place in places} for places in printed.places.values()
    ]
    pspnet = {"deeplabv3/table7: PSPNet [95]", "vortex/table3: PSPNet [Zhao et al., 2017]"}
    assert pspnet in joined
    assert {"dsnet/table3: PSPNet(Zhao et al. 2017)"} in joined
    named = [names for names in joined if "vortex/table2: DeepLab v3 [Chen et al., 2017b]" in names]
    assert "deeplabv3/table6: OS=8 + MS + Flip + COCO" in named[0]
    assert {
        "deeplabv3/table7: Deep Layer Cascade (LC) [52]",
        "vortex/table3: Layer Cascade [Li et al., 2017]",
    } in joined
    assert {"dsnet/table5: APCNet(He et al. 2019)", "gald/table8: APCnet [84]"} in joined
