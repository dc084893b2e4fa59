"""Footnotes on what is mixed within a table: of exactly the evaluations that are unlike the others."""

from dataclasses import replace

import pytest

from repro.report.audit.mixtures import mixtures
from repro.store.runs_csv import recorded
from tests.example_runs import example_record

LINE = replace(
    recorded(example_record()), science_code="a" * 16, commit="c0ffee", torch="2.11.0", hardware="A processor",
    threads=2, determinism="off",
)  # fmt: skip


def made(*changes):
    return [replace(LINE, evaluation_id=f"{place:016x}", **change) for place, change in enumerate(changes)]


def told(*changes):
    return {int(key, 16): sentences for key, sentences in mixtures(made(*changes)).items()}


def test_what_is_alike_is_not_told():
    assert mixtures([]) == {}
    assert told({}) == {}
    assert told({}, {}, {}) == {}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"commit": "d00d" * 10}, "measured at commit d00dd00dd00d, most of the table at commit c0ffee"),
        ({"torch": "2.14.1"}, "measured with torch 2.14.1, most of the table with torch 2.11.0"),
        ({"hardware": "Another"}, "measured on Another, most of the table on A processor"),
        ({"threads": 8}, "measured with 8 CPU threads, most of the table with 2 CPU threads"),
        ({"science_code": "b" * 16}, f"measured by code {'b' * 16}, most of the table by code {'a' * 16}"),
        ({"determinism": "strict"}, "measured at determinism strict, most of the table at determinism off"),
        ({"scale": "short"}, "measured at scale short, most of the table at scale paper"),
        ({"dirty": True}, "measured by code with changes that commit c0ffee does not hold"),
        ({"processes": 2}, "trained by 2 processes, whose sums differ from those of one by rounding"),
        ({"science_code": ""}, "its line in runs.csv does not tell its code"),
        ({"determinism": "", "threads": None},
         "its line in runs.csv does not tell its determinism or its CPU threads"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)  # fmt: skip
def test_the_one_that_is_unlike_the_others_is_told(change, sentence):
    assert told({}, change, {}) == {1: (sentence,)}


def test_code_that_no_commit_holds_is_told_of_each_even_where_all_are_alike():
    sentence = "measured by code with changes that commit c0ffee does not hold"
    assert told({"dirty": True}, {"dirty": True}) == {0: (sentence,), 1: (sentence,)}


def test_without_a_commonest_value_all_are_told():
    assert told({}, {"torch": "2.14.1"}) == {
        0: ("measured with torch 2.11.0, others of the table with torch 2.14.1",),
        1: ("measured with torch 2.14.1, others of the table with torch 2.11.0",),
    }


def test_threads_matter_on_processors_and_determinism_on_cards():
    card = {"gpu_seconds": 1.0, "hardware": "A card"}
    assert told(card | {"threads": 8}, card | {"threads": None, "determinism": "strict"}, card) == {
        0: ("measured on a GPU without determinism=strict, so that a repetition may differ",),
        1: ("measured at determinism strict, most of the table at determinism off",),
        2: ("measured on a GPU without determinism=strict, so that a repetition may differ",),
    }


def test_one_evaluation_in_several_cells_counts_once():
    one, other = made({}, {"torch": "2.14.1"})
    assert mixtures([one, one, one, other]) == mixtures([one, other])
