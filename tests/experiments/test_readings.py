import pytest

from repro.config import identity
from repro.experiments import measurements
from repro.experiments.readings import alternatives, mistaken_alternatives
from repro.papers import load_papers
from tests.one_second_paper import row, write_ledger, write_table


def entry(at, leaves, **alternatives):
    return {"at": at, "status": "open", "place": "nowhere", "why": "It must be something.", "leaves": leaves,
            "alternatives": alternatives}  # fmt: skip


@pytest.fixture
def found(tmp_path):
    theirs = {"label": "theirs", "kind": "cited", "cells": {"mIoU": 60.0}}
    folder = write_table(tmp_path, [row("narrow"), row("wide", "head.width=32"), theirs])
    again = {"label": "again", "cells": {"mIoU": 70.0}, "same_as": "table1: narrow @ mIoU"}
    write_table(tmp_path, [again], key="table2")
    write_ledger(folder, {
        "dropout": [entry("paper", {"head.dropout": 0.1}, none=["head.dropout=0"], much=["head.dropout=0.5"]),
                    entry("table1/wide", {"head.dropout": 0.1}, little=["head.dropout=0.01"])],
        "flip": [entry("paper", {"evaluation.flip": False}, mirrored=["evaluation.flip=true"])],
        "typo": [entry("table1/wide", {"head.width": 32}, wider=["head.widht=64"])],
        "decided": [{"at": "paper", "status": "stated", "place": "section 1", "leaves": {"schedule.power": 0.9}}],
    })  # fmt: skip
    library = load_papers([folder])
    return measurements(library, library.matching("mine/*"), library.scale("paper"))


def test_every_alternative_of_the_entry_that_answers_is_there_once(found):
    told = [(item.base.row, item.entry.setting, item.name) for item in alternatives(found)]
    assert told == [
        ("narrow", "dropout", "none"),
        ("narrow", "dropout", "much"),
        ("narrow", "flip", "mirrored"),
        ("wide", "dropout", "little"),
        ("wide", "flip", "mirrored"),
    ]
    assert [item.base.row for item in alternatives(found, "flip")] == ["narrow", "wide"]
    assert alternatives(found, "decided") == []


def test_an_alternative_is_another_run_or_another_evaluation_of_the_same(found):
    by_name = {(item.base.row, item.name): item for item in alternatives(found)}
    none, mirrored = by_name["narrow", "none"], by_name["narrow", "mirrored"]
    base = found[none.base]
    assert none.measurement.config["head"]["dropout"] == 0
    assert none.measurement.run_id(2) != base.run_id(2)
    assert mirrored.measurement.run_id(2) == base.run_id(2)
    assert mirrored.measurement.evaluation_id(2) != base.evaluation_id(2)
    assert identity.evaluation_id(none.measurement.config_for(2)) == none.measurement.evaluation_id(2)


def test_an_alternative_that_does_not_compose_is_a_problem_of_the_ledger(found):
    assert found.problems == []
    (problem,) = mistaken_alternatives(found)
    assert mistaken_alternatives(found, "flip") == []
    assert problem.file.name == "ledger.yaml"
    assert "alternative wider of typo" in problem.message
    assert "did you mean head.width?" in problem.message


def test_the_ledgers_of_the_papers_offer_what_can_be_composed():
    library = load_papers()
    found = measurements(library, library.matching("vortex/table1"), library.scale("smoke"))
    settings = {item.entry.setting for item in alternatives(found)}
    assert {"width", "align_corners"} <= settings
    assert "eval_mode" not in settings  # the scale pads nothing
    assert mistaken_alternatives(found) == []
    found = measurements(library, library.matching("vortex/table1"), library.scale("paper"))
    for item in alternatives(found, "train_output_stride"):
        assert item.measurement.evaluation_id(0) != found[item.base].evaluation_id(0)
        assert item.measurement.config["backbone"]["output_stride"] == 16
