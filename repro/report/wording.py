"""Numbers, claims and sentences of a report as plain text."""

from collections.abc import Iterable

from repro.papers import Address, Cell, Claim, Column, Metric
from repro.report.results import CellResult, ClaimResult, Interval, TableResult

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


def address_text(address: Address, result: TableResult) -> str:
    """A cell as the reader of the table would call it."""
    table = result.table
    if address.table != table.key:
        return str(address)
    measured = [head for head in table.columns if any(row.cells[head].metric.name != "setting"
                                                      for row in table.rows.values())]  # fmt: skip
    return address.row if len(measured) == 1 else f"{address.row} @ {address.column}"


def claim_text(claim: Claim, result: TableResult) -> str:
    """A claim as `higher > lower`."""
    return f"{address_text(claim.higher, result)} > {address_text(claim.lower, result)}"


def claim_decimals(result: ClaimResult) -> int:
    """Decimals of a claim's differences."""
    return 2 if result.published is None else max(1, min(4, own_decimals(round(result.published, 6))))


def published_difference(result: ClaimResult) -> str:
    """The difference that the paper prints between the two sides of a claim."""
    return "" if result.published is None else signed(result.published, claim_decimals(result))


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
    return f"python -m repro.sweep table={result.table.key} scale={result.scale} seeds={SEEDS} submit=true"


def hardware(result: TableResult) -> list[str]:
    """Names of the machines behind the measured values."""
    return list(dict.fromkeys(name for cell in result.cells.values() for name in cell.hardware))
