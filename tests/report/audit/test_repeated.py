"""Numbers that are printed more than once: in several tables, in the prose, and in several papers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.papers import Metric, RowKind, Table, TableKind
from repro.report.audit.checks import audit
from repro.report.audit.finding import FindingKind
from tests.report.audit.made_tables import MIOU, percent, table_of
from tests.report.made_results import library_of, with_row, with_value


@st.composite
def consistent_repetitions(draw: st.DrawFn) -> list[Table]:
    """One experiment in several tables, each with rows of its own beside it."""
    value = draw(percent)
    tables = []
    for number in range(draw(st.integers(2, 4))):
        others = draw(st.lists(percent, max_size=3))
        rows = {f"other {number} {place}": {"mIoU": (other, MIOU)} for place, other in enumerate(others)}
        table = table_of(f"made/table{number}", {"shared": {"mIoU": (value, MIOU)}, **rows})
        tables.append(with_row(table, "shared", run=("backbone.output_stride=8.0", "backbone.multi_grid=[1, 1, 1]")))
    return tables


@given(consistent_repetitions())
def test_one_number_in_several_tables_is_no_finding(tables: list[Table]) -> None:
    assert audit(library_of(*tables)) == []


@given(consistent_repetitions(), st.data())
def test_another_number_for_one_experiment_is_exactly_one_finding(tables: list[Table], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(tables) - 1))
    cell = tables[place].rows["shared"].cells["mIoU"]
    by = data.draw(st.integers(1, 99).flatmap(lambda tenths: st.sampled_from([tenths / 10, -tenths / 10])))
    tables[place] = with_value(tables[place], cell.address, round(cell.published + by, 1))
    found = audit(library_of(*tables))
    assert len(found) == 1
    assert found[0].kind == FindingKind.REPEATED
    assert len(tables) == 2 or found[0].address == cell.address


@pytest.mark.parametrize(
    "change",
    [{"run": ("head.rates=[1]",)}, {"evaluation": ("evaluation.flip=true",)}, {"drop": ("head",)}],
)
def test_another_experiment_may_print_another_number(change: dict[str, object]) -> None:
    first = with_row(table_of("made/table1", {"a": {"mIoU": (70.0, MIOU)}}), "a", run=())
    second = with_row(table_of("made/table2", {"b": {"mIoU": (71.0, MIOU)}}), "b", run=())
    assert [item.kind for item in audit(library_of(first, second))] == [FindingKind.REPEATED]
    assert audit(library_of(first, with_row(second, "b", **change))) == []


def test_prose_must_print_the_number_of_the_table_up_to_rounding() -> None:
    table = table_of("made/table1", {"a": {"mIoU": (70.4, MIOU)}})
    original = table.rows["a"].cells["mIoU"].address
    other = [FindingKind.PROSE]
    for value, kinds in ((70.4, []), (70, []), (71, other), (70.3, other), (70.0, other)):
        prose = table_of("made/prose", {"again": {"mIoU": (value, MIOU)}}, kind=TableKind.PROSE)
        prose = with_row(prose, "again", same_as=original, run=())
        assert [item.kind for item in audit(library_of(table, prose))] == kinds


@pytest.mark.parametrize("label", ["PSPNet(Zhao et al. 2017)", "PSP-Net [3]", "pspnet [Zhao et al., 2017]"])
def test_a_cited_number_must_be_the_same_in_another_paper(label: str) -> None:
    first = with_row(
        table_of("made/table1", {"PSPNet [95]": {"mIoU": (85.4, MIOU)}}), "PSPNet [95]", kind=RowKind.CITED
    )
    second = with_row(table_of("other/table1", {label: {"mIoU": (82.6, MIOU)}}), label, kind=RowKind.CITED)
    assert [(item.kind, item.address.table) for item in audit(library_of(first, second))] == [
        (FindingKind.CITED, "other/table1")
    ]
    elsewhere = replace(second, evaluated_on="Cityscapes test")
    assert audit(library_of(first, elsewhere)) == []
    assert audit(library_of(first, with_row(second, label, marks=("Coarse",)))) == []


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
