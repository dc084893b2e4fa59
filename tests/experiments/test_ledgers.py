"""The ledgers of the papers against the configurations of their rows."""

import pytest

from repro.experiments.measurement import Kind
from repro.papers import BY_ROW, SOME, SpecError
from tests.composed import measured, papers
from tests.papers.protocols import WORDS, said

PAPERS = sorted(papers().papers)
LEAVES = {
    "augmentation": "schedule.augmentation.scale_range",
    "asynchronous_training": "schedule.replicas",
    "backbone": "backbone",
    "backbone_init": "backbone.weights",
    "batch_norm": "schedule.batch_norm.frozen",
    "batch_size": "schedule.batch_size",
    "crop_train": "schedule.augmentation.crop_size",
    "dataset": "dataset",
    "global_average_pooling_branch": "head.image_pooling",
    "learning_rate": "schedule.learning_rate",
    "loss_aux_deep_supervision": "auxiliary",
    "lr_schedule": "schedule.power",
    "multi_grid": "backbone.multi_grid",
    "ohem": "schedule.loss",
    "optimizer": "schedule.momentum",
    "schedule": "schedule.length",
    "train_output_stride": "backbone.output_stride",
    "train_split": "dataset.train_split",
    "tta_flip": "evaluation.flip",
    "tta_scales": "evaluation.scales",
}
"""Settings of the texts to the leaf that holds them; `held` has those of several leaves."""


def held(setting, leaves):
    """The value of a setting in a configuration's choices and leaves."""
    if setting == "head":
        parts = [leaves[key] for key in ("head", "head/ga", "head/ld") if leaves.get(key)]
        return " ".join(parts)
    if setting == "eval_split":
        return leaves.get("evaluation.split") or leaves["dataset.evaluation_split"]
    if setting == "evaluation_output_stride":
        return leaves["evaluation.output_stride"] or leaves["backbone.output_stride"]
    return leaves[LEAVES[setting]]


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
                    if leaves[leaf] is None if value == SOME else leaves[leaf] != value:
                        wrong.append(
                            f"{address}: {leaf} is {leaves[leaf]!r}, the ledger ({entry.setting}) has {value!r}"
                        )
    assert wrong == []
    assert compared > 50


@pytest.mark.parametrize("paper", PAPERS)
def test_every_experiment_is_composed_as_its_text_says(paper):
    found = measured().items()
    chains = {(address.table, address.row): item.paper_chain for address, item in found if item.paper_chain}
    wrong, compared = [], 0
    for item in said(paper):
        chain = chains.get((f"{paper}/{item.table}", item.row))
        if item.value is WORDS or chain is None:
            continue
        entries = papers().ledgers[paper].answers(item.table, item.row)
        unbuilt = {leaf: value for entry in entries for leaf, value in entry.leaves.items()}
        leaves = {**unbuilt, **chain.own.choices, **chain.own.leaves}
        compared += 1
        if held(item.setting, leaves) != item.value:
            wrong.append(f"{item}: {held(item.setting, leaves)!r}, the text has {item.value!r}")
    assert wrong == []
    assert compared > 100


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
