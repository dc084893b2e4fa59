import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from repro.papers import Table, TableKind
from repro.report.judge.results import Robustness
from repro.report.judge.verdicts import ClaimVerdict, Verdict
from repro.report.render.markdown import escape, markdown
from tests.places import PRINTED_TABLES
from tests.report.made_results import (
    AWKWARD,
    claim_of,
    measured,
    measured_small,
    real_tables,
    small_table,
    unmeasured,
)

PRINTED = json.loads(PRINTED_TABLES.read_text(encoding="utf-8"))
TABLES = real_tables()


def cells_of(line: str) -> list[str]:
    """The cells of one line of a Markdown table, as a reader sees their text."""
    parts = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return [shown(part) for part in parts]


def shown(text: str) -> str:
    """Markdown -> what a reader sees, without footnotes."""
    text = re.sub(r"<sup>.*?</sup>", "", text).replace("<br>", "\n")
    text = re.sub(r"(?<!\\)\*+", "", text)
    for code, sign in (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(code, sign)
    return re.sub(r"\\([\\`*_\[\]|~$])", r"\1", text).strip()


def rows_of(page: str) -> dict[str, dict[str, list[str]]]:
    """Label -> head -> cells below that head, from all parts of the page's main table."""
    body = page.partition("\n## ")[0]
    rows: dict[str, dict[str, list[str]]] = {}
    heads: list[str] = []
    for line in body.splitlines():
        if not line.startswith("|"):
            heads = []
        elif not heads:
            heads = cells_of(line)
        elif not line.startswith(("| :--", "| --:")):
            label, *cells = cells_of(line)
            row = rows.setdefault(label.partition("\n")[0], {})
            for head, cell in zip(heads[1:], cells, strict=True):
                row.setdefault(head, []).append(cell)
    return rows


def claims_of(page: str) -> list[list[str]]:
    """The lines of the page's claims, without the head."""
    lines = page.partition("## Claims")[2].partition("## ")[0].splitlines()
    return [cells_of(line) for line in lines if line.startswith("|")][2:]


@pytest.mark.parametrize("key", [key for key in PRINTED if "/table" in key])
def test_every_printed_number_label_and_check_mark_is_on_the_page(key: str) -> None:
    rows = rows_of(markdown(unmeasured(TABLES[key])))
    for row in PRINTED[key]["rows"]:
        assert row["label"] in rows
        cells = rows[row["label"]]
        for head, value in row["cells"].items():
            if head == TABLES[key].label_column:
                assert str(value) == row["label"]
                continue
            text = cells[head][0].partition("\n")[0]
            if isinstance(value, (int, float)):
                raw = row.get("printed", {}).get(head)
                assert text == raw or float(text) == value
            elif value is not None:
                assert text == value
        for head, marked in row.get("marks", {}).items():
            assert (cells[head][0] == "✓") is (marked is True)


def test_prose_prints_every_number_too() -> None:
    for key, printed in PRINTED.items():
        paper, _, name = key.partition("/")
        if name.startswith("inline") and f"{paper}/prose" in TABLES:
            rows = rows_of(markdown(unmeasured(TABLES[f"{paper}/prose"])))
            for row in printed["rows"]:
                numbers = " ".join(cell for cells in rows[row["label"]].values() for cell in cells)
                found = {float(text) for text in re.findall(r"\d+(?:\.\d+)?", numbers)}
                assert {value for value in row["cells"].values() if value is not None} <= found


@pytest.mark.parametrize("result", [measured, unmeasured])
def test_every_line_of_a_table_has_as_many_cells_as_its_head(result) -> None:
    for table in TABLES.values():
        width = 0
        for line in markdown(result(table)).splitlines():
            found = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
            assert not (found and width) or found == width
            width = found


def test_a_measured_cell_shows_mean_interval_seeds_difference_and_verdict(small: Table) -> None:
    result = measured_small(small)
    assert rows_of(markdown(result))["Plain"]["measured"][0] == "68.8 ± 1.8 (3)\nbelow"
    assert rows_of(markdown(replace(result, scale="paper")))["Plain"]["measured"][0] == "68.8 ± 1.8 (3)\n−1.2, below"


def test_a_single_seed_is_italic_and_has_no_interval(small: Table) -> None:
    page = markdown(measured_small(small))
    assert "***72.0***&nbsp;(1)<br>" in page
    assert "*Italic*: a single seed" in page


def test_missing_shows_as_missing_and_cited_as_cited(small: Table) -> None:
    rows = rows_of(markdown(unmeasured(small)))
    assert rows["Plain"]["measured"] == ["missing: not run", ""]
    assert rows[AWKWARD]["measured"] == ["cited", ""]
    assert rows["Behind the server"]["measured"] == ["server only", ""]


def test_the_best_published_and_the_best_measured_value_are_bold(small: Table) -> None:
    page = markdown(measured_small(small))
    assert "| **81.0** |" in page
    assert "***72.0***" in page
    assert "**68.8**" not in page


def test_an_awkward_label_is_shown_as_it_is(small: Table) -> None:
    assert AWKWARD in rows_of(markdown(unmeasured(small)))
    assert shown(escape(AWKWARD)) == AWKWARD


def test_footnotes_are_numbered_once_and_common_ones_stand_apart(small: Table) -> None:
    page = markdown(measured_small(small))
    common, notes = page.partition("## All measured cells")[2].split("## Footnotes")
    assert "crop 128 instead of 513" in common
    assert "crop 128 instead of 513" not in notes
    assert page.count("half the steps") == 1
    numbers = [int(text) for text in re.findall(r"^(\d+)\. ", notes, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_claim_shows_both_differences_and_its_verdict(small: Table) -> None:
    page = markdown(measured_small(small))
    how = "3 seeds; paired by seed; p = 0.013, adjusted 0.052"
    assert claims_of(page) == [
        ["1", "With it > Plain @ mIoU", "section 1", "holds (+2.5)", f"+2.0 [+1.2, +2.9]\n{how}", "holds"]
    ]  # fmt: skip


def test_a_compound_claim_has_a_line_for_each_comparison_below_its_own(tmp_path: Path) -> None:
    table = small_table(
        tmp_path, '{claim: ["With it", ">", [Plain, "Behind the server"]], says: Best., place: section 1}'
    )
    claim = claim_of(
        table, table.claims[0], ClaimVerdict.HOLDS, ClaimVerdict.INCONCLUSIVE, robustness=Robustness(9, 2, 0)
    )
    how = "3 seeds; paired by seed; p = 0.013, adjusted 0.052"
    assert claims_of(markdown(replace(unmeasured(table), claims=(claim,)))) == [
        ["1", "Best.\nWith it > Plain, Behind the server @ mIoU", "section 1", "reversed (1 of 2: −8.5 to +2.5)",
         "of 2: 1 holds, 1 inconclusive", "inconclusive\nholds under 9 of 11 readings, reversed under 2"],
        ["1.1", "– With it > Plain @ mIoU", "", "holds (+2.5)", f"+1.3 [+0.5, +2.1]\n{how}", "holds"],
        ["1.2", "– With it > Behind the server @ mIoU", "", "reversed (−8.5)",
         f"+1.3 [+0.5, +2.1]\n{how}; 12 seeds would decide", "inconclusive"],
    ]  # fmt: skip


def test_a_claim_that_is_not_judged_says_why_and_the_printed_numbers_may_be_against_it(tmp_path: Path) -> None:
    table = small_table(tmp_path, '{claim: [Plain, ">", "With it"], place: section 1}')
    page = markdown(unmeasured(table))
    assert "| reversed (−2.5) | missing | not judged: not run |" in page


def test_awkward_words_of_a_claim_are_shown_as_they_are(tmp_path: Path) -> None:
    label = "'" + AWKWARD.replace("'", "''") + "'"
    table = small_table(tmp_path, f"{{claim: [{label}, '>', Plain], says: {label}, note: {label}, place: {label}}}")
    page = markdown(unmeasured(table))
    (line,) = claims_of(page)
    assert line[1:3] == [f"{AWKWARD}\n{AWKWARD} > Plain @ mIoU", AWKWARD]
    assert shown(page.partition("## Footnotes")[2]).count(AWKWARD) == 1


def test_what_holds_for_a_whole_row_is_said_once_at_its_label(small: Table) -> None:
    result = unmeasured(small)
    for address, cell in result.cells.items():
        if address.row == "With it":
            result.cells[address] = replace(cell, verdict=Verdict.NOT_BUILT, reason="head=unbuilt (a head)")
    page = markdown(result)
    assert "not built: head=unbuilt (a head)" in page
    line = next(line for line in page.splitlines() if line.startswith("| With it"))
    assert line.count("<sup>") == 1
    assert line.startswith("| With it<sup>2–3</sup> |")


def test_prose_has_a_column_of_places_and_no_best(small: Table) -> None:
    rows = {label: replace(row, place="section 4.2") for label, row in small.rows.items()}
    page = markdown(unmeasured(replace(small, kind=TableKind.PROSE, rows=rows)))
    assert rows_of(page)["Plain"]["Place"] == ["section 4.2"]
    assert "**81.0**" not in page


def test_a_scale_is_named_and_warned_of_only_where_something_was_measured(small: Table) -> None:
    assert "scale **shapes**" in markdown(measured_small(small))
    assert "not with the published numbers" in markdown(measured_small(small))
    assert "not with the published numbers" not in markdown(unmeasured(small, "shapes"))
    assert "not with the published numbers" not in markdown(replace(measured_small(small), scale="paper"))


def test_the_same_result_gives_the_same_text(small: Table, tmp_path: Path) -> None:
    again = replace(measured_small(small_table(tmp_path)), table=small)
    assert markdown(again) == markdown(measured_small(small))


def test_the_command_and_the_hardware_close_the_page(small: Table) -> None:
    page = markdown(measured_small(small))
    assert f"python -m repro.sweep sweeps_folder={small.file.parent.parent} table=made/table1 scale=shapes" in page
    assert page.endswith("Measured on: NVIDIA A100.\n")
