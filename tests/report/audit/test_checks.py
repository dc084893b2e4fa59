"""The arithmetic of printed numbers: what rounding explains is no finding, what it does not is exactly one."""

from hypothesis import assume, given
from hypothesis import strategies as st

from repro.papers import Address, Library, Metric, Table, TableKind
from repro.report.audit.checks import audit
from repro.report.audit.finding import FindingKind
from repro.report.audit.relations import CLASSES
from tests.report.audit.made_tables import MIOU, percent, table_of
from tests.report.made_results import library_of, with_row, with_value


@st.composite
def consistent_differences(draw: st.DrawFn) -> Table:
    """Rows with a difference to the first one, taken before everything was rounded."""
    exact = draw(st.lists(st.floats(20, 80), min_size=2, max_size=6))
    base = Address("made/table1", "row 0", "mIoU")
    rows = {}
    for number, value in enumerate(exact):
        cells = {"mIoU": (round(value, 1), MIOU)}
        if number:
            cells["gain"] = (round(value - exact[0], 1), Metric("delta", reference=base, of=MIOU))
        rows[f"row {number}"] = cells
    return table_of("made/table1", rows)


@st.composite
def consistent_means(draw: st.DrawFn) -> Table:
    """One row with the mean of its 19 classes, or of 21 with one of them not printed."""
    name = draw(st.sampled_from(["Cityscapes", "PASCAL VOC"]))
    exact = draw(st.lists(st.floats(0, 100), min_size=CLASSES[name.casefold()], max_size=CLASSES[name.casefold()]))
    shown = exact[1:] if name == "PASCAL VOC" else exact
    family = draw(st.sampled_from(["miou", "boundary_f"]))
    pixels = 3 if family == "boundary_f" else None
    cells = {"mean": (round(sum(exact) / len(exact), 1), Metric(family, pixels=pixels))}
    for number, value in enumerate(shown):
        metric = Metric("iou" if family == "miou" else family, f"class {number}", pixels)
        cells[f"class {number}"] = (round(value, 1), metric)
    return table_of("made/table1", {"ours": cells}, evaluated_on=f"{name} 2012 val")


@given(consistent_differences())
def test_rounded_differences_are_no_finding(table: Table) -> None:
    assert audit(library_of(table)) == []


@given(consistent_differences(), st.data())
def test_a_wrong_difference_is_exactly_one_finding(table: Table, data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(list(table.rows)[1:]))
    by = data.draw(st.floats(0.4, 9).flatmap(lambda size: st.sampled_from([size, -size])))
    cell = table.rows[label].cells["gain"]
    (found,) = audit(library_of(with_value(table, cell.address, round(cell.published + by, 1))))
    assert found.kind is FindingKind.DIFFERENCE
    assert cell.address in found.places
    assert set(found.blamed) <= {cell.address}


def test_an_arrow_downwards_makes_a_difference_negative() -> None:
    reference = Address("made/table1", "base", "mIoU")
    delta = Metric("delta", reference=reference, of=MIOU)
    table = table_of(
        "made/table1", {"base": {"mIoU": (70.0, MIOU)}, "less": {"mIoU": (69.4, MIOU), "gain": (0.6, delta)}}
    )
    (found,) = audit(library_of(table))
    assert found.kind is FindingKind.DIFFERENCE
    assert "69.4 − 70.0 is −0.6" in found.how
    assert audit(library_of(with_value(table, found.places[0], 0.6, "0.6 ↓"))) == []


@given(consistent_means())
def test_a_rounded_mean_is_no_finding(table: Table) -> None:
    assert audit(library_of(table)) == []


@given(consistent_means(), st.floats(0.3, 20), st.booleans())
def test_a_wrong_mean_is_exactly_one_finding(table: Table, by: float, upwards: bool) -> None:
    cell = table.rows["ours"].cells["mean"]
    by += 100 / 21 if table.evaluated_on.startswith("PASCAL") else 0
    wrong = with_value(table, cell.address, round(cell.published + (by if upwards else -by), 1))
    (found,) = audit(library_of(wrong))
    assert (found.kind, found.blamed) == (FindingKind.MEAN, ())
    assert cell.address in found.places
    assert len(found.places) == len([other for other in wrong.cells() if other.signed is not None])


def test_a_gain_in_prose_is_that_of_the_row_that_it_repeats() -> None:
    table = table_of("made/table1", {"a": {"mIoU": (70.4, MIOU)}, "b": {"mIoU": (72.0, MIOU)}})
    low, high = (table.rows[label].cells["mIoU"].address for label in "ab")
    for value, kinds in ((1.6, []), (1.65, []), (2.6, [FindingKind.DIFFERENCE])):
        gain = {"gain": (value, Metric("delta", reference=low, of=MIOU))}
        prose = with_row(
            table_of("made/prose", {"b again": gain}, kind=TableKind.PROSE), "b again", same_as=high, run=()
        )
        assert [item.kind for item in audit(library_of(table, prose))] == kinds


def test_decimals_other_than_those_of_the_column_are_found() -> None:
    table = table_of("made/table1", {"a": {"mIoU": (70.45, MIOU)}, "b": {"mIoU": (71.4, MIOU)}})
    assert [(item.kind, item.blamed[0].row) for item in audit(library_of(table))] == [(FindingKind.DECIMALS, "a")]
    raw = with_value(
        with_value(table, table.rows["a"].cells["mIoU"].address, 70.4), Address("made/table1", "b", "mIoU"), 71.0, "71%"
    )
    assert [(item.kind, item.blamed[0].row) for item in audit(library_of(raw))] == [(FindingKind.DECIMALS, "b")]


@given(st.lists(percent, min_size=2, max_size=5), st.data())
def test_a_score_that_falls_with_the_tolerance_is_exactly_one_finding(values: list[float], data: st.DataObject) -> None:
    values = sorted(values)
    rows = {
        f"ours [1] {pixels}px": {"wall": (value, Metric("boundary_f", "wall", pixels))}
        for pixels, value in zip((3, 5, 9, 12, 20), values, strict=False)
    }
    table = table_of("made/table1", rows)
    assert audit(library_of(table)) == []
    place = data.draw(st.integers(0, len(values) - 2))
    raised = round(values[place + 1] + data.draw(percent) / 10, 1)
    assume(place == 0 or raised >= values[place - 1])
    labels = list(rows)
    wrong = with_value(table, Address("made/table1", labels[place], "wall"), raised)
    fallen = Address("made/table1", labels[place + 1], "wall")
    (found,) = audit(library_of(wrong))
    assert found.kind is FindingKind.TOLERANCE
    assert {fallen, Address("made/table1", labels[place], "wall")} <= set(found.places)


def test_an_empty_library_and_a_missing_table_are_no_trouble() -> None:
    assert audit(Library()) == []
    lost = Metric("delta", reference=Address("made/table9", "x", "mIoU"), of=MIOU)
    assert audit(library_of(table_of("made/table1", {"a": {"mIoU": (1.0, MIOU), "gain": (5.0, lost)}}))) == []
