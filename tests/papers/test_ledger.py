"""The ledgers against the index of what each experiment states and leaves open, and against the configurations."""

import json
from pathlib import Path

import pytest

from repro.config.identity import flatten
from repro.experiments import measurements
from repro.papers import BY_ROW, SpecError, load_papers
from repro.papers.ledger import read_ledger

INDEX = json.loads((Path(__file__).parent / "protocols_index.json").read_text())
OUR_NAMES = {"output_stride_train": "train_output_stride", "output_stride_eval": "evaluation_output_stride"}
LIBRARY = load_papers()
PAPERS = sorted(LIBRARY.papers)


def experiments(paper):
    for key, rows in INDEX.items():
        name, _, table = key.partition("/")
        if name == paper:
            for label, settings in rows.items():
                yield ("prose" if "inline" in table else table), label, settings


def test_all_147_experiments_are_asked_for():
    assert sum(1 for paper in PAPERS for _ in experiments(paper)) == 147


@pytest.mark.parametrize("paper", PAPERS)
def test_every_setting_of_every_experiment_is_answered(paper):
    ledger, wrong = LIBRARY.ledgers[paper], []
    for table, label, settings in experiments(paper):
        for setting, status in settings.items():
            entry = ledger.answer(table, label, OUR_NAMES.get(setting, setting))
            if entry is None or entry.status not in (status, "contradicted"):
                wrong.append(f"{table}/{label}/{setting}: {entry.status if entry else 'no answer'}, not {status}")
    assert wrong == []


@pytest.mark.parametrize("paper", PAPERS)
def test_every_entry_holds_for_something_that_is_there(paper):
    for entry in LIBRARY.ledgers[paper].entries():
        for place in entry.at:
            table, _, label = place.partition("/")
            assert place == "paper" or f"{paper}/{table}" in LIBRARY.tables, place
            assert not label or label in LIBRARY.tables[f"{paper}/{table}"].rows, place


@pytest.mark.parametrize("paper", PAPERS)
def test_every_leaf_of_every_row_is_the_ledgers(paper):
    ledger, wrong, compared = LIBRARY.ledgers[paper], [], 0
    tables = [table for table in LIBRARY.tables.values() if table.paper == paper]
    for address, measurement in measurements(LIBRARY, tables, LIBRARY.scale("paper")).items():
        row = LIBRARY.tables[address.table].rows[address.row]
        if not measurement.paper_chain or row.same_as:
            continue
        config = measurement.paper_config
        leaves = {**config["composition"]["choices"], **flatten(config)}
        given = {override.partition("=")[0] for override in config["composition"]["overrides"]}
        for entry in ledger.answers(address.table.partition("/")[2], address.row):
            for leaf, value in entry.leaves.items():
                if value == BY_ROW:
                    assert leaf in given, f"{address} does not set {leaf}, which the ledger leaves to the row"
                elif leaf in leaves:
                    compared += 1
                    if leaves[leaf] != value:
                        wrong.append(
                            f"{address}: {leaf} is {leaves[leaf]!r}, the ledger ({entry.setting}) has {value!r}"
                        )
    assert wrong == []
    assert compared > 50


@pytest.mark.parametrize("paper", PAPERS)
def test_every_alternative_composes_and_changes_some_row(paper):
    ledger, inert, changing = LIBRARY.ledgers[paper], set(), set()
    tables = [table for table in LIBRARY.tables.values() if table.paper == paper]
    found = measurements(LIBRARY, tables, LIBRARY.scale("paper"))
    for address, measurement in found.items():
        row = LIBRARY.tables[address.table].rows[address.row]
        if measurement.kind != "run" or measurement.reference or row.same_as:
            continue
        for entry in ledger.answers(address.table.partition("/")[2], address.row):
            for name, overrides in (entry.alternatives or {}).items():
                other = found.alternative(address, overrides)
                assert other.kind == "run", f"{address} {entry.setting} {name}: {other.reason}"
                same = other.evaluation_id(0) == measurement.evaluation_id(0)
                (inert if same else changing).add((entry.setting, name))
    assert inert - changing == set()
    assert changing or not any(item.kind == "run" for item in found.values())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a:\n  - {at: paper, status: opened, place: x, leaves: {seed: 0}}", ":2: status is opened"),
        ("a:\n  - {at: paper, status: stated, place: x}", "neither leaves nor a value"),
        ("a:\n  - {at: paper, status: open, place: x, value: y}", "lacks its why"),
        ("a:\n  - {at: paper, status: stated, value: y}", "lacks the key place"),
        ("a: 5", ":1: a must be a list"),
        (
            "a:\n  - {at: paper, status: stated, place: x, value: y}\n"
            "  - {at: [t, paper], status: stated, place: x, value: z}",
            "answered twice at paper",
        ),
    ],
)
def test_a_mistake_is_a_sentence(tmp_path, text, sentence):
    file = tmp_path / "ledger.yaml"
    file.write_text(text)
    with pytest.raises(SpecError, match=r"ledger\.yaml") as caught:
        read_ledger(file)
    assert sentence in str(caught.value)
