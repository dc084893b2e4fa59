import csv
import io
import json
from dataclasses import replace

import pytest

from repro.papers import Address, Table
from repro.report.judge.results import TableResult
from repro.report.render.csv_table import HEADS, csv_text
from tests.places import PRINTED_TABLES
from tests.report.made_results import measured_small, real_tables, unmeasured

PRINTED = json.loads(PRINTED_TABLES.read_text(encoding="utf-8"))
TABLES = real_tables()


def lines_of(result: TableResult) -> dict[tuple[str, str], dict[str, str]]:
    lines = list(csv.DictReader(io.StringIO(csv_text(result))))
    found = {(line["row"], line["column"]): line for line in lines}
    assert len(found) == len(lines)
    return found


@pytest.mark.parametrize("key", [key for key in PRINTED if "/table" in key])
def test_every_printed_number_label_and_check_mark_has_its_line(key: str) -> None:
    lines = lines_of(unmeasured(TABLES[key]))
    for row in PRINTED[key]["rows"]:
        for head, value in row["cells"].items():
            if head == TABLES[key].label_column:
                assert str(value) == row["label"]
                continue
            line = lines[row["label"], head]
            if isinstance(value, (int, float)):
                sign = -1 if "↓" in line["printed"] else 1
                assert float(line["published"]) == sign * value
                assert row.get("printed", {}).get(head, line["printed"]) == line["printed"]
            else:
                assert line["published"] == (value or "")
        for head, marked in row.get("marks", {}).items():
            assert (lines[row["label"], head]["published"] == "✓") is (marked is True)


def test_there_is_one_line_per_printed_cell_in_printed_order() -> None:
    for table in TABLES.values():
        addresses = [(cell.address.row, cell.address.column) for cell in table.cells()]
        assert list(lines_of(unmeasured(table))) == addresses


def test_a_measured_cell_has_everything(small: Table) -> None:
    lines = lines_of(measured_small(small))
    line = lines["Plain", "mIoU"]
    assert tuple(line) == HEADS
    assert (line["table"], line["scale"], line["metric"], line["unit"]) == ("table1", "shapes", "miou", "%")
    assert (line["verdict"], line["n"], line["mean"]) == ("below", "3", "68.8")
    assert (line["low"], line["high"], line["spread"]) == ("67.009", "70.591", "0.721")
    assert (line["seeds"], line["values"]) == ("0;1;2", "68.0;69.0;69.4")
    assert line["evaluations"].split(";") == ["a" * 16, "b" * 16, "c" * 16]
    assert (line["deviations"], line["choices"]) == ("crop 128 instead of 513", "optimiser: SGD")
    single = lines["With it", "mIoU"]
    assert (single["n"], single["low"], single["high"], single["spread"]) == ("1", "", "", "")


def test_a_difference_is_given_only_where_the_numbers_are_to_be_compared(small: Table) -> None:
    result = measured_small(small)
    assert {line["difference"] for line in lines_of(result).values()} == {""}
    assert lines_of(replace(result, scale="paper"))["Plain", "mIoU"]["difference"] == "-1.2"
    address = Address("made/table1", "Plain", "mIoU")
    result.cells[address] = replace(result.cells[address], deviations=())
    assert lines_of(result)["Plain", "mIoU"]["difference"] == "-1.2"


def test_what_the_statistics_say_is_in_columns(small: Table) -> None:
    result = measured_small(small)
    address = Address("made/table1", "Plain", "mIoU")
    result.cells[address] = replace(result.cells[address], p_value=0.012, adjusted=0.024, seeds_needed=7, margin=1.0)
    line = lines_of(result)["Plain", "mIoU"]
    assert (line["p_value"], line["adjusted"], line["seeds_needed"]) == ("0.012", "0.024", "7")
    assert line["margin"] == "1.0"
    assert lines_of(result)["With it", "mIoU"]["p_value"] == ""


def test_an_arrow_downwards_is_a_minus() -> None:
    lines = lines_of(unmeasured(TABLES["gald/table2c"]))
    assert lines["Key", "Time"]["published"] == "-0.7"
    assert lines["Key", "Time"]["printed"] == "0.7 ↓"
