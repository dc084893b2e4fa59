"""The tables of `sweeps/` against the printed ones, cell by cell."""

import json

import pytest

from repro.papers import RowKind
from tests.composed import papers
from tests.places import PRINTED_TABLES

PRINTED = json.loads(PRINTED_TABLES.read_text())
LIBRARY = papers()
NUMBERED = {key: table for key, table in PRINTED.items() if "/inline" not in key}
PROSE = {key: table for key, table in PRINTED.items() if "/inline" in key}


def test_every_file_can_be_used():
    assert not LIBRARY.problems


def test_every_printed_table_is_there_and_no_other():
    assert len(NUMBERED) == 37
    assert {key for key, table in LIBRARY.tables.items() if table.kind != "prose"} == set(NUMBERED)
    assert {table.paper for table in LIBRARY.tables.values() if table.kind == "prose"} == set(LIBRARY.papers)


@pytest.mark.parametrize("key", NUMBERED)
def test_a_table_holds_what_is_printed(key):
    printed, table = NUMBERED[key], LIBRARY.tables[key]
    assert [head for head in printed["columns"] if head != table.label_column] == list(table.columns)
    assert [row["label"] for row in printed["rows"]] == list(table.rows)
    for row in printed["rows"]:
        ours = table.rows[row["label"]]
        assert (ours.kind == "cited") == row.get("cited", False)
        marks = {head for head, checked in row.get("marks", {}).items() if checked}
        assert set(ours.marks) == marks
        for head, value in row["cells"].items():
            if head == table.label_column:
                assert str(value) == ours.label
            else:
                assert ours.cells[head].published == value, f"{row['label']} @ {head}"
                assert ours.cells[head].printed == row.get("printed", {}).get(head)


@pytest.mark.parametrize("key", PROSE)
def test_prose_holds_what_is_printed(key):
    prose = LIBRARY.tables[f"{key.partition('/')[0]}/prose"]
    for row in PROSE[key]["rows"]:
        (value,) = row["cells"].values()
        cells = [cell for cell in prose.rows[row["label"]].cells.values() if cell.published is not None]
        raw = [cell.printed or "" for cell in cells]  # a time of days is printed so and compared in hours
        assert value in [cell.published for cell in cells] or any(text.startswith(f"{value} ") for text in raw)


def test_no_own_cell_lacks_a_metric():
    unmeasured = [
        str(cell.address)
        for table in LIBRARY.tables.values()
        for cell in table.cells()
        if table.rows[cell.address.row].kind is not RowKind.CITED
        and cell.metric.is_setting
        and isinstance(cell.published, float)  # a setting is a word or a whole number
    ]
    assert unmeasured == []


def test_every_ablation_has_claims():
    ablations = [table for table in LIBRARY.tables.values() if table.kind == "ablation"]
    assert len(ablations) >= 20
    assert [table.key for table in ablations if not table.claims] == []


def test_what_was_never_printed_is_wanted_by_a_claim():
    claims = [claim for table in LIBRARY.tables.values() for claim in table.claims]
    needed = {address for claim in claims for part in claim.parts for address in part.addresses()}
    wanted = {cell.address for table in LIBRARY.tables.values() for cell in table.cells() if cell.is_wanted}
    assert wanted - needed == set()
    assert len(wanted) > 100


def test_rows_that_are_not_run_say_why():
    for table in LIBRARY.tables.values():
        for row in table.rows.values():
            assert row.reason or row.kind not in ("server only", "cannot be run"), f"{table.key}: {row.label}"


def test_titles_are_our_own_words_and_not_placeholders():
    for table in LIBRARY.tables.values():
        assert table.title not in ("TITLE", "")
        assert table.place not in ("PLACE", "") or table.kind == "prose"
        assert "TODO" not in table.file.read_text()
