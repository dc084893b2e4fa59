"""Deviations from what is stated, and what is left open."""

import dataclasses

import pytest

from repro.experiments.chain import Chain
from repro.experiments.deviations import Deviations, deviations, shown
from repro.experiments.measurement import Kind
from repro.experiments.readings import shared_readings
from repro.papers import SOME, Entry, Standing
from tests.composed import measured
from tests.composed import papers as papers_of_ours


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


CONTRADICTED = ", where the paper contradicts itself"


def contradicted(leaves, *other):
    says = ("This is so.", "This is otherwise.")
    return dataclasses.replace(entry("batch", "contradicted", leaves), says=says, alternatives={"other": other})


def test_the_papers_other_reading_is_left_open_and_no_deviation(as_printed, shortened):
    library = with_entries(shortened.library, contradicted({"schedule.batch_size": 8}, "schedule.batch_size=4"))
    assert deviations(library, as_printed.cell("Rates")) == Deviations(
        (), (f"batch (schedule.batch_size = 8){CONTRADICTED}",)
    )
    found = deviations(library, shortened.cell("Rates"))
    assert "schedule.batch_size: 8 → 4" not in found.stated
    assert f"batch (schedule.batch_size = 4 instead of 8){CONTRADICTED}" in found.left_open


def test_neither_reading_is_a_deviation_and_not_told_as_left_open(shortened):
    library = with_entries(shortened.library, contradicted({"schedule.batch_size": 8}, "schedule.batch_size=16"))
    found = deviations(library, shortened.cell("Rates"))
    assert "schedule.batch_size: 8 → 4" in found.stated
    assert not any("batch_size" in sentence for sentence in found.left_open)


@pytest.mark.parametrize(("length", "is_open"), [("20 steps", True), ("30 steps", False)])
def test_a_reading_of_a_contradiction_is_followed_whole_or_not_at_all(shortened, length, is_open):
    other = ("schedule.batch_size=4", f'schedule.length="{length}"')
    stated = entry("length", "stated", {"schedule.length": "200 steps"})
    library = with_entries(shortened.library, contradicted({"schedule.batch_size": 8}, *other), stated)
    found = deviations(library, shortened.cell("Rates"))
    assert ("schedule.batch_size: 8 → 4" not in found.stated) == is_open
    assert ("schedule.length: 200 steps → 20 steps" not in found.stated) == is_open


def test_vortex_trained_at_16_and_evaluated_at_8_is_the_papers_too():
    found = measured("paper", "vortex/table1")
    address, ours = next(iter(found.items()))
    reading = next(item for item in shared_readings(found, [address]) if item.name == "trained_at_16")
    other = dataclasses.replace(reading.measurements[address], paper_chain=ours.paper_chain)
    told = deviations(papers_of_ours(), other)
    assert told.stated == ()
    assert any(sentence.startswith("train output stride (backbone.output_stride = 16 instead of 8)")
               for sentence in told.left_open)  # fmt: skip


def test_training_from_scratch_is_a_deviation_of_vortex_table_1():
    found = measured("shapes", "vortex/table1")
    told = deviations(papers_of_ours(), next(item for item in found.values() if item.kind is Kind.RUN))
    assert "backbone.weights: IMAGENET1K_V1 → none" in told.stated
    assert "backbone.output_stride: 8 → 16" in told.stated  # evaluated at 16 too, which is neither reading
    assert not any("backbone.output_stride" in sentence for sentence in told.left_open)


@pytest.mark.parametrize(("window", "deviates"), [(400, False), (None, True)])
def test_windows_of_another_size_are_left_open_and_none_at_all_deviate(as_printed, window, deviates):
    some = entry("eval_mode", "stated", {"evaluation.window": SOME})
    size = entry("eval_window", "open", {"evaluation.window": 832})
    library = with_entries(as_printed.library, some, size)
    cell = as_printed.cell("Rates")
    (link,) = cell.chain.links

    def with_window(side):
        configuration = link.configuration.with_leaf("evaluation.window", side)
        return Chain((dataclasses.replace(link, configuration=configuration),))

    cell = dataclasses.replace(cell, paper_chain=with_window(832), chain=with_window(window))
    told = deviations(library, cell)
    assert any(sentence.startswith("evaluation.window: 832") for sentence in told.stated) == deviates
    assert any(sentence.startswith("eval window (evaluation.window") for sentence in told.left_open) != deviates


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
