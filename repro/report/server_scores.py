"""Scores of test servers, each brought to the printed cell that it belongs to; shown there, and counted nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from repro.errors import hint
from repro.papers import Address, Library, RowKind
from repro.report.judge.results import TableResult
from repro.report.judge.verdicts import Verdict, is_score
from repro.store.server_csv import ServerScore, read_server_csv

ANSWERED = (RowKind.SERVER_ONLY, RowKind.CANNOT_BE_RUN)
"""Rows that only somebody else can measure."""


@dataclass(frozen=True)
class ServerScores:
    """What was entered: cell to score, and a sentence for each line that is wrong and counts for nothing."""

    scores: Mapping[Address, ServerScore] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read_server_scores(path: Path, library: Library) -> ServerScores:
    """Reads the scores that were entered, and finds their cells in the papers."""
    file = read_server_csv(path)
    scores: dict[Address, ServerScore] = {}
    numbers: dict[Address, int] = {}
    problems = list(file.problems)
    for number, line in file.lines.items():
        address = Address(line.table, line.row, line.column)
        fault = _fault(address, library)
        if address in numbers:
            fault = f"{address} has a score already, in line {numbers[address]}; a test server is asked once"
        if fault:
            problems.append(f"{path}:{number}: {fault}")
        else:
            scores[address], numbers[address] = line, number
    return ServerScores(scores, tuple(problems))


def _fault(address: Address, library: Library) -> str:
    table = library.tables.get(address.table)
    if table is None:
        return f"there is no table {address.table}{hint(address.table, library.tables)}"
    row = table.rows.get(address.row)
    if row is None:
        return f"{table.key} has no row {address.row}{hint(address.row, table.rows)}"
    cell = row.cells.get(address.column)
    if cell is None:
        return f"{table.key} has no column {address.column}{hint(address.column, table.columns)}"
    if row.kind not in ANSWERED:
        right = " or ".join(f"`{kind}`" for kind in ANSWERED)
        return f"the row {row.label} of {table.key} is `{row.kind}`; a server answers for rows that are {right}"
    if not (cell.is_result and is_score(cell.metric)) or cell.metric.is_difference:
        return f"{address} prints no score in percent"
    return ""


def with_server_scores(result: TableResult, scores: Mapping[Address, ServerScore]) -> TableResult:
    """A result at the papers' scale with the scores of its cells that a server returned."""
    found = {address: replace(cell, verdict=Verdict.SERVER, reason=_told(scores[address]), server=scores[address])
             for address, cell in result.cells.items() if address in scores}  # fmt: skip
    return replace(result, cells={**result.cells, **found}) if found else result


def _told(score: ServerScore) -> str:
    return (f"{score.score} from {score.server} on {score.date}, of run {score.run_id}; one number without spread, "
            "counted in no seeds, claims or headline")  # fmt: skip
