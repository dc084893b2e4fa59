"""Results made up for the tests of the renderers: of the real tables, and of one with every case in it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from repro.papers import Address, Claim, Library, RowKind, Table, load_papers
from repro.report.judge.results import CellResult, ClaimResult, Method, PartResult, Robustness, TableResult
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import ClaimVerdict, Verdict
from repro.report.printed_claims import printed_claim, printed_part
from tests.composed import papers

AWKWARD = r"A|B *x* _y_ `z` [3] <b> & 50% #1 $2$ {c} ~d ^e \f × Δ ↑↓ ± é"

PAPER = """\
title: Numbers with every kind of cell
place: section 1, Table 1
kind: ablation
evaluated_on: Somewhere val
label_column: Method
varies: [head]
columns:
  With: {metric: setting, marks: true}
  mIoU: {metric: miou, unit: "%", decimals: 1}
  Gain: {metric: delta(Plain), unit: "%", decimals: 1}
rows:
  - label: Plain
    cells: {mIoU: 70.0, Gain: null}
    note: Of the first kind.
  - label: With it
    marks: [With]
    marks_from: inferred
    cells: {mIoU: 72.5, Gain: {value: 2.5, printed: "2.5 ↑"}}
  - label: AWKWARD
    kind: cited
    reason: Someone et al. 2017
    cells: {mIoU: 80.0, Gain: null}
  - label: Behind the server
    kind: server only
    reason: Only the server has the labels.
    cells: {mIoU: 81.0, Gain: null}
claims:
"""
CLAIM = '{claim: ["With it", ">", "Plain"], place: section 1, note: By a little.}'


def real_tables() -> dict[str, Table]:
    """Every table that comes with the package."""
    return papers().tables


def small_table(folder: Path, *claims: str) -> Table:
    """A table of a paper of its own, written into a folder; with claims of its own in YAML's flow style, or one."""
    (folder / "made").mkdir(parents=True)
    label = "'" + AWKWARD.replace("'", "''") + "'"
    text = PAPER.replace("AWKWARD", label) + "".join(f"  - {claim}\n" for claim in claims or [CLAIM])
    (folder / "made" / "table1.yaml").write_text(text, encoding="utf-8")
    return load_papers([folder]).tables["made/table1"]


def unmeasured(table: Table, scale: str = "paper") -> TableResult:
    """The result of a table of which nothing has been run."""
    cells = {}
    for row in table.rows.values():
        for cell in row.cells.values():
            verdict = Verdict.NOT_RUN if row.kind is RowKind.OWN else Verdict(row.kind)
            if row.kind is RowKind.OWN and not cell.is_result:
                verdict = Verdict.SETTING if cell.metric.is_setting else Verdict.BLANK
            cells[cell.address] = CellResult(cell.address, verdict, row.reason, published=cell.signed)
    claims = tuple(claim_of(table, claim) for claim in table.claims)
    return TableResult(table, scale, cells, claims)


def claim_of(table: Table, claim: Claim, *parts: ClaimVerdict, **more: object) -> ClaimResult:
    """The result of a claim whose comparisons came out in some ways, three seeds each; with none it was not run."""
    library = papers() if table.key in papers().tables else library_of(table)
    verdicts = parts or (Verdict.NOT_RUN,) * len(claim.parts)
    results = []
    for part, verdict in zip(claim.parts, verdicts, strict=True):
        difference = interval((1.2, 1.4, 1.3), 0.8) if parts else None
        measured = {"method": Method.PAIRED, "p_value": 0.013, "adjusted": 0.052} if parts else {}
        needed = 12 if verdict is ClaimVerdict.INCONCLUSIVE else None
        results.append(
            PartResult(part, verdict, difference, printed_part(library, claim, part), seeds_needed=needed, **measured)
        )
    worst = next((verdict for verdict in (ClaimVerdict.REVERSED, ClaimVerdict.INCONCLUSIVE) if verdict in verdicts),
                 verdicts[0])  # fmt: skip
    return ClaimResult(claim, worst, tuple(results), printed_claim(library, claim), **more)


