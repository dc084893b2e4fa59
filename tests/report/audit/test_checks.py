from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from repro.papers import Address, Cell, Column, Library, Metric, Row, Table
from repro.report.audit.checks import CLASSES, KINDS, audit, audit_markdown
from tests.report.made_results import library_of, with_row, with_value

EXPERIMENT = ("backbone=resnet50", "head=aspp", "dataset=voc", "schedule=deeplabv3_30k", "evaluation=whole")
MIOU = Metric("miou")

percent = st.integers(100, 900).map(lambda tenths: tenths / 10)


def table_of(key: str, rows: dict[str, dict[str, tuple[float | None, Metric]]], **changes: object) -> Table:
    """A table whose columns print one decimal; rows are {label: {head: (value, metric)}}."""
    heads = {head: metric for cells in rows.values() for head, (_, metric) in cells.items()}
    made = {}
    for label, cells in rows.items():
        printed = {head: Cell(Address(key, label, head), *cells.get(head, (None, heads[head]))) for head in heads}
        made[label] = Row(label, cells=printed, run=(f'made.row="{label}"',))
    plain = Table(
        key=key, title="", place="Table 1", kind="ablation", evaluated_on="Cityscapes val", label_column="", varies=(),
        columns={head: Column(head, str(metric), "%", 1) for head, metric in heads.items()}, rows=made, claims=(),
        stages={}, run=EXPERIMENT, evaluation=(), file=None,
    )  # fmt: skip
    return replace(plain, **changes)


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


@given(consistent_differences())
def test_rounded_differences_are_no_finding(table: Table) -> None:
    assert audit(library_of(table)) == []


@given(consistent_differences(), st.data())
def test_a_wrong_difference_is_exactly_one_finding(table: Table, data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(list(table.rows)[1:]))
    by = data.draw(st.floats(0.4, 9).flatmap(lambda size: st.sampled_from([size, -size])))
    cell = table.rows[label].cells["gain"]
    wrong = with_value(table, cell.address, round(cell.published + by, 1))
    assert [(item.kind, item.address) for item in audit(library_of(wrong))] == [("difference", cell.address)]


def test_an_arrow_downwards_makes_a_difference_negative() -> None:
    reference = Address("made/table1", "base", "mIoU")
    delta = Metric("delta", reference=reference, of=MIOU)
    table = table_of(
        "made/table1", {"base": {"mIoU": (70.0, MIOU)}, "less": {"mIoU": (69.4, MIOU), "gain": (0.6, delta)}}
    )
    found = audit(library_of(table))
    assert [(item.kind, item.expected) for item in found] == [("difference", "−0.6")]
    assert audit(library_of(with_value(table, found[0].address, 0.6, "0.6 ↓"))) == []


@given(consistent_means())
def test_a_rounded_mean_is_no_finding(table: Table) -> None:
    assert audit(library_of(table)) == []


@given(consistent_means(), st.floats(0.3, 20), st.booleans())
def test_a_wrong_mean_is_exactly_one_finding(table: Table, by: float, upwards: bool) -> None:
    cell = table.rows["ours"].cells["mean"]
    by += 100 / 21 if table.evaluated_on.startswith("PASCAL") else 0
    wrong = with_value(table, cell.address, round(cell.published + (by if upwards else -by), 1))
    assert [(item.kind, item.address) for item in audit(library_of(wrong))] == [("mean", cell.address)]


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
    assert found[0].kind == "repeated"
    assert len(tables) == 2 or found[0].address == cell.address


@pytest.mark.parametrize(
    "change",
    [{"run": ("head.rates=[1]",)}, {"evaluation": ("evaluation.flip=true",)}, {"drop": ("head",)}],
)
def test_another_experiment_may_print_another_number(change: dict[str, object]) -> None:
    first = with_row(table_of("made/table1", {"a": {"mIoU": (70.0, MIOU)}}), "a", run=())
    second = with_row(table_of("made/table2", {"b": {"mIoU": (71.0, MIOU)}}), "b", run=())
    assert [item.kind for item in audit(library_of(first, second))] == ["repeated"]
    assert audit(library_of(first, with_row(second, "b", **change))) == []


