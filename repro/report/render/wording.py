"""Numbers, claims and sentences of a report as plain text."""

from collections.abc import Iterable

from repro.papers import Cell, Claim, Column, Metric, sweeps_folder
from repro.report.judge.results import CellResult, ClaimResult, Interval, TableResult

WITHOUT_SEED = frozenset({"parameters", "utilisation"})
"""Metrics that do not depend on the seed, so that one value is all there is."""

SEEDS = 3
"""Seeds in the command that a report gives; fewer make no interval worth the name."""


def without_seed(metric: Metric) -> bool:
    """Whether a metric comes out the same for every seed."""
    return (metric.of or metric).name in WITHOUT_SEED


def own_decimals(value: float) -> int:
    """Decimals that a number needs to be written in full."""
    digits = f"{value:.10f}".partition(".")[2].rstrip("0")
    return len(digits)


def decimals_of(column: Column, value: float) -> int:
    """Decimals that a published number is printed with: those of its column, or more if it has more."""
    return max(column.decimals or 0, own_decimals(value))


def published_text(column: Column, cell: Cell) -> str:
    """The published content of a cell, as printed; empty if blank."""
    if cell.printed is not None:
        return cell.printed
    if cell.published is None or isinstance(cell.published, str):
        return cell.published or ""
    return f"{cell.published:.{decimals_of(column, cell.published)}f}"


def measured_decimals(column: Column, cell: Cell) -> int:
    """Decimals of a measured value: as published but at least one, two where nothing says how many."""
    if isinstance(cell.published, (int, float)):
        return max(1, decimals_of(column, cell.published))
    return 2 if column.decimals is None else column.decimals


def number(value: float, places: int) -> str:
    """A number with a real minus, and zero without one."""
    text = f"{value:.{places}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float, places: int) -> str:
    """A number with its sign, and zero without one."""
    text = number(value, places)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"


def sentences_of(cell: CellResult) -> list[str]:
    """What the run of a cell does otherwise than the paper, and what the paper leaves to it."""
    deviations = [f"deviation: {item}" for item in cell.deviations]
    return deviations + [f"left open by the paper: {item}" for item in cell.choices]


def claim_text(claim: Claim, result: TableResult) -> str:
    """A claim as `higher > lower`, with the column said once where it is the same."""
    table, higher, lower = result.table, claim.higher, claim.lower
    if {higher.table, lower.table} != {table.key}:
        sides = [str(side).removeprefix(f"{table.paper}/") for side in (higher, lower)]
        return f"{sides[0]} > {sides[1]}"
    if higher.column != lower.column:
        return f"{higher.row} @ {higher.column} > {lower.row} @ {lower.column}"
    measured = {cell.address.column for cell in table.cells() if cell.metric.name != "setting"}
    return f"{higher.row} > {lower.row}" + (f" @ {higher.column}" if len(measured) > 1 else "")


def claim_verdict(item: ClaimResult) -> str:
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
    return text if item.printed == "holds" else f"{text} ({item.printed})"


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
