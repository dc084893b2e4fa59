"""A table's claims in long form: one line of CSV per comparison, with what is said of the whole claim repeated."""

import csv
import io

from repro.report.judge.results import ClaimResult, PartResult, TableResult
from repro.report.render.claim_words import claim_text, part_text
from repro.report.render.csv_table import exact

HEADS = (
    "paper", "table", "scale", "claim", "says", "comparisons", "place", "printed", "verdict", "direction_only",
    "readings_holding", "readings_reversed", "readings_undecided", "claim_p_value", "claim_adjusted", "reason",
    "margin_reason", "note", "part", "comparison", "operator", "part_printed", "printed_difference",
    "part_verdict", "part_reason", "n", "difference", "spread", "low", "high", "method", "p_value", "adjusted",
    "seeds_needed",
)  # fmt: skip
"""The columns. Those up to `note` are the whole claim's, `part` numbers its comparisons; `low` and `high` bound the
95 % t-interval of the mean difference, left minus right."""


def claims_csv(result: TableResult) -> str:
    """The claims as CSV with a head line, in the order of the table's file; both numbers begin at 1."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADS, lineterminator="\n")
    writer.writeheader()
    for number, item in enumerate(result.claims, 1):
        whole = {"paper": result.table.paper, "table": result.table.name, "scale": result.scale, "claim": str(number)}
        whole |= _claim(item, result)
        for place, part in enumerate(item.parts, 1):
            writer.writerow(whole | {"part": str(place)} | _part(part, result))
    return stream.getvalue()


def _claim(item: ClaimResult, result: TableResult) -> dict[str, str]:
    found, within = item.robustness, item.claim.within
    readings = {} if found is None else {
        "readings_holding": str(found.holds), "readings_reversed": str(found.reversed),
        "readings_undecided": str(found.undecided),
    }  # fmt: skip
    return {
        "says": item.claim.says,
        "comparisons": claim_text(item.claim, result),
        "place": item.claim.place,
        "printed": item.printed,
        "verdict": item.verdict,
        "direction_only": "yes" if item.is_direction_only else "no",
        **readings,
        "claim_p_value": exact(item.p_value),
        "claim_adjusted": exact(item.adjusted),
        "reason": item.reason,
        "margin_reason": within.reason if within is not None else "",
        "note": item.claim.note,
    }


def _part(part: PartResult, result: TableResult) -> dict[str, str]:
    printed, measured = part.printed.difference, part.difference
    numbers = {} if measured is None else {
        "n": str(measured.n), "difference": exact(measured.mean), "spread": exact(measured.spread),
        "low": exact(measured.low), "high": exact(measured.high),
    }  # fmt: skip
    return {
        "comparison": part_text(part.part, result),
        "operator": part.part.operator,
        "part_printed": part.printed.say,
        "printed_difference": "" if printed is None else f"{printed.value:.{printed.decimals}f}",
        "part_verdict": part.verdict,
        "part_reason": part.reason,
        **numbers,
        "method": part.method or "",
        "p_value": exact(part.p_value),
        "adjusted": exact(part.adjusted),
        "seeds_needed": "" if part.seeds_needed is None else str(part.seeds_needed),
    }