def test_prose_must_print_the_number_of_the_table_up_to_rounding() -> None:
    table = table_of("made/table1", {"a": {"mIoU": (70.4, MIOU)}})
    original = table.rows["a"].cells["mIoU"].address
    for value, kinds in ((70.4, []), (70.0, []), (71.0, ["prose"]), (70.3, ["prose"])):
        prose = table_of("made/prose", {"again": {"mIoU": (value, MIOU)}}, kind="prose")
        prose = with_row(prose, "again", same_as=original, run=())
        assert [item.kind for item in audit(library_of(table, prose))] == kinds


def test_a_gain_in_prose_is_that_of_the_row_that_it_repeats() -> None:
    table = table_of("made/table1", {"a": {"mIoU": (70.4, MIOU)}, "b": {"mIoU": (72.0, MIOU)}})
    low, high = (table.rows[label].cells["mIoU"].address for label in "ab")
    for value, kinds in ((1.6, []), (1.65, []), (2.6, ["difference"])):
        gain = {"gain": (value, Metric("delta", reference=low, of=MIOU))}
        prose = with_row(table_of("made/prose", {"b again": gain}, kind="prose"), "b again", same_as=high, run=())
        assert [item.kind for item in audit(library_of(table, prose))] == kinds


@pytest.mark.parametrize("label", ["PSPNet(Zhao et al. 2017)", "PSP-Net [3]", "pspnet [Zhao et al., 2017]"])
def test_a_cited_number_must_be_the_same_in_another_paper(label: str) -> None:
    first = with_row(table_of("made/table1", {"PSPNet [95]": {"mIoU": (85.4, MIOU)}}), "PSPNet [95]", kind="cited")
    second = with_row(table_of("other/table1", {label: {"mIoU": (82.6, MIOU)}}), label, kind="cited")
    assert [(item.kind, item.address.table) for item in audit(library_of(first, second))] == [("cited", "other/table1")]
    elsewhere = replace(second, evaluated_on="Cityscapes test")
    assert audit(library_of(first, elsewhere)) == []
    assert audit(library_of(first, with_row(second, label, marks=("Coarse",)))) == []


def test_cited_rows_with_another_printed_setting_are_other_rows() -> None:
    setting = Metric("setting")
    first = table_of("made/table1", {"X [1]": {"Backbone": ("ResNet-101", setting), "mIoU": (50.0, MIOU)}})
    second = table_of("other/table1", {"X (A et al. 2019)": {"BackBone": ("ResNet50", setting), "mIoU": (49.0, MIOU)}})
    first, second = with_row(first, "X [1]", kind="cited"), with_row(second, "X (A et al. 2019)", kind="cited")
    assert audit(library_of(first, second)) == []
    cell = second.rows["X (A et al. 2019)"].cells["BackBone"]
    same = with_value(second, cell.address, "ResNet101")
    assert [item.kind for item in audit(library_of(first, same))] == ["cited"]


def test_decimals_other_than_those_of_the_column_are_found() -> None:
    table = table_of("made/table1", {"a": {"mIoU": (70.45, MIOU)}, "b": {"mIoU": (71.4, MIOU)}})
    assert [(item.kind, item.address.row) for item in audit(library_of(table))] == [("decimals", "a")]
    raw = with_value(
        with_value(table, table.rows["a"].cells["mIoU"].address, 70.4), Address("made/table1", "b", "mIoU"), 71.0, "71%"
    )
    assert [(item.kind, item.address.row) for item in audit(library_of(raw))] == [("decimals", "b")]


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
    assert [(item.kind, item.address) for item in audit(library_of(wrong))] == [("tolerance", fallen)]


def test_an_empty_library_and_a_missing_table_are_no_trouble() -> None:
    assert audit(Library()) == []
    lost = Metric("delta", reference=Address("made/table9", "x", "mIoU"), of=MIOU)
    assert audit(library_of(table_of("made/table1", {"a": {"mIoU": (1.0, MIOU), "gain": (5.0, lost)}}))) == []
    assert audit_markdown([]).count("| 0 |") == len(KINDS)
