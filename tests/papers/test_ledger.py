"""The ledgers against the index of what each experiment states and leaves open; and what no ledger may say."""

import json
from pathlib import Path

import pytest

from repro.papers import SpecError, Standing
from repro.papers.ledger import read_ledger
from tests.composed import papers

INDEX = json.loads((Path(__file__).parent / "protocols_index.json").read_text())
OUR_NAMES = {"output_stride_train": "train_output_stride", "output_stride_eval": "evaluation_output_stride"}
PAPERS = sorted(papers().papers)

LEDGER = """\
flip:
  - {at: paper, status: stated, place: section 1, leaves: {evaluation.flip: false}}
  - {at: [table1, table2], status: stated, place: section 2, leaves: {evaluation.flip: true}}
  - at: table1/best
    status: open
    place: nowhere
    leaves: {evaluation.flip: false}
    why: It must be something.
    alternatives: {mirrored: [evaluation.flip=true]}
jitter:
  - {at: table2, status: contradicted, place: sections 1 and 2, value: none, why: Two sentences differ.}
"""


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
    ledger, wrong = papers().ledgers[paper], []
    for table, label, settings in experiments(paper):
        for setting, status in settings.items():
            entry = ledger.answer(table, label, OUR_NAMES.get(setting, setting))
            if entry is None or entry.status not in (status, Standing.CONTRADICTED):
                wrong.append(f"{table}/{label}/{setting}: {entry.status if entry else 'no answer'}, not {status}")
    assert wrong == []


@pytest.mark.parametrize("paper", PAPERS)
def test_every_entry_holds_for_something_that_is_there(paper):
    for entry in papers().ledgers[paper].entries():
        for place in entry.at:
            table, _, label = place.partition("/")
            assert place == "paper" or f"{paper}/{table}" in papers().tables, place
            assert not label or label in papers().tables[f"{paper}/{table}"].rows, place


def test_the_most_specific_entry_answers(tmp_path):
    (tmp_path / "ledger.yaml").write_text(LEDGER)
    ledger = read_ledger(tmp_path / "ledger.yaml")
    best, other = (ledger.answer("table1", row, "flip") for row in ("best", "other"))
    assert (best.status, best.leaves, best.alternatives) == (
        Standing.OPEN, {"evaluation.flip": False}, {"mirrored": ("evaluation.flip=true",)},
    )  # fmt: skip
    assert (other.status, other.place, other.alternatives) == (Standing.STATED, "section 2", {})
    assert ledger.answer("table3", "best", "flip").place == "section 1"
    assert ledger.answer("table1", "best", "jitter") is None
    assert [entry.setting for entry in ledger.answers("table2", "any")] == ["flip", "jitter"]
    assert [entry.line for entry in ledger.entries()] == [2, 3, 4, 11]


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
