"""Images that served twice: when the paper itself has them serve so."""

import pytest

from repro.experiments.measurements import Measurements
from repro.experiments.overlaps import told_and_deviating
from repro.papers import Address, load_papers
from tests.composed import composed, papers
from tests.one_second_paper import row, write_table
from tests.store.test_twice import line

BEST = ["selection=best", "validation.every=1 epoch"]
TRAINED = "5 of the 5 measured images were trained on"
CHOSEN = "the weights were chosen by 5 of the 5 measured images"
SPOILT = "the weights were chosen by images of which 3 were trained on"
UNKNOWN = "which images are behind the weights of file:aa is unknown"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    rows = [
        row("plain"),
        row("trained", "dataset.allow_overlap=[measured]"),
        row("spoilt", "dataset.allow_overlap=[selecting]", *BEST, evaluation=["evaluation.split=test"]),
        row("chosen", *BEST),
        row("by another", *BEST, "validation.split=train"),
    ]
    folder = write_table(tmp_path_factory.mktemp("sweeps"), rows)
    library = load_papers([folder])
    return Measurements(library, library.matching("mine/*"), library.scale("paper"))


@pytest.mark.parametrize(
    ("label", "papers_own"),
    [("plain", set()), ("trained", {TRAINED}), ("spoilt", {SPOILT}), ("chosen", {CHOSEN}), ("by another", set())],
)
def test_it_is_a_deviation_unless_the_paper_does_it(found, label, papers_own):
    lines = [line(measured_trained=5, measured_selecting=5, selecting_trained=3, unknown_images="file:aa")] * 2
    told, deviating = told_and_deviating(found[Address("mine/table1", label, "mIoU")], lines)
    assert told == (TRAINED, CHOSEN, SPOILT, UNKNOWN)
    assert set(deviating) == {TRAINED, CHOSEN, SPOILT} - papers_own


def test_rows_that_ask_for_an_overlap_have_it_in_their_ledger():
    asking = []
    for table in papers().tables.values():
        for label, item in table.rows.items():
            overrides = [*table.run, *table.evaluation, *item.run, *item.evaluation]
            asked = [text.partition("=")[2] for text in overrides if text.startswith("dataset.allow_overlap=")]
            if asked:
                asking.append((table.key, label))
                entries = papers().ledgers[table.paper].answers(table.name, label)
                (entry,) = [entry for entry in entries if "dataset.allow_overlap" in entry.leaves]
                leaf = composed("dataset=voc", f"dataset.allow_overlap={asked[-1]}").leaves["dataset.allow_overlap"]
                assert entry.leaves["dataset.allow_overlap"] == leaf
    assert asking == [("dsnet/table3", "Ours(DSNet)")]
