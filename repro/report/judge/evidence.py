"""The measured values of a printed cell: looked up by evaluation id, seed by seed, or computed from the network."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from repro.build import dataset_class
from repro.errors import ConfigError
from repro.experiments import Measurement, Measurements, static_value
from repro.papers import Address, Metric
from repro.report.judge.statistics import paired
from repro.store.runs_csv import Recorded

ONLY = 0
"""The seed that a value without seeds is filed under."""


@dataclass(frozen=True)
class Values:
    """What was measured of a cell.

    Attributes:
        by_seed: seed to value, in the unit of the column.
        evidence: ids of the evaluations behind the values, in the order of the seeds.
        hardware: what they were measured on.
        exact: the value does not depend on a seed.
    """

    by_seed: dict[int, float]
    evidence: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True)
class Absent:
    """Why a cell has no values: a verdict that says so, and the reason."""

    verdict: str
    reason: str = ""


class Evidence:
    """Finds the values of cells among the known evaluations.

    Args:
        measurements: how the cells are measured.
        lines: every known evaluation by its id.
    """

    def __init__(self, measurements: Measurements, lines: Mapping[str, Recorded]) -> None:
        self._measurements = measurements
        self._lines = lines
        self._seeds = sorted({line.seed for line in lines.values()})
        self.used: set[str] = set()

    def of(self, measurement: Measurement) -> Values | Absent:
        """The values of one cell at the scale."""
        metric = measurement.metric
        own = self._side(measurement, metric.of or metric)
        if measurement.reference is None or isinstance(own, Absent):
            return own
        reference = self.resolved(self._measurements[measurement.reference])
        other = self._side(reference, metric.of or metric)
        name = _named(measurement.reference, measurement.address)
        if isinstance(other, Absent):
            why = f": {other.reason}" if other.reason else ""
            return Absent(other.verdict, f"against {name}, which is {other.verdict}{why}")
        if other.evidence and other.evidence == own.evidence:
            return Absent("same as", name)
        differences = paired(own.by_seed, other.by_seed)
        if not differences:
            return Absent("not run", f"no seed has both this row and {name}")
        evidence, hardware = (*own.evidence, *other.evidence), (*own.hardware, *other.hardware)
        return Values(differences, evidence, tuple(dict.fromkeys(hardware)), own.exact)

    def resolved(self, measurement: Measurement) -> Measurement:
        """The measurement that stands for this one where both are the same at the scale."""
        while measurement.twin is not None:
            twin = self._measurements[measurement.twin]
            measurement = replace(twin, cell=replace(twin.cell, metric=measurement.metric), _ids={})
        return measurement

    def _side(self, measurement: Measurement, metric: Metric) -> Values | Absent:
        """Values of a measurement's own runs under a metric that is no difference."""
        if measurement.kind == "static":
            return _static(measurement, metric)
        if measurement.kind != "run":
            return Absent(measurement.kind, measurement.reason)
        assert measurement.config is not None
        if metric.class_name is not None and metric.class_name not in dataset_class(measurement.config).class_names:
            dataset = measurement.config["composition"]["choices"]["dataset"]
            return Absent("not at this scale", f"{dataset} has no class {metric.class_name}")
        found: dict[int, Recorded] = {}
        for seed in self._seeds:
            line = self._lines.get(measurement.evaluation_id(seed))
            if line is not None:
                found[seed] = line
        self.used |= {line.evaluation_id for line in found.values()}
        scores = {seed: score(line, metric) for seed, line in found.items()}
        by_seed = {seed: value for seed, value in scores.items() if value is not None}
        if found and not by_seed:
            return Absent("not run", "the score is not defined: no pixel of the evaluated images decides it")
        if not by_seed:
            return Absent("not run")
        lines = [found[seed] for seed in by_seed]
        hardware = dict.fromkeys(line.hardware for line in lines if line.hardware)
        return Values(by_seed, tuple(line.evaluation_id for line in lines), tuple(hardware))


def score(line: Recorded, metric: Metric) -> float | None:
    """One score of an evaluation, in percent; None where it is not defined."""
    if metric.name == "miou":
        return line.miou_percent
    if metric.name == "pixel_accuracy":
        return line.pixel_accuracy_percent
    if metric.name == "iou" and metric.class_name is not None:
        return line.per_class_iou_percent.get(metric.class_name)
    raise ValueError(f"no evaluation holds {metric}")


def _static(measurement: Measurement, metric: Metric) -> Values | Absent:
    if (measurement.metric.of or measurement.metric) != metric:
        return Absent("not built", f"its cell holds {measurement.metric}, not {metric}")
    try:
        return Values({ONLY: static_value(measurement)}, exact=True)
    except ConfigError as error:
        return Absent("not built", str(error))


def _named(address: Address, seen_from: Address) -> str:
    if address.table != seen_from.table:
        return str(address)
    return address.row if address.row != seen_from.row else f"{address.row} @ {address.column}"
