"""Verdicts, differences and sentences of a report as plain text."""

from collections.abc import Iterable

from repro.papers import PAPER_SCALE, sweeps_folder
from repro.report.judge.results import CellResult, TableResult
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import Verdict
from repro.report.printed import signed

MISSING = "missing"
"""What is to be measured and was not."""

MEANINGS: dict[Verdict, str] = {
    Verdict.REPRODUCED: "the 90 % interval of the mean lies within the margin about the published number, "
    "or a closed form equals its digits",
    Verdict.ABOVE: "the published number lies below the 95 % prediction interval of one more run",
    Verdict.BELOW: "the published number lies above the 95 % prediction interval of one more run",
    Verdict.INCONCLUSIVE: "the seeds decide none of these",
    Verdict.DEVIATES: "not the paper's protocol, so not judged",
    Verdict.NOT_PRINTED: "the paper prints no number",
}
"""The verdicts on measured cells, and what each says."""

INTERVAL = "mean ± half of its 95 % t-interval over seeds"
"""What stands in a measured cell first."""

WARNING = (
    "Measured values come from other data, networks or budgets than the paper's (see the deviations): compare rows "
    "with each other, not with the published numbers."
)
"""For a table with cells that are not to be held against the published ones."""


def sentences_of(cell: CellResult) -> list[str]:
    """What sets the run of a cell apart from the paper and from others of the table, and what to beware of."""
    deviations = [f"deviation: {item}" for item in cell.deviations]
    deviations += [f"warning: {item}" for item in cell.warnings if item not in cell.deviations]
    return [*deviations, *cell.mixed, *(f"left open by the paper: {item}" for item in cell.left_open)]


def difference_text(interval: Interval | None, places: int) -> str:
    """A measured difference with its interval, or `missing`."""
    if interval is None:
        return MISSING
    mean = signed(interval.mean, places)
    if interval.low is None or interval.high is None:
        return mean
    return f"{mean} [{signed(interval.low, places)}, {signed(interval.high, places)}]"


def is_comparable(cell: CellResult, scale: str) -> bool:
    """Whether a measured cell may be held against the published number.

    At a scale of its own a run that deviates has neither the data nor the budget of the paper: there the difference
    between both numbers says nothing.
    """
    return scale == PAPER_SCALE or not cell.deviations


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
    return f"python -m repro.sweep {place(result)} seeds={result.planned_seeds} submit=true"


def place(result: TableResult) -> str:
    """The settings by which sweep and report find the table, the folder of a user's paper included."""
    folder = result.table.file.parent.parent
    own = "" if folder == sweeps_folder() else f"sweeps_folder={folder} "
    return f"{own}table={result.table.key} scale={result.scale}"


def hardware(result: TableResult) -> list[str]:
    """Names of the machines behind the measured values."""
    return list(dict.fromkeys(name for cell in result.cells.values() for name in cell.hardware))
