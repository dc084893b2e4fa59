import csv
import io

from repro.papers import Table
from repro.report.judge.results import Method, Robustness, TableResult
from repro.report.judge.verdicts import ClaimVerdict
from repro.report.render.claims_csv import HEADS, claims_csv
from tests.report.made_results import claim_of, measured_small, real_tables, unmeasured


def lines_of(result: TableResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(claims_csv(result))))


def test_a_measured_claim_has_everything(small: Table) -> None:
    (line,) = lines_of(measured_small(small))
    assert tuple(line) == HEADS
    assert (line["paper"], line["table"], line["scale"], line["claim"], line["part"]) == (
        "made", "table1", "shapes", "1", "1"
    )  # fmt: skip
    assert (line["comparisons"], line["operator"], line["place"]) == ("With it > Plain @ mIoU", ">", "section 1")
    assert (line["printed"], line["printed_difference"], line["verdict"]) == ("holds", "2.5", "holds")
    assert (line["n"], line["difference"], line["low"], line["high"]) == ("3", "2.04", "1.2", "2.88")
    assert (line["method"], line["p_value"], line["adjusted"]) == (Method.PAIRED, "0.013", "0.052")
    assert (line["direction_only"], line["note"]) == ("no", "By a little.")


def test_readings_and_directions_are_columns(small: Table) -> None:
    claim = claim_of(small, small.claims[0], ClaimVerdict.INCONCLUSIVE, is_direction_only=True,
                     robustness=Robustness(9, 1, 1), p_value=0.004, adjusted=0.03)  # fmt: skip
    (line,) = lines_of(TableResult(small, "shapes", {}, (claim,)))
    assert line["direction_only"] == "yes"
    assert [line[f"readings_{word}"] for word in ("holding", "reversed", "undecided")] == ["9", "1", "1"]
    assert line["seeds_needed"] == "12"
    assert (line["claim_p_value"], line["claim_adjusted"]) == ("0.004", "0.03")


def test_there_is_one_line_per_comparison_in_the_order_of_the_file() -> None:
    for table in real_tables().values():
        lines = lines_of(unmeasured(table))
        assert [(line["claim"], line["part"]) for line in lines] == [
            (str(number), str(place))
            for number, claim in enumerate(table.claims, 1)
            for place, _ in enumerate(claim.parts, 1)
        ]
        assert {line["n"] for line in lines} <= {""}
