"""Which cells a request is about: those of its tables, or those that an open reading would change."""

import pytest

from repro.errors import ConfigError
from repro.experiments.measurement import Kind
from repro.sweep.plan.wanted import wanted_cells
from repro.sweep.request import read_request
from tests.one_second_paper import row, words, write_ledger, write_table

ENTRY = {"status": "open", "place": "nowhere", "why": "It must be something."}
DROPOUT = {
    **ENTRY, "at": "table1/narrow", "leaves": {"head.dropout": 0.1},
    "alternatives": {"none": ["head.dropout=0"], "much": ["head.dropout=0.5"]},
}  # fmt: skip
POWER = {**ENTRY, "at": "paper", "leaves": {"schedule.power": 0.9}, "alternatives": {"linear": ["schedule.power=1"]}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("wanted")
    folder = write_table(base / "sweeps", [row("narrow"), row("wide", "head.width=32")])
    gain = {"mIoU": {"metric": "delta(table1: wide)", "decimals": 1}}
    write_table(folder, [row("deep", "head.width=24"), row("deeper", "head.width=20")], key="table2", columns=gain)
    write_ledger(folder, {"dropout": [DROPOUT], "lr_schedule": [POWER]})
    return folder


def wanted_by(folder, *more):
    request = read_request(words(folder, folder.parent / "outputs", *more))
    library = request.selection.library()
    wanted, _ = wanted_cells(request, library, request.tables_of(library))
    return wanted


def named(wanted):
    return [f"{item.measurement.address.row} {item.reading}".strip() for item in wanted]


def test_the_cells_of_a_table_are_wanted_in_printed_order(folder):
    wanted = wanted_by(folder, "table=mine/table1")
    assert named(wanted) == ["narrow", "wide"]
    assert not any(item.is_reference for item in wanted)


def test_a_difference_wants_the_cell_that_it_is_taken_against_once(folder):
    wanted = wanted_by(folder, "table=mine/table2")
    assert named(wanted) == ["deep", "deeper", "wide"]
    assert [item.is_reference for item in wanted] == [False, False, True]
    both = wanted_by(folder, "table=mine/*")
    assert named(both) == ["narrow", "wide", "deep", "deeper"]
    assert not any(item.is_reference for item in both)


def test_a_ledger_wants_every_reading_beside_ours(folder):
    wanted = wanted_by(folder, "ledger=mine", "table=mine/table1")
    assert named(wanted) == [
        "narrow", "narrow dropout: none", "narrow dropout: much", "narrow lr_schedule: linear",
        "wide", "wide lr_schedule: linear",
    ]  # fmt: skip
    assert all(item.measurement.kind is Kind.RUN for item in wanted)
    ids = {item.measurement.run_id(0) for item in wanted}
    assert len(ids) == len(wanted)


def test_one_setting_wants_the_cells_alone_that_it_changes(folder):
    one = wanted_by(folder, "ledger=mine", "table=mine/table1", "setting=dropout")
    assert named(one) == ["narrow", "narrow dropout: none", "narrow dropout: much"]


def test_a_setting_that_there_is_not_or_that_changes_nothing_is_a_sentence(folder):
    with pytest.raises(ConfigError, match=r"the ledger of mine has no setting dropuot; did you mean dropout\?"):
        wanted_by(folder, "ledger=mine", "setting=dropuot")
    with pytest.raises(ConfigError, match="the setting dropout of mine offers no other reading for the tables chosen"):
        wanted_by(folder, "ledger=mine", "table=mine/table2", "setting=dropout")
