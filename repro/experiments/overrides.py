"""The overrides of a printed cell, from table, column, row and stage."""

from repro.config.overrides import merged, split
from repro.papers import Column, Row, Stage, Table

NAMED_BY_EVERY_ROW = ("backbone", "head", "dataset", "schedule", "evaluation")
"""Groups that an own cell's overrides must choose themselves, so that no default decides what is measured."""

NETWORK = ("backbone", "head", "auxiliary")
"""Beginnings of the keys that describe the network."""


def cell_overrides(table: Table, column: Column, row: Row) -> tuple[str, ...]:
    """What makes the paper's configuration of one cell."""
    training = (table.run, column.run, row.run)
    return merged(*training, table.evaluation, column.evaluation, row.evaluation)


def stage_overrides(table: Table, column: Column, row: Row, stage: Stage) -> tuple[str, ...]:
    """What makes the paper's configuration of an earlier training: the row's network, and the stage's own protocol.

    Where the stage names its data set, leaves of the table's are left out, since they describe the other one.
    """
    network = (item for item in (*column.run, *row.run) if _key(item).replace("/", ".").startswith(NETWORK))
    foreign = "dataset" in map(_key, stage.run)
    base = (item for item in table.run if not (foreign and _key(item).startswith("dataset.")))
    return merged(base, network, table.evaluation, stage.run)


def sets_itself(row: Row, column: Column, leaf: str) -> bool:
    """Whether row or column set a leaf of their own, beside what the table sets for all."""
    return leaf in map(_key, (*column.run, *row.run, *column.evaluation, *row.evaluation))


def stages_of(table: Table, row: Row) -> list[Stage]:
    """The earlier trainings of a row, first one first."""
    chain: list[Stage] = []
    name = row.after
    while name is not None:
        stage = table.stages[name]
        chain.insert(0, stage)
        name = stage.after
    return chain


def _key(override: str) -> str:
    return split(override)[0]
