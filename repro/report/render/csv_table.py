"""A table's result in long form: one line of CSV per printed cell, with everything that is known about it."""

import csv
import io

from repro.papers import Cell, Row, Table
from repro.report.judge.results import CellResult, TableResult
from repro.report.printed import published_text
from repro.report.render.wording import is_comparable

HEADS = (
    "paper", "table", "scale", "row", "kind", "column", "metric", "unit", "published", "printed", "verdict", "n",
    "mean", "spread", "low", "high", "difference", "margin", "p_value", "adjusted", "seeds_needed", "seeds", "values",
    "evaluations", "reason", "deviations", "choices", "hardware", "warnings",
)  # fmt: skip
"""The columns. `published` is a number with its sign, a text, or ✓ for a check mark; `printed` is the raw form; several
values in one field are separated by semicolons, sentences by ` | `. `low` and `high` bound the 95 % t-interval of the
mean, `margin` is how far from the published number still counts as reproduced. `difference`, mean minus published, is
empty where the two are not to be compared: a column of such numbers would be plotted without the verdict beside them,
and whoever wants them has both in the line."""

CHECK = "✓"


def csv_text(result: TableResult) -> str:
    """The table as CSV with a head line, rows and columns in printed order."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADS, lineterminator="\n")
    writer.writeheader()
    for row in result.table.rows.values():
        for cell in row.cells.values():
            found = result.cells.get(cell.address)
            measured = _measured(found, result.scale) if found else {}
            writer.writerow(_printed(result.table, row, cell) | {"scale": result.scale} | measured)
    return stream.getvalue()


def _printed(table: Table, row: Row, cell: Cell) -> dict[str, str]:
    column = table.columns[cell.address.column]
    marked = column.marks and column.head in row.marks
    signed = cell.signed
    published = published_text(column, cell) if signed is None else repr(signed)
    return {
        "paper": table.paper,
        "table": table.name,
        "row": row.label,
        "kind": row.kind,
        "column": column.head,
        "metric": str(cell.metric),
        "unit": column.unit,
        "published": CHECK if marked else published,
        "printed": CHECK if marked else published_text(column, cell),
    }


def _measured(found: CellResult, scale: str) -> dict[str, str]:
    interval = found.measured
    numbers = {} if interval is None else {
        "n": str(interval.n), "mean": exact(interval.mean), "spread": exact(interval.spread),
        "low": exact(interval.low), "high": exact(interval.high),
        "difference": exact(found.difference if is_comparable(found, scale) else None),
    }  # fmt: skip
    return {
        "verdict": found.verdict,
        **numbers,
        "margin": exact(found.margin),
        "p_value": exact(found.p_value),
        "adjusted": exact(found.adjusted),
        "seeds_needed": "" if found.seeds_needed is None else str(found.seeds_needed),
        "seeds": ";".join(str(seed) for seed in found.by_seed),
        "values": ";".join(exact(value) for value in found.by_seed.values()),
        "evaluations": ";".join(found.evidence),
        "reason": found.reason,
        "deviations": " | ".join(found.deviations),
        "choices": " | ".join(found.left_open),
        "hardware": " | ".join(found.hardware),
        "warnings": " | ".join(found.warnings),
    }


def exact(value: float | None) -> str:
    """A number in full; empty for none."""
    return "" if value is None else repr(float(value))
