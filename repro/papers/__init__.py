"""The papers as data: printed tables, ledgers of what is stated and what is open, scales."""

from repro.papers.ledger import BY_ROW, Entry, Ledger
from repro.papers.library import Library, Paper, load_papers, sweeps_folder
from repro.papers.located import SpecError
from repro.papers.metric import METRICS
from repro.papers.scale import PAPER_SCALE, Factor, Scale
from repro.papers.table import Address, Cell, Claim, Column, Metric, Row, Stage, Table

__all__ = [
    "BY_ROW", "METRICS", "PAPER_SCALE", "Address", "Cell", "Claim", "Column", "Entry", "Factor", "Ledger", "Library",
    "Metric", "Paper", "Row", "Scale", "SpecError", "Stage", "Table", "load_papers", "sweeps_folder",
]  # fmt: skip
