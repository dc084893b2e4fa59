"""A table's YAML as far as other tables need it: which cells there are, and what they measure."""

from dataclasses import dataclass, field
from pathlib import Path

from repro.papers.address import Address
from repro.papers.located import Located, SpecError, check_keys, mapping_of, read_yaml, text_of
from repro.papers.table import Cell

_TABLE_KEYS = ("place", "label_column", "varies", "run", "evaluation", "claims", "stages", "tolerance")
_ROW_KEYS = ("kind", "reason", "note", "place", "key", "marks", "marks_from", "run", "evaluation", "after", "drop",
             "fill", "same_as")  # fmt: skip
_COLUMN_KEYS = ("unit", "decimals", "marks", "lower_is_better", "run", "evaluation")


@dataclass(frozen=True)
class Draft:
    """A table's YAML with what addresses need.

    Attributes:
        key: such as vortex/table1.
        file: of the table.
        node: what the file holds.
        metrics: head of each column to its metric.
        filled: label of each row to the columns that it fills.
        cells: those that have been read so far.
    """

    key: str
    file: Path
    node: Located
    metrics: dict[str, str]
    filled: dict[str, tuple[str, ...]]
    cells: dict[Address, Cell] = field(default_factory=dict)

    def is_repeated(self, label: str) -> bool:
        """Whether a row prints another one's cell once more."""
        return any(row.get("label") == label and "same_as" in row for row in self.node["rows"])


Drafts = dict[str, Draft]


def read_draft(file: Path) -> Draft:
    """Reads a file far enough for other tables to refer to its cells.

    Raises:
        SpecError: the file is no YAML, or its columns or rows are not what they must be.
    """
    node = read_yaml(file)
    check_keys(file, node, ("title", "kind", "evaluated_on", "columns", "rows"), _TABLE_KEYS, "the table")
    metrics = {}
    for head, column in mapping_of(file, node, "columns").items():
        if not isinstance(column, Located):
            raise SpecError(file, node["columns"].lines[head], f"column {head} must be a mapping with its metric")
        check_keys(file, column, ("metric",), _COLUMN_KEYS, f"column {head}")
        metrics[head] = text_of(file, column, "metric")
    filled: dict[str, tuple[str, ...]] = {}
    if not isinstance(node["rows"], list) or not node["rows"]:
        raise SpecError(file, node.lines["rows"], "rows must be a list of rows, each with its label and cells")
    for row in node["rows"]:
        if not isinstance(row, Located):
            raise SpecError(file, node.lines["rows"], f"a row must be a mapping with label and cells, not {row!r}")
        check_keys(file, row, ("label", "cells"), _ROW_KEYS, f"row {row.get('label', '')}".rstrip())
        label = text_of(file, row, "label")
        if label in filled:
            raise SpecError(file, row.line, f"there are two rows with the label {label}")
        cells = mapping_of(file, row, "cells")
        filled[label] = tuple(head for head in metrics if cells.get(head) is not None)
    return Draft(f"{file.parent.name}/{file.stem}", file, node, metrics, filled)
