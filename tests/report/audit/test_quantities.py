"""What is one quantity: numbers of one experiment, in several tables, in the text, as differences."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.papers import Metric, Table, TableKind
from repro.report.audit.checks import audit, printed_by
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
    place = data.draw(st.integers(0, len(tables) - 1))
    cell = tables[place].rows["shared"].cells["mIoU"]
    by = data.draw(st.integers(1, 99).flatmap(lambda tenths: st.sampled_from([tenths / 10, -tenths / 10])))
    tables[place] = with_value(tables[place], cell.address, round(cell.published + by, 1))
    (found,) = audit(library_of(*tables))
    assert found.kind is FindingKind.REPEATED
    assert {address.table for address in found.places} == {table.key for table in tables}
    assert found.blamed == (() if len(tables) == 2 else (cell.address,))


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


def test_prose_may_tell_something_else_of_the_experiment_of_a_cell() -> None:
    table = table_of("made/table1", {"a": {"mIoU": (70.4, MIOU)}})
    prose = table_of("made/prose", {"time": {"ms": (16.0, Metric("latency_ms"))}}, kind=TableKind.PROSE)
    prose = with_row(prose, "time", same_as=table.rows["a"].cells["mIoU"].address, run=())
    assert audit(library_of(table, prose)) == []


def test_a_difference_between_two_experiments_is_one_quantity_wherever_it_is_printed() -> None:
    """The fault: the same gain as a column of one table, of another, and in the text were never compared."""
    tables = []
    for number, gain in enumerate((2.0, 3.0, 2.0)):
        key = f"made/table{number}"
        cells = {"a": {"mIoU": (70.0, MIOU)}, "b": {"mIoU": (72.0, MIOU)}}
        low = table_of(key, cells).rows["a"].cells["mIoU"].address
        cells["b"]["gain"] = (gain, Metric("delta", reference=low, of=MIOU))
        table = table_of(key, cells)
        table = with_row(with_row(table, "a", run=()), "b", run=("head.rates=[1]",))
        tables.append(table)
    (found,) = audit(library_of(*tables))
    assert [str(address) for address in found.blamed] == ["made/table1: b @ gain"]
    assert len(found.places) == 9


def test_a_gain_of_the_text_is_that_of_the_experiment_that_its_row_describes() -> None:
    """Its row repeats no cell, but names the experiment of one; this was not checked at all."""
    table = table_of("made/table1", {"a": {"mIoU": (70.4, MIOU)}, "b": {"mIoU": (72.0, MIOU)}})
    table = with_row(with_row(table, "a", run=()), "b", run=("head.rates=[1]",))
    low = table.rows["a"].cells["mIoU"].address
    for value, count in ((1.6, 0), (2.6, 1)):
        gain = {"gain": (value, Metric("delta", reference=low, of=MIOU))}
        prose = table_of("made/prose", {"said": gain}, kind=TableKind.PROSE)
        prose = with_row(prose, "said", run=("head.rates=[1]",))
        assert len(audit(library_of(table, prose))) == count


def test_a_difference_of_a_row_to_itself_says_nothing() -> None:
    low = table_of("made/table1", {"a": {"mIoU": (70.0, MIOU)}}).rows["a"].cells["mIoU"].address
    cells = {"a": {"mIoU": (70.0, MIOU), "gain": (1.0, Metric("delta", reference=low, of=MIOU))}}
    assert printed_by(library_of(table_of("made/table1", cells))).relations == ()


def test_who_is_a_witness() -> None:
    table = table_of("made/table1", {"a": {"mIoU": (70.0, MIOU)}, "b": {"mIoU": (72.0, MIOU)}})
    low = table.rows["a"].cells["mIoU"].address
    gain = Metric("delta", reference=low, of=MIOU)
    cells = {"a": {"mIoU": (70.0, MIOU)}, "b": {"mIoU": (72.0, MIOU), "one": (2.0, gain), "two": (2.0, gain)}}
    printed = printed_by(library_of(replace(table_of("made/table1", cells))))
    witnesses = {place.address.column: place.witness for places in printed.places.values() for place in places
                 if place.address.row == "b"}  # fmt: skip
    assert witnesses["one"] == witnesses["two"] != witnesses["mIoU"]
