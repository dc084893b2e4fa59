"""Which printed cells are one measured quantity: what a headline counts once."""

from repro.experiments.measurement import Kind, Measurement

Identity = tuple[str, ...]
"""Equal for cells that the same run and evaluation, or the same network, give."""


def identity(measurement: Measurement) -> Identity | None:
    """What a cell measures, a difference being its own side's; None if nothing is to be measured.

    Args:
        measurement: of the cell that stands for it where several are the same at the scale.
    """
    metric = measurement.metric.base
    if measurement.kind is Kind.STATIC:
        return (str(metric), measurement.chain.own.key(*metric.kind.groups, "dataset"))
    if measurement.kind is Kind.RUN:
        return (str(metric), measurement.run_id(0), measurement.evaluation_id(0))
    return None
