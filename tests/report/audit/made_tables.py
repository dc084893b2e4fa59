"""Tables made up for the audit: rows of numbers under metrics, all of one experiment unless a row says otherwise."""

from dataclasses import replace

from hypothesis import strategies as st

from repro.papers import Address, Cell, Column, Metric, Row, Table, TableKind
from tests.places import REPOSITORY

EXPERIMENT = ("backbone=resnet50", "head=aspp", "dataset=voc", "schedule=deeplabv3_30k", "evaluation=whole")
MIOU = Metric("miou")

percent = st.integers(100, 900).map(lambda tenths: tenths / 10)


def table_of(key: str, rows: dict[str, dict[str, tuple[float | None, Metric]]], **changes: object) -> Table:
    """A table whose columns print one decimal; rows are {label: {head: (value, metric)}}."""
    heads = {head: metric for cells in rows.values() for head, (_, metric) in cells.items()}
    made = {}
    for label, cells in rows.items():
        printed = {head: Cell(Address(key, label, head), *cells.get(head, (None, heads[head]))) for head in heads}
        made[label] = Row(label, cells=printed, run=(f'made.row="{label}"',))
    plain = Table(
        key=key, title="", place="Table 1", kind=TableKind.ABLATION, evaluated_on="Cityscapes val", label_column="",
        varies=(), columns={head: Column(head, str(metric), "%", 1) for head, metric in heads.items()}, rows=made,
        claims=(), stages={}, run=EXPERIMENT, evaluation=(), file=REPOSITORY / "nowhere.yaml",
    )  # fmt: skip
    return replace(plain, **changes)
