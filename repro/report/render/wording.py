"""Claims and sentences of a report as plain text."""

from collections.abc import Iterable

from repro.papers import Claim, sweeps_folder
from repro.report.judge.results import CellResult, ClaimResult, PrintedSay, TableResult
from repro.report.judge.statistics import Interval
from repro.report.printed import measured_decimals, own_decimals, signed

SEEDS = 3
"""Seeds in the command that a report gives; fewer make no interval worth the name."""


def sentences_of(cell: CellResult) -> list[str]:
    """What the run of a cell does otherwise than the paper, what to beware of, and what the paper leaves to it."""
    deviations = [f"deviation: {item}" for item in cell.deviations]
    deviations += [f"warning: {item}" for item in cell.warnings if item not in cell.deviations]
    return deviations + [f"left open by the paper: {item}" for item in cell.left_open]


def claim_text(claim: Claim, result: TableResult) -> str:
    """A claim as `higher > lower`, with the column said once where it is the same."""
    table, higher, lower = result.table, claim.higher, claim.lower
    if {higher.table, lower.table} != {table.key}:
        sides = [str(side).removeprefix(f"{table.paper}/") for side in (higher, lower)]
        return f"{sides[0]} > {sides[1]}"
    if higher.column != lower.column:
        return f"{higher.row} @ {higher.column} > {lower.row} @ {lower.column}"
    measured = {cell.address.column for cell in table.cells() if not cell.metric.is_setting}
    return f"{higher.row} > {lower.row}" + (f" @ {higher.column}" if len(measured) > 1 else "")


def claim_state(item: ClaimResult) -> str:
    """The verdict on a claim, or why there is none."""
    return item.verdict if item.difference else f"not judged: {item.verdict}"


def claim_notes(item: ClaimResult) -> list[str]:
    """What a reader must know about a claim; why a side is not measured stands with the side."""
    return [text for text in (item.claim.note, item.reason if item.difference else "") if text]


def claim_decimals(item: ClaimResult, result: TableResult) -> int:
    """Decimals of a claim's differences: those of its sides."""
    own = [] if item.published is None else [min(4, own_decimals(round(item.published, 6)))]
    for side in (item.claim.higher, item.claim.lower):
        if side.table == result.table.key:
            column = result.table.columns[side.column]
            own.append(measured_decimals(column, result.table.rows[side.row].cells[side.column]))
    return max(own, default=2)


def published_difference(item: ClaimResult, places: int) -> str:
    """The difference that the paper prints between the two sides of a claim, and whether it is against the claim."""
    if item.published is None:
        return ""
    text = signed(item.published, places)
    return text if item.printed is PrintedSay.HOLDS else f"{text} ({item.printed})"


def difference_text(interval: Interval | None, places: int) -> str:
    """A measured difference with its interval, or `missing`."""
    if interval is None:
        return "missing"
    mean = signed(interval.mean, places)
    if interval.low is None or interval.high is None:
        return mean
    return f"{mean} [{signed(interval.low, places)}, {signed(interval.high, places)}]"


def spans(numbers: Iterable[int]) -> str:
    """Numbers in ascending order with runs drawn together, such as 1–3,7."""
    parts: list[list[int]] = []
    for item in sorted(set(numbers)):
        if parts and item == parts[-1][-1] + 1:
            parts[-1].append(item)
        else:
            parts.append([item])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts)


def command(result: TableResult) -> str:
    """The command that measures the table at its scale."""
    return f"python -m repro.sweep {place(result)} seeds={SEEDS} submit=true"


def place(result: TableResult) -> str:
    """The settings by which sweep and report find the table, the folder of a user's paper included."""
    folder = result.table.file.parent.parent
    own = "" if folder == sweeps_folder() else f"sweeps_folder={folder} "
    return f"{own}table={result.table.key} scale={result.scale}"


def hardware(result: TableResult) -> list[str]:
    """Names of the machines behind the measured values."""
    return list(dict.fromkeys(name for cell in result.cells.values() for name in cell.hardware))
