"""YAML of one table -> `Table`."""

from typing import Any

from repro.errors import hint
from repro.papers.address import Address
from repro.papers.claim import Claim
from repro.papers.draft import Draft, Drafts
from repro.papers.located import Located, SpecError, check_keys, mapping_of, number_of, text_of, texts_of, word_of
from repro.papers.metrics import MIOU, SETTING
from repro.papers.parse import split_address
from repro.papers.read_cell import read_cell
from repro.papers.read_claim import ClaimReader
from repro.papers.table import Cell, Column, Metric, Row, RowKind, Stage, Table, TableKind


class TableReader:
    """Builds the table of a draft; addresses are looked up among all drafts."""

    def __init__(self, draft: Draft, drafts: Drafts) -> None:
        self.draft, self.drafts, self.file, self.node = draft, drafts, draft.file, draft.node

    def read(self) -> Table:
        """The table; raises `SpecError` with the line of the first mistake."""
        file, node = self.file, self.node
        kind = word_of(file, node, "kind", TableKind)
        columns = {head: self._column(head, item) for head, item in mapping_of(file, node, "columns").items()}
        stages = {name: self._stage(name, item) for name, item in mapping_of(file, node, "stages").items()}
        self._check_order(stages)
        rows = {row.label: row for row in (self._row(item, columns, stages) for item in node["rows"])}
        return Table(
            key=self.draft.key,
            title=text_of(file, node, "title"),
            place=text_of(file, node, "place"),
            kind=kind,
            evaluated_on=text_of(file, node, "evaluated_on"),
            label_column=text_of(file, node, "label_column"),
            varies=texts_of(file, node, "varies"),
            columns=columns,
            rows=rows,
            claims=self._claims(rows),
            stages=stages,
            run=texts_of(file, node, "run"),
            evaluation=texts_of(file, node, "evaluation"),
            file=file,
            tolerance=number_of(file, node, "tolerance"),
        )

    def resolve(self, text: str, metric: Metric, line: int) -> Address:
        """The cell that a text names; without a column, the one of the metric, else the row's first measured one."""
        paper, _, key = self.draft.key.partition("/")
        table, label, column = split_address(text, paper, key, set(self.drafts))
        draft = self.drafts[table]
        if label not in draft.filled:
            right = hint(label, draft.filled, otherwise=f"it has {', '.join(draft.filled)}")
            raise SpecError(self.file, line, f"{table} has no row {label}{right}")
        if column is None:
            measured = [head for head in draft.filled[label] if draft.metrics[head] != SETTING.name]
            column = next((head for head in measured if draft.metrics[head] == str(metric)), None)
            column = column or next((head for head in measured if draft.metrics[head] == MIOU.name), None)
            column = column or next(iter(measured), None)
        if column not in draft.metrics:
            raise SpecError(self.file, line, f"{table} has no measured column {column or ''} in row {label}")
        return Address(table, label, column)

    def _list(self, key: str) -> list[Any]:
        value = self.node.get(key) or []
        if not isinstance(value, list):
            raise SpecError(self.file, self.node.lines[key], f"{key} must be a list, not {value!r}")
        return value

    def _check_order(self, stages: dict[str, Stage]) -> None:
        for name, stage in stages.items():
            seen, upstream = {name}, stage.after
            while upstream is not None:
                if upstream in seen:
                    line = self.node["stages"].lines[name]
                    raise SpecError(self.file, line, f"the stages go round in a circle: {name} comes after itself")
                seen.add(upstream)
                upstream = stages[upstream].after

    def _twin(self, node: Located) -> Address | None:
        text = text_of(self.file, node, "same_as")
        if not text:
            return None
        address = self.resolve(text, Metric(MIOU.name), node.lines["same_as"])
        if self.drafts[address.table].is_repeated(address.row):
            raise SpecError(self.file, node.lines["same_as"], f"{text} only repeats another cell; name that one")
        return address

    def _column(self, head: str, node: Located) -> Column:
        decimals = node.get("decimals")
        if decimals is not None and not isinstance(decimals, int):
            raise SpecError(self.file, node.lines["decimals"], f"decimals must be a whole number, not {decimals!r}")
        return Column(
            head=head,
            metric=text_of(self.file, node, "metric"),
            unit=text_of(self.file, node, "unit"),
            decimals=decimals,
            marks=node.get("marks") is True,
            lower_is_better=node.get("lower_is_better") is True,
            run=texts_of(self.file, node, "run"),
            evaluation=texts_of(self.file, node, "evaluation"),
        )

    def _stage(self, name: str, node: Any) -> Stage:
        if not isinstance(node, Located):
            raise SpecError(self.file, self.node.lines["stages"], f"stage {name} must be a mapping with its run")
        check_keys(self.file, node, ("run",), ("after", "drop"), f"stage {name}")
        after = text_of(self.file, node, "after") or None
        if after is not None and after not in self.node["stages"]:
            raise SpecError(self.file, node.lines["after"], f"there is no stage {after}")
        return Stage(name, texts_of(self.file, node, "run"), after, texts_of(self.file, node, "drop"))

    def _row(self, node: Located, columns: dict[str, Column], stages: dict[str, Stage]) -> Row:
        file, label = self.file, text_of(self.file, node, "label")
        kind = word_of(file, node, "kind", RowKind, RowKind.OWN)
        after = text_of(file, node, "after") or None
        if after is not None and after not in stages:
            raise SpecError(file, node.lines["after"], f"row {label} comes after the stage {after}, which is not there")
        marks = texts_of(file, node, "marks")
        for head in marks:
            if head not in columns or not columns[head].marks:
                raise SpecError(file, node.lines["marks"], f"row {label} is marked in {head}, which is no mark column")
        return Row(
            label=label,
            kind=kind,
            reason=text_of(file, node, "reason"),
            note=text_of(file, node, "note"),
            place=text_of(file, node, "place"),
            marks=marks,
            marks_from=text_of(file, node, "marks_from"),
            cells=self._cells(node, label, columns),
            run=texts_of(file, node, "run"),
            evaluation=texts_of(file, node, "evaluation"),
            after=after,
            drop=texts_of(file, node, "drop"),
            same_as=self._twin(node),
            line=node.line,
        )

    def _cells(self, row: Located, label: str, columns: dict[str, Column]) -> dict[str, Cell]:
        given = mapping_of(self.file, row, "cells")
        for head in given:
            if head not in columns:
                message = f"row {label} has a cell for no column: {head}{hint(head, columns)}"
                raise SpecError(self.file, given.lines[head], message)
        fill = mapping_of(self.file, row, "fill")
        return {
            head: self._cell(Address(self.draft.key, label, head), column, given, fill, row.line)
            for head, column in columns.items()
        }

    def _cell(self, address: Address, column: Column, given: Located, fill: Located, row_line: int) -> Cell:
        if address not in self.draft.cells:
            line = given.lines.get(address.column, row_line)
            value = given.get(address.column)
            self.draft.cells[address] = read_cell(
                self.file, line, address, value, fill, column.metric, lambda text, of: self.resolve(text, of, line)
            )
        return self.draft.cells[address]

    def cell_at(self, address: Address) -> Cell:
        """One cell, which may lie in another table, without the rest of that table."""
        found = self.drafts[address.table].cells.get(address)
        if found is not None:
            return found
        if address.table != self.draft.key:
            return TableReader(self.drafts[address.table], self.drafts).cell_at(address)
        column = self._column(address.column, self.node["columns"][address.column])
        (row,) = (row for row in self.node["rows"] if row.get("label") == address.row)
        given, fill = (mapping_of(self.file, row, key) for key in ("cells", "fill"))
        return self._cell(address, column, given, fill, row.line)

    def _claims(self, rows: dict[str, Row]) -> tuple[Claim, ...]:
        def rest(address: Address) -> list[Address]:
            if address.table != self.draft.key:
                raise SpecError(self.file, self.node.lines["claims"], f"rest of {address} lies in another table")
            own = (row for row in rows.values() if row.kind is not RowKind.CITED and row.same_as is None)
            return [row.cells[address.column].address for row in own if row.cells[address.column].is_result]

        line = self.node.lines.get("claims", 1)
        reader = ClaimReader(self.file, lambda text: self.resolve(text, Metric(MIOU.name), line), rest, self.cell_at)
        return tuple(reader.read(item, line) for item in self._list("claims"))
