"""Claims and sentences of a report as plain text."""

from collections.abc import Iterable

from repro.papers import Claim, Gain, Part, Quantity, sweeps_folder
from repro.report.judge.results import CellResult, ClaimResult, PartResult, TableResult
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import ClaimVerdict
from repro.report.printed import measured_decimals, signed
from repro.report.printed_claims import PrintedSay

SEEDS = 3
"""Seeds in the command that a report gives; fewer make no interval worth the name."""


def sentences_of(cell: CellResult) -> list[str]:
    """What the run of a cell does otherwise than the paper, what to beware of, and what the paper leaves to it."""
    deviations = [f"deviation: {item}" for item in cell.deviations]
    deviations += [f"warning: {item}" for item in cell.warnings if item not in cell.deviations]
    return deviations + [f"left open by the paper: {item}" for item in cell.left_open]


def claim_text(claim: Claim, result: TableResult) -> str:
    """A claim as its sides and operators, each cell as short as its table allows."""
    texts = [", ".join(side_text(item, result) for item in side) for side in claim.sides]
    words = [texts[0]]
    for operator, text in zip(claim.operators, texts[1:], strict=True):
        words += [operator, text]
    return " ".join(words)


def part_text(part: Part, result: TableResult) -> str:
    """One comparison of a claim."""
    return f"{side_text(part.left, result)} {part.operator} {side_text(part.right, result)}"


def side_text(side: Quantity | str, result: TableResult) -> str:
    """A side of a claim: the row, with its column and table where these do not follow from the page."""
    if isinstance(side, str):
        return side
    if isinstance(side, Gain):
        return f"({side_text(side.first, result)} − {side_text(side.second, result)})"
    if isinstance(side, float):
        return f"{side:g}"
    if side.table != result.table.key:
        return str(side).removeprefix(f"{result.table.paper}/")
    measured = {cell.address.column for cell in result.table.cells() if not cell.metric.is_setting}
    return f"{side.row} @ {side.column}" if len(measured) > 1 else side.row


def part_decimals(part: Part, result: TableResult) -> int:
    """Decimals of the differences of a comparison: those of its sides."""
    own = []
    for side in part.addresses():
        if side.table == result.table.key:
            column = result.table.columns[side.column]
            own.append(measured_decimals(column, result.table.rows[side.row].cells[side.column]))
    return max(own, default=2)


def claim_notes(item: ClaimResult) -> list[str]:
    """What a reader must know about a claim; why a side is not measured stands with the side."""
    return [text for text in (item.claim.note, item.reason if item.is_judged else "") if text]


def claim_state(item: ClaimResult | PartResult) -> str:
    """The verdict on a claim or a part of one, or why there is none."""
    return item.verdict if isinstance(item.verdict, ClaimVerdict) else f"not judged: {item.verdict}"


def published_difference(item: PartResult, places: int) -> str:
    """The difference that the paper prints between the two sides, and whether it is against the claim."""
    found = item.printed
    if found.difference is None:
        return ""
    text = signed(found.difference.value, max(places, found.difference.decimals))
    return text if found.say is PrintedSay.HOLDS else f"{text} ({found.say})"


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
