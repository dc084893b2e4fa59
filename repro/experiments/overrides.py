"""The overrides of a printed cell, from table, column, row and stage."""

from collections.abc import Iterable

from repro.composer import split
from repro.papers import Column, Row, Stage, Table

NAMED_BY_EVERY_ROW = ("backbone", "head", "dataset", "schedule", "evaluation")
"""Groups that an own cell's overrides must choose themselves, so that no default decides what is measured."""

NETWORK = ("backbone", "head", "auxiliary")
"""Beginnings of the keys that describe the network."""


def merged(*groups: Iterable[str]) -> tuple[str, ...]:
    """One override per key, the last one given, in the order of first mention."""
    found: dict[str, str] = {}
    for overrides in groups:
        for override in overrides:
            found[split(override)[0]] = override
    return tuple(found.values())


def cell_overrides(table: Table, column: Column, row: Row) -> tuple[str, ...]:
    """What makes the paper's configuration of one cell."""
    training = (table.run, column.run, row.run)
    return merged(*training, table.evaluation, column.evaluation, row.evaluation)


def stage_overrides(table: Table, column: Column, row: Row, stage: Stage) -> tuple[str, ...]:
    """What makes the paper's configuration of an earlier training: the row's network, and the stage's own protocol."""
    network = (item for item in (*column.run, *row.run) if split(item)[0].replace("/", ".").startswith(NETWORK))
    return merged(table.run, network, table.evaluation, stage.run)


def stages_of(table: Table, row: Row) -> list[Stage]:
    """The earlier trainings of a row, first one first."""
    chain: list[Stage] = []
    name = row.after
    while name is not None:
        stage = table.stages[name]
        if stage in chain:
            raise ValueError(f"the stages of {table.key} go round in a circle at {name}")
        chain.insert(0, stage)
        name = stage.after
    return chain