def interval(values: Iterable[float], half: float) -> Interval:
    """A mean with an interval of a given width."""
    numbers = list(values)
    mean = sum(numbers) / len(numbers)
    if len(numbers) == 1:
        return Interval(1, mean, None, None, None)
    return Interval(len(numbers), mean, half / 2, mean - half, mean + half)


VERDICTS = (Verdict.INCONCLUSIVE, Verdict.REPRODUCED, Verdict.ABOVE, Verdict.BELOW, Verdict.DEVIATES)


def measured(table: Table, scale: str = "shapes") -> TableResult:
    """The result of a table of which every own cell has been run, the first one with one seed."""
    result = unmeasured(table, scale)
    runnable = [cell for cell in result.cells.values()
                if cell.verdict is Verdict.NOT_RUN and cell.published is not None]  # fmt: skip
    for place, old in enumerate(runnable):
        seeds = range(1 if place == 0 else 3)
        values = {seed: old.published - 1.25 + 0.1 * place + 0.2 * seed for seed in seeds}
        found = interval(values.values(), 0.45)
        verdict = VERDICTS[place % len(VERDICTS)]
        shorter = ("100 steps instead of 30,000",) if verdict is Verdict.DEVIATES else ()
        result.cells[old.address] = CellResult(
            old.address, verdict, "", values, found, old.published, found.mean - old.published,
            deviations=("crop 128 instead of 513", *shorter), left_open=("optimiser: SGD",),
            evidence=tuple(f"{seed:016x}" for seed in seeds), hardware=("NVIDIA A100",),
        )  # fmt: skip
    claims = []
    for place, claim in enumerate(table.claims):
        found = [list(ClaimVerdict)[(place + part) % len(ClaimVerdict)] for part in range(len(claim.parts))]
        readings = Robustness(9, place % 2, place % 3) if place % 2 else None
        claims.append(claim_of(table, claim, *found, is_direction_only=place % 3 == 0, robustness=readings))
    return TableResult(table, scale, result.cells, tuple(claims))


def measured_small(table: Table) -> TableResult:
    """The small table: one cell with three seeds, one with a single one, a claim that holds."""
    result = unmeasured(table, "shapes")
    plain, gain = Address(table.key, "Plain", "mIoU"), Address(table.key, "With it", "mIoU")
    result.cells[plain] = CellResult(
        plain, Verdict.BELOW, "", {0: 68.0, 1: 69.0, 2: 69.4}, Interval(3, 68.8, 0.721, 67.009, 70.591), 70.0, -1.2,
        ("crop 128 instead of 513",), ("optimiser: SGD",), ("a" * 16, "b" * 16, "c" * 16), ("NVIDIA A100",),
    )  # fmt: skip
    result.cells[gain] = CellResult(
        gain, Verdict.INCONCLUSIVE, "", {0: 72.0}, Interval(1, 72.0, None, None, None), 72.5, -0.5,
        ("crop 128 instead of 513", "half the steps"), ("optimiser: SGD",), ("d" * 16,), ("NVIDIA A100",),
    )  # fmt: skip
    held = claim_of(table, table.claims[0], ClaimVerdict.HOLDS)
    part = replace(held.parts[0], difference=Interval(3, 2.04, 0.3, 1.2, 2.88))
    return TableResult(table, "shapes", result.cells, (replace(held, parts=(part,)),))


def library_of(*tables: Table) -> Library:
    """A library of some tables and nothing else."""
    return Library(tables={table.key: table for table in tables})


def with_row(table: Table, label: str, **changes: object) -> Table:
    """The table with a row altered."""
    return replace(table, rows={**table.rows, label: replace(table.rows[label], **changes)})


def with_value(table: Table, address: Address, value: float, printed: str | None = None) -> Table:
    """The table with another number in one cell."""
    row = table.rows[address.row]
    cell = replace(row.cells[address.column], published=value, printed=printed)
    return with_row(table, address.row, cells={**row.cells, address.column: cell})
