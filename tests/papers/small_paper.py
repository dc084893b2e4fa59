"""A paper of two tables that is written into a folder, whole or with one mistake, and read without our own papers."""

from pathlib import Path
from unittest.mock import patch

from repro.papers import Claim, Library, load_papers, sweeps_folder
from repro.papers.library import SCALES

PAPER = """\
title: A small study
authors: A. Author
year: 2020
venue: nowhere
not_built:
  head=unbuilt: a head that nobody wrote
  metric=latency_ms: time of one pass
"""

ABLATION = """\
# python -m repro.sweep table=small/table1
title: One head beside another
place: section 1, Table 1
kind: ablation
evaluated_on: shapes val
label_column: Head
varies: [head]
run: [backbone=resnet18, dataset=shapes, schedule=shapes_200]
evaluation: [evaluation=whole]
columns:
  Width: {metric: setting}
  Deep: {metric: setting, marks: true}
  mIoU: {metric: miou, unit: "%", decimals: 1}
  gain: {metric: delta(plain), unit: "%", decimals: 1}
rows:
  - label: plain
    cells: {Width: 16, mIoU: 50.0, gain: null}
    run: [head=fcn]
  - label: better
    marks: [Deep]
    marks_from: section 1
    cells: {Width: 16, mIoU: 55.5, gain: {value: 5.5, printed: "5.5 ↑"}}
    run: [head=aspp]
  - label: theirs [1]
    kind: cited
    reason: Somebody 2019
    cells: {Width: 32, mIoU: 54.0}
  - label: best
    cells: {Width: 16, mIoU: 60.0, gain: {value: 4.0, printed: "4.0 ↓"}}
    run: [head=unbuilt]
claims:
  - {claim: ["best", ">", "better", ">", "plain"], place: section 1}
"""

CLAIM = """{claim: ["best", ">", "better", ">", "plain"], place: section 1}"""
"""The one claim of the table above."""
CLAIM_LINE = ABLATION.count("\n")
"""Where it stands."""


def write_paper(folder: Path, *, ablation: str = ABLATION, paper: str = PAPER, **others: str) -> Path:
    """Writes the paper `small` below a sweeps folder, which is returned."""
    small = folder / "small"
    small.mkdir(parents=True, exist_ok=True)
    for name, text in {"table1": ablation, "paper": paper, **others}.items():
        (small / f"{name}.yaml").write_text(text)
    return folder


def small_library(folder: Path, **texts: str) -> Library:
    """The library of the small paper and our scales, as if the package came with no other papers."""
    write_paper(folder, **texts)
    scales = folder / SCALES
    if not scales.exists():
        scales.symlink_to(sweeps_folder() / SCALES)
    with patch("repro.papers.library.sweeps_folder", lambda: folder):
        return load_papers()


def library_with_claim(folder: Path, claim: str, *changes: tuple[str, str]) -> Library:
    """The library of the small paper with another claim, and with other changes to its table."""
    text = ABLATION.replace(CLAIM, claim)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return small_library(folder, ablation=text)


def claim_of(folder: Path, claim: str, *changes: tuple[str, str]) -> Claim:
    """A claim of the small paper's table as it is read."""
    library = library_with_claim(folder, claim, *changes)
    assert library.problems == []
    (found,) = library.tables["small/table1"].claims
    return found
