"""The audit on the real tables: what moving one of their numbers brings to light."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.papers import Address, Cell, Library, load_papers
from repro.report.audit.checks import KINDS, audit, audit_markdown
from tests.report.made_results import with_value

LIBRARY = load_papers()
BEFORE = audit(LIBRARY)


def moved(library: Library, address: Address, by: float) -> Library:
    """The library with one signed number moved, printed as before."""
    table, cell = library.tables[address.table], library.cell(address)
    value = cell.signed + by
    decimals = table.columns[address.column].decimals or 0
    raw = f"{abs(value):.{decimals}f} {'↓' if value < 0 else '↑'}" if cell.printed else None
    changed = with_value(table, address, round(abs(value) if raw else value, 4), raw)
    return replace(library, tables={**library.tables, address.table: changed})


def new_findings(library: Library, kind: str) -> list[Address]:
    """Where the audit finds something of a kind that it does not find in the real tables."""
    known = {(item.kind, item.address) for item in BEFORE}
    return [item.address for item in audit(library) if item.kind == kind and (item.kind, item.address) not in known]


def has_both_sides(cell: Cell) -> bool:
    """Whether a difference is printed between two printed numbers."""
    if cell.metric.name != "delta" or cell.signed is None:
        return False
    row = LIBRARY.tables[cell.address.table].rows[cell.address.row]
    own = [LIBRARY.cell(row.same_as)] if row.same_as else row.cells.values()
    sides = [any(other.metric == cell.metric.of and other.signed is not None for other in own)]
    return all([*sides, LIBRARY.cell(cell.metric.reference).metric == cell.metric.of])


RIGHT_DIFFERENCES = [
    cell.address for table in LIBRARY.tables.values() for cell in table.cells()
    if has_both_sides(cell) and ("difference", cell.address) not in {(item.kind, item.address) for item in BEFORE}
]  # fmt: skip


def test_most_real_differences_are_right() -> None:
    assert len(RIGHT_DIFFERENCES) >= 30


@settings(max_examples=20)
@given(st.sampled_from(RIGHT_DIFFERENCES), st.sampled_from([-9.0, -0.6, 0.6, 9.0]))
def test_moving_a_real_difference_is_exactly_one_finding(address: Address, by: float) -> None:
    assert new_findings(moved(LIBRARY, address, by), "difference") == [address]


def test_moving_every_real_difference_finds_each() -> None:
    library = LIBRARY
    for address in RIGHT_DIFFERENCES:
        library = moved(library, address, 0.6)
    assert set(new_findings(library, "difference")) == set(RIGHT_DIFFERENCES)


@pytest.mark.parametrize("key", ["gald/table5", "gald/table6", "gald/table7"])
def test_moving_every_real_mean_finds_each(key: str) -> None:
    library, expected = LIBRARY, []
    for row in LIBRARY.tables[key].rows.values():
        mean = next(cell for cell in row.cells.values() if cell.metric.name in ("miou", "boundary_f"))
        classes = [cell for cell in row.cells.values() if cell.metric.class_name]
        complete = len(classes) == 19 and all(cell.signed is not None for cell in classes)
        if complete and ("mean", mean.address) not in {(item.kind, item.address) for item in BEFORE}:
            library = moved(library, mean.address, 0.9)
            expected.append(mean.address)
    assert expected
    assert new_findings(library, "mean") == expected


def test_moving_a_real_number_that_is_printed_twice_is_found() -> None:
    address = Address("deeplabv3/table9", "16", "mIOU")
    assert new_findings(moved(LIBRARY, address, 0.01), "repeated") == [address]


def test_every_finding_of_the_real_tables_has_a_place_and_a_kind() -> None:
    for item in BEFORE:
        assert item.kind in KINDS
        assert LIBRARY.cell(item.address).published is not None
        assert item.printed
        assert item.expected
        assert item.how


def test_the_page_lists_every_finding_and_counts_them() -> None:
    text = audit_markdown(BEFORE)
    for kind in KINDS:
        assert f"| {kind} | {sum(item.kind == kind for item in BEFORE)} |" in text
    assert f"| **all** | **{len(BEFORE)}** | |" in text
    listed = [line for line in text.splitlines() if line.startswith("| ") and " @ " in line]
    assert len(listed) == len(BEFORE)
