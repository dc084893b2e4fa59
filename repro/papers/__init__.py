"""The papers as data: printed tables, ledgers of what is stated and what is open, scales, metrics."""

from repro.papers.address import Address
from repro.papers.claim import Amount, Claim, Gain, Margin, Operator, Part, Quantity, Shape
from repro.papers.ledger import BY_ROW, SOME, Entry, Ledger, Standing
from repro.papers.library import Library, Paper, load_papers, sweeps_folder
from repro.papers.located import SpecError
from repro.papers.metrics import METRICS, MetricKind, Source
from repro.papers.scale import PAPER_SCALE, SMOKE_SCALE, Factor, Scale
from repro.papers.table import Cell, Column, Metric, Row, RowKind, Stage, Table, TableKind

__all__ = [
    "BY_ROW", "METRICS", "PAPER_SCALE", "SMOKE_SCALE", "SOME", "Address", "Amount", "Cell", "Claim", "Column",
    "Entry", "Factor", "Gain", "Ledger", "Library", "Margin", "Metric", "MetricKind", "Operator", "Paper", "Part",
    "Quantity", "Row", "RowKind", "Scale", "Shape", "Source", "SpecError", "Stage", "Standing", "Table", "TableKind",
    "load_papers", "sweeps_folder",
]  # fmt: skip
