"""The ledgers against the index of what each experiment states and leaves open; and what no ledger may say."""

import pytest

from repro.papers import SpecError, Standing
from repro.papers.ledger import read_ledger
from tests.composed import papers
from tests.papers.protocols import experiments, said

PAPERS = sorted(papers().papers)

LEDGER = """\
flip:
  - {at: paper, status: stated, place: section 1, says: Nothing is mirrored., leaves: {evaluation.flip: false}}
  - {at: [table1, table2], status: stated, place: section 2, by_reference: theirs, leaves: {evaluation.flip: true}}
  - at: table1/best
    status: open
    place: nowhere
    leaves: {evaluation.flip: false}
    why: It must be something.
    alternatives: {mirrored: [evaluation.flip=true]}
jitter:
  - at: table2
    status: contradicted
    place: sections 1 and 2
    says: [There is none., There is some.]
    value: none
    why: The first sentence is taken.
    no_alternative: It is not built.
"""


def test_all_147_experiments_are_asked_for():
    assert sum(1 for paper in PAPERS for _ in experiments(paper)) == 147


@pytest.mark.parametrize("paper", PAPERS)
def test_every_setting_of_every_experiment_has_the_status_that_the_text_gives_it(paper):
    ledger, wrong = papers().ledgers[paper], []
    for item in said(paper):
        entry = ledger.answer(item.table, item.row, item.setting)
        if entry is None or entry.status != item.status:
            wrong.append(f"{item}: {entry.status if entry else 'no answer'}, not {item.status}")
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
    assert (other.says, other.by_reference) == ((), "theirs")
    assert ledger.answer("table2", "any", "jitter").says == ("There is none.", "There is some.")
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
        ("a:\n  - {at: p, status: stated, place: x, value: y, why: w}", "lacks what the place says (says), or what"),
        (
            "a:\n  - {at: p, status: stated, place: x, value: y, says: s, no_alternative: n}",
            "reason for no_alternative",
        ),
        ("a:\n  - {at: p, status: open, place: x, value: y, why: w}", "must have alternatives, or else tell why not"),
        (
            "a:\n  - {at: p, status: open, place: x, value: y, why: w, no_alternative: n, alternatives: {b: [c=1]}}",
            "must have alternatives, or else tell why not",
        ),
        (
            "a:\n  - {at: p, status: open, place: x, value: y, why: w, says: s, no_alternative: n}",
            "only what is stated has says or by_reference",
        ),
        (
            "a:\n  - {at: p, status: contradicted, place: x, leaves: {b: 1}, why: w, says: s, alternatives: {c: b=2}}",
            "must tell the two things",
        ),
        (
            "a:\n  - {at: p, status: contradicted, place: x, leaves: {b: 1}, why: w, says: [s, t], no_alternative: n}",
            "must offer the other reading",
        ),
        ("a: 5", ":1: a must be a list"),
        (
            "a:\n  - {at: paper, status: stated, place: x, says: s, value: y}\n"
            "  - {at: [t, paper], status: stated, place: x, says: s, value: z}",
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
