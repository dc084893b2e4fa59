"""One cell in a table's YAML -> `Cell`."""

import math
from pathlib import Path
from typing import Any

from repro.papers.address import Address
from repro.papers.located import Located, SpecError, check_keys
from repro.papers.metrics import SETTING
from repro.papers.parse import Resolver, parse_metric
from repro.papers.table import Cell

NOT_PRINTED = "not printed"
"""What stands in a cell that the paper never printed and that is measured all the same."""


def read_cell(file: Path, line: int, address: Address, given: Any, fill: Located, metric: str, of: Resolver) -> Cell:
    """The cell of what a file gives for it.

    Args:
        file: of the table, for errors.
        line: of the cell, for errors.
        address: of the cell.
        given: its value, or a mapping with more; None for a blank.
        fill: what replaces a name in braces in its metric.
        metric: of its column.
        of: turns the text of another cell into its address.

    Raises:
        SpecError: the value, or the metric, is not what it must be.
    """
    printed = None
    if isinstance(given, Located):
        check_keys(file, given, ("value",), ("printed", "metric"), f"the cell {address}")
        printed, metric, given = given.get("printed"), given.get("metric", metric), given["value"]
    if not isinstance(metric, str):
        raise SpecError(file, line, f"the metric of {address} must be text, not {metric!r}")
    for name, replacement in fill.items():
        metric = metric.replace("{" + name + "}", str(replacement))
    is_wanted = given == NOT_PRINTED and metric != SETTING.name
    value = None if is_wanted else given
    if metric != SETTING.name and value is not None and not _is_number(value):
        raise SpecError(file, line, f"the published cell {address} is {value!r}, which is no number")
    if isinstance(value, (list, Located)):
        raise SpecError(file, line, f"the cell {address} must be one value, not {value!r}")
    try:
        parsed = parse_metric(metric, of)
    except ValueError as error:
        raise SpecError(file, line, f"the cell {address}: {error}") from error
    cell = Cell(address, value, parsed, None if printed is None else str(printed), line, is_wanted)
    _check_result(file, cell)
    return cell


def _check_result(file: Path, cell: Cell) -> None:
    """Raises a `SpecError` for a result that cannot be one."""
    reference, here = cell.metric.reference, cell.address
    is_given = cell.is_result or cell.is_wanted
    if is_given and cell.metric.is_difference and reference is not None and _row(reference) == _row(here):
        raise SpecError(file, cell.line, f"the cell {here} is a difference to its own row")
    if not cell.metric.base.kind.is_score or cell.signed is None:
        return
    low = -100 if cell.metric.is_difference else 0
    if not low <= cell.signed <= 100:
        raise SpecError(file, cell.line, f"the cell {here} is {cell.signed:g} %; a score lies within {low} and 100")


def _row(address: Address) -> tuple[str, str]:
    return address.table, address.row


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
