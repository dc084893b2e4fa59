from dataclasses import replace

from repro.papers import Address, Table, TableKind
from repro.report.judge.results import CellResult
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import Verdict
from repro.report.render.layout import PANEL, SYMBOLS, Figure, LaidRow, Layout, cells_legend, layout
from repro.report.render.wording import MEANINGS
from tests.report.made_results import measured, measured_small, real_tables, unmeasured


def row_of(made, label: str) -> LaidRow:
    return next(row for row in made.rows if row.label == label)


def test_a_measured_cell_comes_in_parts(small: Table) -> None:
    made = layout(measured_small(small))
    assert row_of(made, "Plain").figures["mIoU"] == Figure("70.0", verdict=Verdict.BELOW, mean="68.8", half="1.8", n=3)
    single = row_of(made, "With it").figures["mIoU"]
    assert (single.mean, single.half, single.n, single.one_seed) == ("72.0", "", 1, True)
    assert single.measured_best
    assert row_of(made, "With it").figures["With"] == Figure(marked=True)


def test_a_difference_is_shown_only_where_the_numbers_are_to_be_compared(small: Table) -> None:
    result = measured_small(small)
    assert layout(result).warned
    made = layout(replace(result, scale="paper"))
    assert row_of(made, "Plain").figures["mIoU"].difference == "−1.2"
    assert not made.warned
    cells = {address: replace(cell, deviations=()) for address, cell in result.cells.items()}
    made = layout(replace(result, cells=cells))
    assert row_of(made, "Plain").figures["mIoU"].difference == "−1.2"
    assert not made.warned


def test_a_cell_in_which_nothing_is_printed_may_have_a_measured_value(small: Table) -> None:
    result = measured_small(small)
    address = Address("made/table1", "Plain", "Gain")
    result.cells[address] = CellResult(address, Verdict.NOT_PRINTED, "", {0: 1.0, 1: 2.0, 2: 3.0},
                                       Interval(3, 2.0, 1.0, -0.5, 4.5))  # fmt: skip
    figure = row_of(layout(result), "Plain").figures["Gain"]
    assert (figure.published, figure.mean, figure.half, figure.difference) == ("", "2.0", "2.5", "")
    assert figure.verdict is Verdict.NOT_PRINTED
    result.cells[address] = CellResult(address, Verdict.NOT_RUN)
    assert row_of(layout(result), "Plain").figures["Gain"].state == "missing: not run"


def test_how_sure_a_verdict_is_stands_in_a_footnote(small: Table) -> None:
    result = measured_small(small)
    below, inconclusive = (Address("made/table1", row, "mIoU") for row in ("Plain", "With it"))
    result.cells[below] = replace(result.cells[below], p_value=0.002, adjusted=0.004)
    result.cells[inconclusive] = replace(result.cells[inconclusive], seeds_needed=9, p_value=0.4, adjusted=0.8)
    notes = layout(result).notes
    assert "below: p = 0.002, adjusted 0.004" in notes
    assert "inconclusive: 9 seeds would decide" in notes
    assert not any("0.40" in note for note in notes)


def test_the_legend_says_what_is_shown_and_what_the_given_verdicts_mean(small: Table) -> None:
    result = measured_small(small)
    first, *meanings = cells_legend(layout(replace(result, scale="paper")))
    assert first == (
        "Measured, beside the published one: mean ± half of its 95 % t-interval over seeds, measured minus published, "
        "the verdict, and (the number of seeds)."
    )
    assert meanings == [f"below: {MEANINGS[Verdict.BELOW]}; inconclusive: {MEANINGS[Verdict.INCONCLUSIVE]}."]
    assert "measured minus published" not in cells_legend(layout(result))[0]
    assert cells_legend(layout(unmeasured(small))) == []


def test_a_footnote_has_one_number_and_what_holds_for_all_is_none(small: Table) -> None:
    made = layout(measured_small(small))
    assert made.common == ["deviation: crop 128 instead of 513", "left open by the paper: optimiser: SGD"]
    assert len(set(made.notes)) == len(made.notes)
    assert made.notes.count("deviation: half the steps") == 1
    assert made.number("deviation: half the steps") == made.notes.index("deviation: half the steps") + 1
    before = len(made.notes)
    assert made.number("something else") == before + 1


def test_a_cell_unlike_others_of_the_table_says_so_and_what_all_share_is_said_once(small: Table) -> None:
    result = measured_small(small)
    first, second = (address for address, cell in result.cells.items() if cell.measured is not None)

    def made(*told: str) -> Layout:
        cells = {address: replace(result.cells[address], mixed=(text,))
                 for address, text in zip((first, second), told, strict=True)}  # fmt: skip
        return layout(replace(result, cells=result.cells | cells))

    assert "measured by code aa" in made("measured by code aa", "measured by code aa").common
    assert {"measured by code aa", "measured by code bb"} <= set(
        made("measured by code aa", "measured by code bb").notes
    )


def test_what_holds_for_a_whole_row_is_said_at_its_label(small: Table) -> None:
    result = unmeasured(small)
    for address, cell in result.cells.items():
        if address.row == "With it":
            result.cells[address] = replace(cell, verdict=Verdict.NOT_BUILT, reason="head=unbuilt")
    made = layout(result)
    row = row_of(made, "With it")
    assert row.shared_state == "missing: not built"
    assert [made.notes[number - 1] for number in row.notes] == ["check marks inferred, not legible",
                                                                "not built: head=unbuilt"]  # fmt: skip
    assert not any(figure.notes for figure in row.figures.values())


def test_prose_has_no_best(small: Table) -> None:
    def best(table: Table) -> set[str]:
        return {row.label for row in layout(unmeasured(table)).rows if row.figures["mIoU"].best}

    assert best(small) == {"Behind the server"}
    assert best(replace(small, kind=TableKind.PROSE)) == set()


def test_a_row_of_prose_stands_at_a_place(small: Table) -> None:
    assert not layout(unmeasured(small)).placed
    rows = {label: replace(row, place="section 4.2") for label, row in small.rows.items()}
    made = layout(unmeasured(replace(small, rows=rows)))
    assert made.placed
    assert {row.place for row in made.rows} == {"section 4.2"}


def test_a_cell_without_a_result_has_no_state(small: Table) -> None:
    figure = row_of(layout(unmeasured(small)), "Plain").figures["Gain"]
    assert (figure.verdict, figure.state) == (None, "")
    result = measured_small(small)
    del result.cells[Address("made/table1", "Plain", "mIoU")]
    assert row_of(layout(result), "Plain").figures["mIoU"].verdict is None


def test_a_missing_measurement_is_told_from_one_that_nobody_can_make() -> None:
    assert Figure(verdict=Verdict.NOT_RUN).state == "missing: not run"
    assert Figure(verdict=Verdict.CITED).state == "cited"


def test_wide_tables_come_in_parts_that_hold_every_column_once() -> None:
    wide = 0
    for table in real_tables().values():
        made = layout(measured(table))
        assert [head for panel in made.panels for head in panel] == list(table.columns)
        if len(made.panels) > 1:
            wide += 1
            assert max(len(panel) for panel in made.panels) <= PANEL
    assert wide >= 3


def test_every_verdict_on_a_measured_cell_has_a_sign_of_its_own() -> None:
    assert SYMBOLS.keys() == MEANINGS.keys()
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)
