import pytest

from repro.experiments.measurement import Kind
from repro.experiments.measurements import Measurements
from repro.experiments.readings import mistaken_readings, open_readings, shared_readings
from repro.papers import Address, Standing, load_papers
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
        "decided": [{"at": "paper", "status": "stated", "place": "section 1", "says": "Poly.",
                     "leaves": {"schedule.power": 0.9}, "alternatives": {"linear": ["schedule.power=1"]}}],
    })  # fmt: skip
    library = load_papers([folder])
    return Measurements(library, library.matching("mine/*"), library.scale("paper"))


def test_every_reading_of_the_entry_that_answers_is_there_once(found):
    told = [(item.base.row, item.entry.setting, item.name) for item in open_readings(found)]
    assert told == [
        ("narrow", "dropout", "none"),
        ("narrow", "dropout", "much"),
        ("narrow", "flip", "mirrored"),
        ("narrow", "decided", "linear"),
        ("wide", "dropout", "little"),
        ("wide", "flip", "mirrored"),
        ("wide", "decided", "linear"),
    ]
    assert [item.base.row for item in open_readings(found, "flip")] == ["narrow", "wide"]
    assert open_readings(found, "typo") == []


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


def shared(found, *rows, **how):
    table = {"again": "mine/table2"}
    cells = [Address(table.get(name, "mine/table1"), name, "mIoU") for name in rows]
    return [(item.entry.setting, item.name, [cell.row for cell in item.untouched])
            for item in shared_readings(found, cells, **how)]  # fmt: skip


def test_the_readings_of_a_claim_are_those_that_change_all_its_sides_and_no_controls(found):
    assert shared(found, "narrow", "wide") == [("flip", "mirrored", [])]
    assert shared(found, "wide") == [("dropout", "little", []), ("flip", "mirrored", [])]
    assert shared(found, "narrow", "wide", partly=True) == [
        ("dropout", "none", ["wide"]),
        ("dropout", "much", ["wide"]),
        ("flip", "mirrored", []),
        ("dropout", "little", ["narrow"]),
    ]


def test_each_side_is_measured_under_the_reading_or_as_it_is(found):
    cells = [Address("mine/table1", row, "mIoU") for row in ("narrow", "wide")]
    by_name = {item.name: item.measurements for item in shared_readings(found, cells, partly=True)}
    for address in cells:
        assert by_name["mirrored"][address].evaluation_id(1) != found[address].evaluation_id(1)
    narrow, wide = cells
    assert by_name["none"][wide] is found[wide]
    assert by_name["none"][narrow].chain.own.leaves["head.dropout"] == 0


def test_a_repeated_cell_is_read_as_the_one_that_it_repeats(found):
    assert shared(found, "again") == shared(found, "narrow")
    assert shared(found, "again", "wide") == [("flip", "mirrored", [])]


def test_a_side_that_is_not_measured_leaves_nothing_to_read_otherwise(found):
    assert shared(found, "narrow", "theirs") == []
    assert shared(found, "narrow", "theirs", partly=True) == []


def test_what_the_network_alone_decides_is_moved_by_the_network_alone():
    found = measured("paper", "vortex/prose")
    ratio = next(address for address, item in found.items() if item.kind is Kind.STATIC and "Module A" in address.row)
    settings = {item.entry.setting for item in shared_readings(found, [ratio])}
    assert "rates" in settings
    assert not settings & {"optimizer", "align_corners", "eval_mode"}


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
