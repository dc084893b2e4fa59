"""Deviations from what is stated, and what is left open."""

import dataclasses

import pytest

from repro.experiments.deviations import Deviations, deviations, shown
from repro.papers import Entry, Standing


def with_entries(library, *entries):
    ledger = dataclasses.replace(library.ledgers["small"], settings={entry.setting: (entry,) for entry in entries})
    return dataclasses.replace(library, ledgers={**library.ledgers, "small": ledger})


def entry(setting, status, leaves, value=""):
    return Entry(setting, ("paper",), Standing(status), "section 1", leaves, value, "why")


def test_nothing_is_changed_at_the_papers_scale(as_printed):
    found = deviations(as_printed.library, as_printed.cell("Rates"))
    assert found.stated == ()
    assert found.left_open == ("batch size (schedule.batch_size = 8)",)


def test_a_stated_leaf_is_a_deviation_and_an_open_one_is_left_open(shortened):
    found = deviations(shortened.library, shortened.cell("Rates"))
    assert found.stated == (
        "schedule.batch_norm.samples: 8 → 4",
        "schedule.length: 200 steps → 20 steps",
    )
    assert found.left_open == ("batch size (schedule.batch_size = 4 instead of 8)",)


def test_a_leaf_that_the_ledger_does_not_know_is_a_deviation(shortened):
    found = deviations(with_entries(shortened.library), shortened.cell("Rates"))
    assert "schedule.batch_size: 8 → 4" in found.stated
    assert found.left_open == ()


@pytest.mark.parametrize(
    ("leaves", "open_"),
    [({"schedule": "shapes_200"}, True), ({"schedule.batch": 1}, False), ({"schedule.batch_size": 8}, True)],
)
def test_an_entry_about_a_group_answers_for_its_leaves(shortened, leaves, open_):
    library = with_entries(shortened.library, entry("protocol", "open", leaves))
    found = deviations(library, shortened.cell("Rates"))
    assert ("schedule.batch_size: 8 → 4" not in found.stated) == open_


def test_the_nearest_entry_answers(shortened):
    library = with_entries(
        shortened.library,
        entry("protocol", "open", {"schedule": "x"}),
        entry("batch", "stated", {"schedule.batch_size": 8}),
    )
    found = deviations(library, shortened.cell("Rates"))
    assert found.stated == ("schedule.batch_size: 8 → 4",)
    assert "schedule.length: 200 steps → 20 steps" in found.left_open


def test_one_entry_that_states_a_leaf_outweighs_one_that_leaves_it_open(shortened):
    library = with_entries(
        shortened.library,
        entry("a", "open", {"schedule.batch_size": 8}),
        entry("b", "stated", {"schedule.batch_size": 8}),
    )
    assert "schedule.batch_size: 8 → 4" in deviations(library, shortened.cell("Rates")).stated


def test_a_contradicted_leaf_is_left_open_as_it_is_and_a_deviation_once_changed(as_printed, shortened):
    batch = entry("batch", "contradicted", {"schedule.batch_size": 8})
    library = with_entries(shortened.library, batch)
    words = ", where the paper contradicts itself"
    assert deviations(library, as_printed.cell("Rates")) == Deviations((), (f"batch (schedule.batch_size = 8){words}",))
    found = deviations(library, shortened.cell("Rates"))
    assert "schedule.batch_size: 8 → 4" in found.stated
    assert found.left_open == (f"batch (schedule.batch_size = 4 instead of 8){words}",)


def test_words_stand_for_a_setting_without_a_leaf(as_printed):
    library = with_entries(
        as_printed.library, entry("colour_jitter", "open", {}, "none"), entry("x", "open", {"no.leaf": 1})
    )
    assert deviations(library, as_printed.cell("Rates")).left_open == ("colour jitter (none)",)


def test_only_the_network_matters_to_parameters(as_printed):
    library = with_entries(
        as_printed.library,
        entry("batch", "open", {"schedule.batch_size": 8}),
        entry("width", "open", {"head.width": 512}),
        entry("words", "open", {}, "none"),
    )
    assert deviations(library, as_printed.cell("Plain", "Parameters")).left_open == ("width (head.width = 512)",)


def test_values_in_words():
    assert [shown(value) for value in (None, [1, 2], True, 0.5, "a")] == ["none", "[1, 2]", "true", "0.5", "a"]
