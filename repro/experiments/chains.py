"""Printed cells -> chains of configurations at the paper's scale and at another one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from repro.config.composer import Composer
from repro.config.overrides import split
from repro.errors import ConfigError
from repro.experiments.chain import Chain, Link
from repro.experiments.overrides import NAMED_BY_EVERY_ROW, cell_overrides, stage_overrides, stages_of
from repro.experiments.scaling import check_scale, scaled
from repro.papers import Column, Library, Row, Scale, SpecError, Table

_Training = tuple[str, tuple[str, ...], tuple[str, ...]]
"""Name of a stage, overrides, and the weights that are not taken over."""


class Chains:
    """Composes the chains of cells; equal ones are one object, so that their ids are worked out once.

    Args:
        library: the papers.
        scale: the scale besides the paper's own.
        conf_folder: a folder with further choices of the config groups.

    Raises:
        ConfigError: the scale names a setting that no configuration has.
    """

    def __init__(self, library: Library, scale: Scale, conf_folder: Path | None = None) -> None:
        self._library = library
        self._composer = Composer(conf_folder)
        check_scale(scale, self._composer)
        self._links: dict[tuple[str, _Training], Link] = {}
        self._chains: dict[tuple[str, tuple[_Training, ...]], Chain] = {}

    def of(self, table: Table, row: Row, column: Column, scale: Scale) -> Chain:
        """The chain of an own cell at a scale; what it lacks is `missing` in its configurations.

        Raises:
            SpecError: it cannot be composed, or lacks something that the paper does not list as not built.
        """
        try:
            overrides = cell_overrides(table, column, row)
            upstream = [
                (stage.name, stage_overrides(table, column, row, stage), stage.drop) for stage in stages_of(table, row)
            ]
        except ConfigError as error:
            raise SpecError(table.file, row.line, f"row {row.label}: {error}") from error
        self._check_named(table, row, overrides)
        trainings = (*upstream, ("", overrides, row.drop))
        key = (scale.name, trainings)
        if key not in self._chains:
            self._chains[key] = Chain(tuple(self._link(table, row, training, scale) for training in trainings))
        for link in self._chains[key].links:
            self._check_missing(table, row, link)
        return self._chains[key]

    def explained(self, table: Table, row: Row, missing: Sequence[str]) -> str:
        """Why a cell cannot be measured: what is not built, in the words of its paper.

        Raises:
            SpecError: the paper does not list it.
        """
        known = self._not_built(table)
        for thing in missing:
            if thing not in known:
                raise SpecError(table.file, row.line, f"row {row.label}: {thing} cannot be measured, and paper.yaml of "
                                f"{table.paper} does not list it as not built")  # fmt: skip
        return "; ".join(f"{thing} ({known[thing]})" for thing in dict.fromkeys(missing))

    def _link(self, table: Table, row: Row, training: _Training, scale: Scale) -> Link:
        key = (scale.name, training)
        if key not in self._links:
            name, overrides, drop = training
            try:
                configuration = self._composer.compose(scaled(overrides, scale, self._composer))
            except ConfigError as error:
                raise SpecError(table.file, row.line, f"row {row.label}: {error}") from error
            self._links[key] = Link(name, replace(configuration, scale=scale.name), drop)
        return self._links[key]

    def _check_missing(self, table: Table, row: Row, link: Link) -> None:
        known = self._not_built(table)
        for thing in link.configuration.missing:
            if thing not in known:
                sentence = self._composer.explain(thing, link.configuration)
                raise SpecError(table.file, row.line, f"row {row.label}: {sentence}")

    def _not_built(self, table: Table) -> Mapping[str, str]:
        paper = self._library.papers.get(table.paper)
        return paper.not_built if paper else {}

    def _check_named(self, table: Table, row: Row, overrides: Sequence[str]) -> None:
        named = {split(override)[0] for override in overrides}
        for group in NAMED_BY_EVERY_ROW:
            if group not in named:
                raise SpecError(table.file, row.line, f"row {row.label} names no {group}; write {group}=<choice> "
                                "in the run or evaluation of row, column or table")  # fmt: skip
