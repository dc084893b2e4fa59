"""The audit on the real tables: what moving one of their numbers brings to light."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repro.papers import Address, Cell, Library
from repro.report.audit.checks import audit
from repro.report.audit.finding import Finding, FindingKind
from repro.report.render.pages import audit_page
from tests.composed import papers
from tests.report.made_results import with_value

LIBRARY = papers()


@cache
def findings() -> list[Finding]:
    """Those in the real tables; the first audit of a process composes every printed experiment."""
    return audit(LIBRARY)


def moved(library: Library, address: Address, by: float) -> Library:
    """The library with one signed number moved, printed as before."""
    table, cell = library.tables[address.table], library.cell(address)
    value = cell.signed + by
    decimals = table.columns[address.column].decimals or 0
    raw = f"{abs(value):.{decimals}f} {'↓' if value < 0 else '↑'}" if cell.printed else None
    changed = with_value(table, address, round(abs(value) if raw else value, 4), raw)
    return replace(library, tables={**library.tables, address.table: changed})


def new_findings(library: Library) -> list[Finding]:
    """What the audit finds that it does not find in the real tables."""
    return [item for item in audit(library) if item not in findings()]


def has_both_sides(cell: Cell) -> bool:
    """Whether a difference is printed between two printed numbers."""
    if not cell.metric.is_difference or cell.signed is None:
        return False
    row = LIBRARY.tables[cell.address.table].rows[cell.address.row]
    own = [LIBRARY.cell(row.same_as)] if row.same_as else row.cells.values()
    sides = [any(other.metric == cell.metric.of and other.signed is not None for other in own)]
    return all([*sides, LIBRARY.cell(cell.metric.reference).metric == cell.metric.of])


@cache
def right_differences() -> list[Address]:
    printed = (cell for table in LIBRARY.tables.values() for cell in table.cells() if has_both_sides(cell))
    wrong = {address for item in findings() for address in item.blamed or item.places}
    return [cell.address for cell in printed if cell.address not in wrong]


def test_most_real_differences_are_right() -> None:
    assert len(right_differences()) >= 30


TO_ZERO = Address("vortex/prose", "Vortex Pooling over DeepLab v3 on test", "mIoU gain")


@settings(max_examples=5)
@example(TO_ZERO, -0.6)
@given(st.deferred(lambda: st.sampled_from(right_differences())), st.sampled_from([-9.0, -0.6, 0.6, 9.0]))
def test_a_real_difference_that_is_moved_is_found_and_nothing_else_is_blamed(address: Address, by: float) -> None:
    found = new_findings(moved(LIBRARY, address, by))
    assert any(address in item.places for item in found)
    assert {blamed for item in found for blamed in item.blamed} <= {address, *wrong_ones()}


@cache
def wrong_ones() -> set[Address]:
    """What is blamed in the tables as they are."""
    return {address for item in findings() for address in item.blamed}


@pytest.mark.parametrize("key", ["gald/table5", "gald/table6", "gald/table7"])
def test_moving_every_real_mean_finds_each(key: str) -> None:
    library, expected = LIBRARY, []
    for row in LIBRARY.tables[key].rows.values():
        mean = next(cell for cell in row.cells.values() if cell.metric.name in ("miou", "boundary_f"))
        classes = [cell for cell in row.cells.values() if cell.metric.class_name]
        complete = len(classes) == 19 and all(cell.signed is not None for cell in classes)
        if complete and not any(mean.address in item.places for item in findings()):
            library = moved(library, mean.address, 0.9)
            expected.append(mean.address)
    assert expected
    named = {address for item in new_findings(library) for address in item.places}
    assert set(expected) <= named


def test_moving_a_real_number_that_is_printed_twice_is_found() -> None:
    address = Address("deeplabv3/table9", "16", "mIOU")
    found = new_findings(moved(LIBRARY, address, 0.01))
    assert [item.blamed for item in found] == [(address,)]


def finding_of(row: str, column: str) -> Finding:
    """The finding that blames a cell of GALD's tables, or the undecided one that names it first."""
    found = [item for item in findings() if any((place.row, place.column) == (row, column)
                                                for place in item.blamed or item.places[:1])]  # fmt: skip
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [("+ASPP + LDv2", "Δa(%)", "7.1"), ("+ASPP + LDv2", "Δb(%)", "3.6"), ("ResNet101", "Δa(%)", "0.7"),
     ("+LDv2", "Δa(%)", "5.2 ↑"), ("+ASPP + LDv1", "Δa(%)", "5.8"), ("Ours (LDv2) 5px", "wall", "61.10"),
     ("GALDv1 on Cityscapes test, coarse annotations as well", "mIoU", "82.8")],
)  # fmt: skip
def test_the_wrong_number_of_the_papers_is_blamed(row: str, column: str, expected: str) -> None:
    """The faults: the text's 7.1 and 3.6 were blamed for the table's slips."""
    found = finding_of(row, column)
    assert (len(found.blamed), found.expected) == (1, expected)
    right = [Address("gald/prose", f"ASPP with LDv2 over {other}", "mIoU gain") for other in ("FCN", "ASPP")]
    assert not any(address in item.blamed for item in findings() for address in right)


@pytest.mark.parametrize("row", ["+PSP + LDv2", "+CGNL + LDv2"])
def test_two_differences_copied_into_one_row_do_not_outvote_its_score(row: str) -> None:
    found = finding_of(row, "Δa(%)")
    assert found.blamed == ()
    assert Address("gald/table1d", row, "mIoU(%)") in found.places


def test_every_finding_of_the_real_tables_says_where_what_and_how_in_the_order_of_the_kinds() -> None:
    for item in findings():
        assert all(LIBRARY.cell(address).published is not None for address in item.places)
        assert set(item.blamed) <= set(item.places)
        assert item.printed
        assert bool(item.expected) == bool(item.blamed)
        assert item.how
    places = [list(FindingKind).index(item.kind) for item in findings()]
    assert places == sorted(places)


def test_the_page_lists_every_finding_and_counts_them() -> None:
    text = audit_page(findings())
    for kind in FindingKind:
        assert f"| {kind} | {sum(item.kind is kind for item in findings())} |" in text
    assert f"| **all** | **{len(findings())}** | **{sum(bool(item.blamed) for item in findings())}** | |" in text
    listed = [line for line in text.splitlines() if line.startswith("| ") and " @ " in line]
    assert len(listed) == len(findings())
