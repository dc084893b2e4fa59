"""What a paper says of the rows that it cites and no column prints: under which settings, and which are one method."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repro.errors import hint
from repro.papers.located import Located, SpecError, check_keys, mapping_of, text_of
from repro.papers.table import Row, Table


@dataclass(frozen=True)
class CitedNote:
    """A fact about the rows of a table.

    Attributes:
        table: name of the table in its paper, such as table3.
        row: label of the one row that it is about; empty: all of the table.
        same_as: table and label of the row, of any paper, that prints the same result under another name.
        evaluated_on: the data under the name that other papers use.
        settings: name of a setting to what it is, such as COCO to without.
        place: where the paper says so.
        line: in the file.
    """

    table: str
    row: str = ""
    same_as: tuple[str, str] | None = None
    evaluated_on: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    line: int = 0


def read_cited(file: Path, node: Located) -> tuple[CitedNote, ...]:
    """The notes of a paper.yaml, in order.

    Raises:
        SpecError: they are no list of mappings with `at`, `place` and what they say.
    """
    items = node.get("cited") or []
    if not isinstance(items, list):
        raise SpecError(file, node.lines["cited"], f"cited must be a list, not {items!r}")
    return tuple(_read_note(file, node, item) for item in items)


def _read_note(file: Path, node: Located, item: object) -> CitedNote:
    if not isinstance(item, Located):
        raise SpecError(file, node.lines["cited"], f"a note on cited rows must be a mapping, not {item!r}")
    check_keys(file, item, ("at", "place"), ("same_as", "evaluated_on", "settings"), "a note on cited rows")
    table, _, row = text_of(file, item, "at").partition(": ")
    twin = text_of(file, item, "same_as")
    settings = mapping_of(file, item, "settings")
    return CitedNote(
        table, row, _split(twin) if twin else None, text_of(file, item, "evaluated_on"),
        {name: text_of(file, settings, name) for name in settings}, text_of(file, item, "place"), item.line,
    )  # fmt: skip


def check_cited(file: Path, paper: str, notes: tuple[CitedNote, ...], tables: Mapping[str, Table]) -> None:
    """Raises a `SpecError` for the first note on a table or row that there is not."""
    for note in notes:
        named = [(f"{paper}/{note.table}", note.row), *([note.same_as] if note.same_as else [])]
        for key, label in named:
            if key not in tables:
                raise SpecError(file, note.line, f"there is no table {key}{hint(key, tables)}")
            rows: Mapping[str, Row] = tables[key].rows
            if label and label not in rows:
                raise SpecError(file, note.line, f"{key} has no row {label}{hint(label, rows)}")


def _split(text: str) -> tuple[str, str]:
    table, _, row = text.partition(": ")
    return table, row
