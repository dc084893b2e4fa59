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


@cache
def known() -> set[tuple[FindingKind, Address]]:
    return {(item.kind, item.address) for item in findings()}


def moved(library: Library, address: Address, by: float) -> Library:
    """The library with one signed number moved, printed as before."""
    table, cell = library.tables[address.table], library.cell(address)
    value = cell.signed + by
    decimals = table.columns[address.column].decimals or 0
    raw = f"{abs(value):.{decimals}f} {'↓' if value < 0 else '↑'}" if cell.printed else None
    changed = with_value(table, address, round(abs(value) if raw else value, 4), raw)
    return replace(library, tables={**library.tables, address.table: changed})


def new_findings(library: Library, kind: FindingKind) -> list[Address]:
    """Where the audit finds something of a kind that it does not find in the real tables."""
    return [item.address for item in audit(library) if item.kind is kind and (kind, item.address) not in known()]


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
    return [cell.address for cell in printed if (FindingKind.DIFFERENCE, cell.address) not in known()]


def test_most_real_differences_are_right() -> None:
    assert len(right_differences()) >= 30


TO_ZERO = Address("vortex/prose", "Vortex Pooling over DeepLab v3 on test", "mIoU gain")


@settings(max_examples=20)
@example(TO_ZERO, -0.6)
@given(st.deferred(lambda: st.sampled_from(right_differences())), st.sampled_from([-9.0, -0.6, 0.6, 9.0]))
def test_moving_a_real_difference_is_exactly_one_finding(address: Address, by: float) -> None:
    assert new_findings(moved(LIBRARY, address, by), FindingKind.DIFFERENCE) == [address]


def test_moving_every_real_difference_finds_each() -> None:
    library = LIBRARY
    for address in right_differences():
        library = moved(library, address, 0.6)
    assert set(new_findings(library, FindingKind.DIFFERENCE)) == set(right_differences())


@pytest.mark.parametrize("key", ["gald/table5", "gald/table6", "gald/table7"])
def test_moving_every_real_mean_finds_each(key: str) -> None:
    library, expected = LIBRARY, []
    for row in LIBRARY.tables[key].rows.values():
        mean = next(cell for cell in row.cells.values() if cell.metric.name in ("miou", "boundary_f"))
        classes = [cell for cell in row.cells.values() if cell.metric.class_name]
        complete = len(classes) == 19 and all(cell.signed is not None for cell in classes)
        if complete and (FindingKind.MEAN, mean.address) not in known():
            library = moved(library, mean.address, 0.9)
            expected.append(mean.address)
    assert expected
    assert new_findings(library, FindingKind.MEAN) == expected


def test_moving_a_real_number_that_is_printed_twice_is_found() -> None:
    address = Address("deeplabv3/table9", "16", "mIOU")
    assert new_findings(moved(LIBRARY, address, 0.01), FindingKind.REPEATED) == [address]


def test_every_finding_of_the_real_tables_says_where_what_and_how_in_the_order_of_the_kinds() -> None:
    for item in findings():
        assert LIBRARY.cell(item.address).published is not None
        assert item.printed
        assert item.expected
        assert item.how
    places = [list(FindingKind).index(item.kind) for item in findings()]
    assert places == sorted(places)


def test_the_page_lists_every_finding_and_counts_them() -> None:
    text = audit_page(findings())
    for kind in FindingKind:
        assert f"| {kind} | {sum(item.kind is kind for item in findings())} |" in text
    assert f"| **all** | **{len(findings())}** | |" in text
    listed = [line for line in text.splitlines() if line.startswith("| ") and " @ " in line]
    assert len(listed) == len(findings())
