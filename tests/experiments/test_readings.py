import pytest

from repro.experiments.measurements import Measurements
from repro.experiments.readings import mistaken_readings, open_readings
from repro.papers import Standing, load_papers
from tests.composed import measured
from tests.one_second_paper import row, write_ledger, write_table


def entry(at, leaves, **alternatives):
    return {"at": at, "status": "open", "place": "nowhere", "why": "It must be something.", "leaves": leaves,
            "alternatives": alternatives}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    theirs = {"label": "theirs", "kind": "cited", "cells": {"mIoU": 60.0}}
    folder = write_table(tmp_path_factory.mktemp("sweeps"), [row("narrow"), row("wide", "head.width=32"), theirs])
    again = {"label": "again", "cells": {"mIoU": 70.0}, "same_as": "table1: narrow @ mIoU"}
    write_table(folder, [again], key="table2")
    write_ledger(folder, {
        "dropout": [entry("paper", {"head.dropout": 0.1}, none=["head.dropout=0"], much=["head.dropout=0.5"]),
                    entry("table1/wide", {"head.dropout": 0.1}, little=["head.dropout=0.01"])],
        "flip": [entry("paper", {"evaluation.flip": False}, mirrored=["evaluation.flip=true"])],
        "typo": [entry("table1/wide", {"head.width": 32}, wider=["head.widht=64"], unreadable=["head.width=[1"])],
        "idle": [entry("paper", {"head.width": 16}, same=["head.dropout=0.1"])],
        "decided": [{"at": "paper", "status": "stated", "place": "section 1", "leaves": {"schedule.power": 0.9}}],
    })  # fmt: skip
    library = load_papers([folder])
    return Measurements(library, library.matching("mine/*"), library.scale("paper"))


def test_every_reading_of_the_entry_that_answers_is_there_once(found):
    told = [(item.base.row, item.entry.setting, item.name) for item in open_readings(found)]
    assert told == [
        ("narrow", "dropout", "none"),
        ("narrow", "dropout", "much"),
        ("narrow", "flip", "mirrored"),
        ("wide", "dropout", "little"),
        ("wide", "flip", "mirrored"),
    ]
    assert [item.base.row for item in open_readings(found, "flip")] == ["narrow", "wide"]
    assert open_readings(found, "decided") == []


def test_a_reading_is_another_run_or_another_evaluation_of_the_same(found):
    by_name = {(item.base.row, item.name): item for item in open_readings(found)}
    none, mirrored = by_name["narrow", "none"], by_name["narrow", "mirrored"]
    base = found[none.base]
    assert none.entry.status is Standing.OPEN
    assert none.measurement.chain.own.leaves["head.dropout"] == 0
    assert none.measurement.run_id(2) != base.run_id(2)
    assert mirrored.measurement.run_id(2) == base.run_id(2)
    assert mirrored.measurement.evaluation_id(2) != base.evaluation_id(2)
    assert mirrored.measurement.configuration(2).evaluation_id == mirrored.measurement.evaluation_id(2)


def test_a_reading_that_does_not_compose_is_a_problem_of_the_ledger(found):
    assert found.problems == []
    misspelt, unreadable = mistaken_readings(found)
    assert mistaken_readings(found, "flip") == []
    assert misspelt.file.name == unreadable.file.name == "ledger.yaml"
    assert "alternative wider of typo" in misspelt.message
    assert "did you mean head.width?" in misspelt.message
    assert "alternative unreadable of typo" in unreadable.message
    assert "cannot be read" in unreadable.message


def test_the_ledgers_of_the_papers_offer_what_can_be_composed():
    found = measured("smoke", "vortex/table1")
    settings = {item.entry.setting for item in open_readings(found)}
    assert {"width", "align_corners"} <= settings
    assert "eval_mode" not in settings  # the scale pads nothing
    assert mistaken_readings(found) == []
    found = measured("paper", "vortex/table1")
    for item in open_readings(found, "train_output_stride"):
        assert item.measurement.evaluation_id(0) != found[item.base].evaluation_id(0)
        assert item.measurement.chain.own.leaves["backbone.output_stride"] == 16


def test_what_was_never_printed_takes_the_readings_that_its_network_has(tmp_path):
    control = {"label": "control", "cells": {"mIoU": "not printed"}}
    folder = write_table(tmp_path, [row("narrow"), {**row("control"), **control}])
    write_ledger(folder, {
        "dropout": [entry("paper", {"head.dropout": 0.1}, none=["head.dropout=0"])],
        "typo": [entry("table1/control", {"head.width": 16}, wider=["head.widht=64"])],
    })  # fmt: skip
    library = load_papers([folder])
    found = Measurements(library, library.matching("mine/*"), library.scale("paper"))
    assert [(item.base.row, item.name) for item in open_readings(found)] == [("narrow", "none"), ("control", "none")]
    assert mistaken_readings(found) == []
