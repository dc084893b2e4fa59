"""Printed cells -> measurements: composed, scaled, and told why where nothing can be run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from repro.config.composer import Composer, split
from repro.errors import ConfigError
from repro.experiments.measurement import Measurement, StageConfig
from repro.experiments.overrides import (
    NAMED_BY_EVERY_ROW,
    cell_overrides,
    merged,
    sets_itself,
    stage_overrides,
    stages_of,
)
from repro.experiments.scaling import check_scale, scaled
from repro.papers import PAPER_SCALE, Address, Cell, Column, Library, Row, Scale, SpecError, Table

FROM_RECORDS = frozenset({"miou", "iou", "pixel_accuracy"})
"""Metrics that a record of an evaluation holds."""

STATIC = frozenset({"parameters", "utilisation"})
"""Metrics that the network alone decides, without training."""


class Measurements(Mapping[Address, Measurement]):
    """How the cells of some tables are measured at one scale; iterates over those, and answers for any other cell.

    Args:
        library: the papers.
        tables: the chosen tables, in order.
        scale: the scale.
        conf_folder: a folder with further choices of the config groups.
    """

    def __init__(
        self, library: Library, tables: Sequence[Table], scale: Scale, conf_folder: Path | None = None
    ) -> None:
        self.library, self.tables, self.scale = library, tuple(tables), scale
        self._problems: list[SpecError] = []
        self._composer = Composer(conf_folder)
        check_scale(scale, self._composer)
        self._paper_scale = Scale(PAPER_SCALE, "")
        self._found: dict[str, dict[Address, Measurement]] = {}
        self._composed: dict[tuple[object, ...], tuple[StageConfig, tuple[str, ...]]] = {}

    def __getitem__(self, address: Address) -> Measurement:
        return self._of_table(self.library.tables[address.table])[address]

    def __iter__(self) -> Iterator[Address]:
        for table in self.tables:
            yield from self._of_table(table)

    def __len__(self) -> int:
        return sum(len(self._of_table(table)) for table in self.tables)

    @property
    def problems(self) -> list[SpecError]:
        """Rows of the tables that cannot be composed, each with its place."""
        for table in self.tables:
            self._of_table(table)
        return list(self._problems)

    def alternative(self, address: Address, overrides: Sequence[str]) -> Measurement:
        """An own cell of the tables with some more overrides: another reading of what the paper leaves open.

        Earlier trainings of the cell follow it, unless a stage sets the same keys itself.
        """
        table = self.library.tables[address.table]
        row = table.rows[address.row]
        if row.same_as is not None:
            return self.alternative(row.same_as, overrides)
        altered = replace(table, run=merged(table.run, overrides))
        row = replace(row, evaluation=merged(row.evaluation, overrides))
        return self._own_cell(altered, row, table.columns[address.column], row.cells[address.column])

    def _of_table(self, table: Table) -> dict[Address, Measurement]:
        if table.key not in self._found:
            found: dict[Address, Measurement] = {}
            for row in table.rows.values():
                for column in table.columns.values():
                    cell = row.cells[column.head]
                    found[cell.address] = self._measurement(table, row, column, cell)
            self._found[table.key] = found if self.scale.is_paper else _without_twins(found)
        return self._found[table.key]

    def _measurement(self, table: Table, row: Row, column: Column, cell: Cell) -> Measurement:
        if row.kind == "cited":
            return Measurement(cell, self.scale.name, "cited", row.reason)
        if cell.metric.name == "setting":
            return Measurement(cell, self.scale.name, "setting")
        if cell.published is None:
            return Measurement(cell, self.scale.name, "blank")
        if row.kind != "own":
            return Measurement(cell, self.scale.name, row.kind, row.reason)
        if row.same_as is not None:
            twin = self._twin(row.same_as)
            metric = twin.metric if cell.metric.reference is None else cell.metric
            return replace(twin, cell=replace(cell, metric=metric), _ids={})
        try:
            return self._own_cell(table, row, column, cell)
        except SpecError as error:
            self._problems.append(error)
            return Measurement(cell, self.scale.name, "not built", error.message)

    def _twin(self, address: Address) -> Measurement:
        table = self.library.tables[address.table]
        if table.key in self._found:
            return self._found[table.key][address]
        row = table.rows[address.row]
        return self._measurement(table, row, table.columns[address.column], row.cells[address.column])

    def _own_cell(self, table: Table, row: Row, column: Column, cell: Cell) -> Measurement:
        of = cell.metric.of or cell.metric
        measurable = FROM_RECORDS | STATIC | {"delta"}
        missing = [f"metric={metric.name}" for metric in (cell.metric, of) if metric.name not in measurable]
        overrides = cell_overrides(table, column, row)
        self._check_named(table, row, overrides)
        stages = stages_of(table, row)
        upstream = [(stage.name, stage_overrides(table, column, row, stage), stage.drop) for stage in stages]
        everything = [*upstream, ("", overrides, row.drop)]
        paper_chain, _ = self._chain(table, row, everything, self._paper_scale)
        static = of.name in STATIC
        chain, lacking = self._chain(table, row, everything, self._paper_scale if static else self.scale)
        if static:  # the network alone decides, and it needs a head and a number of classes only
            lacking = [name for name in lacking if not name.startswith("schedule")]
        missing += lacking
        if missing:
            words = self._explained(table, row, missing)
            return Measurement(cell, self.scale.name, "not built", words, paper_chain=paper_chain)
        fixed = [leaf for leaf in table.varies if leaf in self.scale.set and sets_itself(row, column, leaf)]
        if fixed and not static:
            reason = f"the scale sets {', '.join(fixed)}"
            return Measurement(cell, self.scale.name, "not at this scale", reason, paper_chain=paper_chain)
        return Measurement(cell, self.scale.name, "static" if static else "run", "", chain, paper_chain)

    def _chain(
        self, table: Table, row: Row, stages: Sequence[tuple[str, tuple[str, ...], tuple[str, ...]]], scale: Scale
    ) -> tuple[tuple[StageConfig, ...], list[str]]:
        """The configurations of a chain at a scale, and what they lack."""
        chain, missing, known = [], list[str](), self._not_built(table)
        for stage in stages:
            key = (scale.name, *stage)
            if key not in self._composed:
                try:
                    self._composed[key] = self._stage(scale, *stage)
                except ConfigError as error:
                    raise SpecError(table.file, row.line, f"row {row.label}: {error}") from error
            config, lacking = self._composed[key]
            for thing in lacking:
                if thing not in known:
                    sentence = self._composer.explain(thing, config.config)
                    raise SpecError(table.file, row.line, f"row {row.label}: {sentence}")
            missing += lacking
            chain.append(config)
        return tuple(chain), missing

    def _stage(
        self, scale: Scale, name: str, overrides: tuple[str, ...], drop: tuple[str, ...]
    ) -> tuple[StageConfig, tuple[str, ...]]:
        composition = self._composer.compose(scaled(overrides, scale, self._composer))
        return StageConfig(name, composition.config, drop), composition.missing

    def _not_built(self, table: Table) -> Mapping[str, str]:
        paper = self.library.papers.get(table.paper)
        return paper.not_built if paper else {}

    def _explained(self, table: Table, row: Row, missing: Sequence[str]) -> str:
        known = self._not_built(table)
        for thing in missing:
            if thing not in known:
                raise SpecError(table.file, row.line, f"row {row.label}: {thing} cannot be measured, and paper.yaml of "
                                f"{table.paper} does not list it as not built")  # fmt: skip
        return "; ".join(f"{thing} ({known[thing]})" for thing in dict.fromkeys(missing))

    def _check_named(self, table: Table, row: Row, overrides: Sequence[str]) -> None:
        named = {split(override)[0] for override in overrides}
        for group in NAMED_BY_EVERY_ROW:
            if group not in named:
                raise SpecError(table.file, row.line, f"row {row.label} names no {group}; write {group}=<choice> "
                                "in the run or evaluation of row, column or table")  # fmt: skip


def _without_twins(found: dict[Address, Measurement]) -> dict[Address, Measurement]:
    """Of cells that differ in the paper and not at the scale, all but the first are the same as that one."""
    first: dict[tuple[str, str, str | None], tuple[Address, str]] = {}
    result = {}
    for address, item in found.items():
        result[address] = item
        if item.kind != "run" or not item.paper_chain:
            continue
        reference = str(item.reference) if item.reference else None
        key = (item.evaluation_id(0), str(item.metric), reference)
        paper = repr([stage.config for stage in item.paper_chain])
        twin, twin_paper = first.setdefault(key, (address, paper))
        if twin != address and twin_paper != paper:
            where = twin.row if twin.row != address.row else f"{twin.row} @ {twin.column}"
            result[address] = replace(item, kind="same as", reason=where, chain=(), twin=twin, _ids={})
    return result


def measurements(
    library: Library, tables: Sequence[Table], scale: Scale, conf_folder: Path | None = None
) -> Measurements:
    """How every printed cell of some tables is measured at a scale."""
    return Measurements(library, tables, scale, conf_folder)
