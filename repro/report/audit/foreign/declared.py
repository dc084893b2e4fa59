"""The file of relations beside somebody else's table -> `Rules`."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from repro.errors import hint
from repro.papers.located import Located, SpecError, check_keys, read_yaml, text_of, texts_of
from repro.report.audit.foreign.grid import Grid
from repro.report.audit.foreign.rules import ABOVE, Difference, Mean, Rule, Rules

OTHERS = "others"
"""All but the number itself."""

DIRECTIONS = {"highest": True, "lowest": False}


def read_rules(file: Path, grids: Sequence[Grid]) -> Rules:
    """The relations that a file declares of a table.

    Raises:
        SpecError: an entry that is none, or a column or row that the table does not have.
    """
    node = read_yaml(file)
    check_keys(file, node, (), ("differences", "means", "best", "same"), "the file of relations")
    return _Reader(file, node, grids).read()


class _Reader:
    def __init__(self, file: Path, node: Located, grids: Sequence[Grid]) -> None:
        self.file, self.node = file, node
        self.columns = list(dict.fromkeys(column for grid in grids for column in grid.columns))
        self.rows = list(dict.fromkeys(row.label for grid in grids for row in grid.rows))

    def read(self) -> Rules:
        differences = [self._difference(item) for item in self._items("differences")]
        means = [self._mean(item) for item in self._items("means")]
        best = [self._best(item) for item in self._items("best")]
        same = [self._same(item) for item in self._list("same")]
        return Rules((*differences, *means), tuple(best), tuple(same))

    def _difference(self, item: Located) -> Rule:
        check_keys(self.file, item, ("of",), ("column", "row", "minus", "to"), "a difference")
        by_row, names = self._axis(item, "difference")
        of, minus, to = (text_of(self.file, item, key) for key in ("of", "minus", "to"))
        if bool(minus) == bool(to) or (by_row and to):
            right = "minus: another row" if by_row else "minus: another column, or to: a row"
            raise SpecError(self.file, item.line, f"a difference needs one of {right}")
        name = text_of(self.file, item, "row" if by_row else "column")
        for text in (name, of, *([minus] if minus else [])):
            self._known(item, text, names)
        if to and to != ABOVE:
            self._known(item, to, self.rows)
        return Difference(name, of, minus, to, by_row)

    def _mean(self, item: Located) -> Rule:
        check_keys(self.file, item, ("of",), ("column", "row"), "a mean")
        by_row, names = self._axis(item, "mean")
        name = text_of(self.file, item, "row" if by_row else "column")
        parts = texts_of(self.file, item, "of")
        if parts == (OTHERS,):
            parts = tuple(other for other in names if other != name)
        for text in (name, *parts):
            self._known(item, text, names)
        return Mean(name, parts, by_row)

    def _best(self, item: Located) -> tuple[str, bool]:
        check_keys(self.file, item, ("column", "is"), (), "a best number")
        column, word = text_of(self.file, item, "column"), text_of(self.file, item, "is")
        self._known(item, column, self.columns)
        if word not in DIRECTIONS:
            raise SpecError(self.file, item.lines["is"], f"is: {word} must be {' or '.join(DIRECTIONS)}")
        return column, DIRECTIONS[word]

    def _same(self, item: Any) -> tuple[tuple[str, str], ...]:
        line = self.node.lines["same"]
        if not isinstance(item, list) or not all(isinstance(text, str) and " @ " in text for text in item):
            raise SpecError(self.file, line, f"the same is a list of cells, each as row @ column, not {item!r}")
        cells = [tuple(part.strip() for part in text.rsplit(" @ ", 1)) for text in item]
        for row, column in cells:
            if row not in self.rows or column not in self.columns:
                wrong, names = (row, self.rows) if row not in self.rows else (column, self.columns)
                raise SpecError(self.file, line, f"the table has no {wrong}{hint(wrong, names)}")
        return tuple((row, column) for row, column in cells)

    def _axis(self, item: Located, what: str) -> tuple[bool, list[str]]:
        if ("column" in item) == ("row" in item):
            raise SpecError(self.file, item.line, f"a {what} needs column or row, the one that prints it")
        return ("row" in item, self.rows if "row" in item else self.columns)

    def _known(self, item: Located, name: str, names: Collection[str]) -> None:
        if name not in names:
            right = hint(name, names, otherwise=f"it has {', '.join(names)}")
            raise SpecError(self.file, item.line, f"the table has no {name}{right}")

    def _items(self, key: str) -> list[Located]:
        for item in self._list(key):
            if not isinstance(item, Located):
                raise SpecError(self.file, self.node.lines[key], f"an entry of {key} must be a mapping, not {item!r}")
        return self._list(key)

    def _list(self, key: str) -> list[Any]:
        value = self.node.get(key) or []
        if not isinstance(value, list):
            raise SpecError(self.file, self.node.lines[key], f"{key} must be a list, not {value!r}")
        return value
