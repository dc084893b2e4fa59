"""The ledgers of the papers against the configurations of their rows."""

import pytest

from repro.experiments.measurement import Kind
from repro.papers import BY_ROW, SpecError
from tests.composed import measured, papers

PAPERS = sorted(papers().papers)


def own_cells(paper):
    """The measurements of a paper's cells, repeated ones left out, each with the ledger's entries for its row."""
    for address, measurement in measured().items():
        table = papers().tables[address.table]
        if table.paper == paper and not table.rows[address.row].same_as:
            yield address, measurement, papers().ledgers[paper].answers(table.name, address.row)


def sets_itself(address, leaf):
    """Whether a row sets a leaf, or a group around it: what the paper never printed differs from it on purpose."""
    row = papers().tables[address.table].rows[address.row]
    keys = [override.partition("=")[0].replace("/", ".") for override in (*row.run, *row.evaluation)]
    return any(leaf == key or leaf.startswith(f"{key}.") for key in keys)


@pytest.mark.parametrize("paper", PAPERS)
def test_every_leaf_of_every_row_is_the_ledgers(paper):
    wrong, compared = [], 0
    for address, measurement, entries in own_cells(paper):
        if not measurement.paper_chain:
            continue
        configuration = measurement.paper_chain.own
        leaves = {**configuration.choices, **configuration.leaves}
        given = {override.partition("=")[0] for override in configuration.overrides}
        for entry in entries:
            for leaf, value in entry.leaves.items():
                if value == BY_ROW and measurement.cell.is_wanted:
                    continue
                if value == BY_ROW:
                    assert leaf in given, f"{address} does not set {leaf}, which the ledger leaves to the row"
                elif leaf in leaves and not (measurement.cell.is_wanted and sets_itself(address, leaf)):
                    compared += 1
                    if leaves[leaf] != value:
                        wrong.append(
                            f"{address}: {leaf} is {leaves[leaf]!r}, the ledger ({entry.setting}) has {value!r}"
                        )
    assert wrong == []
    assert compared > 50


@pytest.mark.parametrize("paper", PAPERS)
def test_every_alternative_composes_and_changes_some_row(paper):
    inert, changing, runs = set(), set(), 0
    for address, measurement, entries in own_cells(paper):
        if measurement.kind is not Kind.RUN or measurement.reference:
            continue
        runs += 1
        for entry in entries:
            for name, overrides in (entry.alternatives or {}).items():
                try:
                    other = measured().reading(address, overrides)
                except SpecError:
                    assert measurement.cell.is_wanted, f"{address} {entry.setting} {name}"  # of another network
                    continue
                assert other.kind is Kind.RUN, f"{address} {entry.setting} {name}: {other.reason}"
                same = other.evaluation_id(0) == measurement.evaluation_id(0)
                (inert if same else changing).add((entry.setting, name))
    assert inert - changing == set()
    assert changing or not runs
