"""The measured values of a printed cell: looked up by evaluation id, seed by seed, or computed from the network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from repro.errors import ConfigError
from repro.experiments.deviations import Deviations, deviations
from repro.experiments.measurement import Kind, Measurement
from repro.experiments.measurements import Measurements
from repro.experiments.overlaps import told_and_deviating
from repro.experiments.values import has_class, network_value, recorded_value
from repro.papers import Address, Metric
from repro.report.judge.contrasts import Contrast, Term
from repro.report.judge.statistics import paired
from repro.report.judge.verdicts import Verdict
from repro.store.runs_csv import Recorded

ONLY = 0
"""The seed that a value without seeds is filed under."""


Lookup = Callable[[Address], Measurement]
"""How a cell is measured."""


@dataclass(frozen=True)
class Values:
    """What was measured of a cell.

    Attributes:
        by_seed: seed to value, in the unit of the column; of a difference for the seeds that both sides have.
        evidence: ids of the evaluations behind the values, in the order of the seeds.
        hardware: what they were measured on.
        exact: the value does not depend on a seed.
        warnings: about images that were trained on, or that chose the weights, and are measured.
        deviations: those of the warnings that the paper does not do itself.
        contrast: the values as the sum of what was measured of each training.
    """

    by_seed: dict[int, float]
    evidence: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()
    exact: bool = False
    warnings: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    contrast: Contrast = field(default_factory=Contrast)


@dataclass(frozen=True)
class Absent:
    """Why a cell has no values: a verdict that says so, and the reason."""

    verdict: Verdict
    reason: str = ""


class Evidence:
    """Finds the values of cells among the known evaluations.

    Args:
        measurements: how the cells are measured.
        evaluations: every known evaluation by its id.

    Attributes:
        used: ids of the evaluations that some cell rests on.
    """

    def __init__(self, measurements: Measurements, evaluations: Mapping[str, Recorded]) -> None:
        self._measurements = measurements
        self._evaluations = evaluations
        self._seeds = sorted({evaluation.seed for evaluation in evaluations.values()})
        self._weights: dict[str, set[str]] = {}
        self._starts: dict[str, set[str]] = {}
        for evaluation in evaluations.values():
            self._starts.setdefault(evaluation.run_id, set()).add(evaluation.start_digest)
            if evaluation.weights_digest:
                self._weights.setdefault(evaluation.run_id, set()).add(evaluation.weights_digest)
        self.used: set[str] = set()

    def of(self, measurement: Measurement, lookup: Lookup | None = None) -> Values | Absent:
        """The values of one cell at the scale; `lookup` says how others are measured if not as usual."""
        metric = measurement.metric
        own = self._side(measurement, metric.base)
        if measurement.reference is None:
            return own
        reference = self._reference(measurement.reference, lookup)
        name = _named(measurement.reference, measurement.address)
        if measurement.kind is Kind.RUN and not self.asked(measurement, lookup).terms:
            return Absent(Verdict.SAME_AS, name)
        if isinstance(own, Absent):
            return own
        other = self._side(reference, metric.base)
        if isinstance(other, Absent):
            why = f": {other.reason}" if other.reason else ""
            return Absent(other.verdict, f"against {name}, which is {other.verdict}{why}")
        return Values(
            paired(own.by_seed, other.by_seed),
            (*own.evidence, *other.evidence),
            _united(own.hardware, other.hardware),
            own.exact,
            _united(own.warnings, other.warnings),
            _united(own.deviations, other.deviations),
            own.contrast.plus(other.contrast, -1.0),
        )

    def asked(self, measurement: Measurement, lookup: Lookup | None = None) -> Contrast:
        """What runs of a cell would measure, without values: no term is left of a difference from itself."""
        own = _asked(measurement, measurement.metric.base)
        if measurement.reference is None:
            return own
        return own.plus(_asked(self._reference(measurement.reference, lookup), measurement.metric.base), -1.0)

    def deviations(self, measurement: Measurement, lookup: Lookup | None = None) -> Deviations:
        """What the run of a cell, or that which it is taken against, does otherwise than the paper states."""
        library = self._measurements.library
        own = deviations(library, measurement)
        if measurement.reference is None:
            return own
        reference = self._reference(measurement.reference, lookup)
        others = deviations(library, reference).stated if reference.kind.is_measured else ()
        name = _named(measurement.reference, measurement.address)
        return replace(own, stated=(*own.stated, *(f"{name}: {item}" for item in others if item not in own.stated)))

    def _reference(self, address: Address, lookup: Lookup | None) -> Measurement:
        return self.resolved((lookup or self._measurements.__getitem__)(address), lookup)

    def resolved(self, measurement: Measurement, lookup: Lookup | None = None) -> Measurement:
        """The measurement that stands for this one where both are the same at the scale."""
        while measurement.twin is not None:
            twin = (lookup or self._measurements.__getitem__)(measurement.twin)
            measurement = replace(twin, cell=replace(twin.cell, metric=measurement.metric))
        return measurement

    def _side(self, measurement: Measurement, metric: Metric) -> Values | Absent:
        """Values of a measurement's own runs under a metric that is no difference."""
        if measurement.kind is Kind.STATIC:
            return _static(measurement, metric)
        if measurement.kind is not Kind.RUN:
            return Absent(Verdict(measurement.kind), measurement.reason)
        configuration = measurement.chain.own
        if metric.class_name is not None and not has_class(configuration, metric.class_name):
            reason = f"{configuration.choices['dataset']} has no class {metric.class_name}"
            return Absent(Verdict.NOT_AT_THIS_SCALE, reason)
        found: dict[int, Recorded] = {}
        for seed in self._seeds:
            evaluation = self._evaluations.get(measurement.evaluation_id(seed))
            if evaluation is not None:
                found[seed] = evaluation
        self.used |= {evaluation.evaluation_id for evaluation in found.values()}
        values = {seed: recorded_value(evaluation, metric) for seed, evaluation in found.items()}
        by_seed = {seed: value for seed, value in values.items() if value is not None}
        if found and not by_seed:
            reason = "the score is not defined: no pixel of the evaluated images decides it"
            return Absent(Verdict.NOT_RUN, reason)
        if not by_seed:
            return Absent(Verdict.NOT_RUN)
        behind = [found[seed] for seed in by_seed]
        hardware = dict.fromkeys(evaluation.hardware for evaluation in behind if evaluation.hardware)
        evidence = tuple(evaluation.evaluation_id for evaluation in behind)
        warnings, deviating = told_and_deviating(measurement, behind)
        warnings += self._stale(measurement, {seed: found[seed] for seed in by_seed})
        (term,) = _asked(measurement, metric).terms
        contrast = Contrast((replace(term, by_seed=by_seed),))
        return Values(by_seed, evidence, tuple(hardware), False, warnings, deviating, contrast)

    def _stale(self, measurement: Measurement, found: Mapping[int, Recorded]) -> tuple[str, ...]:
        """Sentences about runs whose start has other weights by now than those that they, or it, took over."""
        told = []
        for seed, evaluation in found.items():
            starts = {evaluation.start_digest}
            _, *before = reversed(measurement.chain.configurations(seed))
            for stage in before:
                now = self._weights.get(stage.run_id, set())
                if now and not starts & {"", *now}:
                    told.append(
                        f"stale: run {stage.run_id}, which seed {seed} starts from, has been trained anew since"
                    )
                    break
                starts = self._starts.get(stage.run_id, {""})
        return tuple(told)


def _asked(measurement: Measurement, metric: Metric) -> Contrast:
    if measurement.kind is not Kind.RUN:
        return Contrast()
    return Contrast((Term(1.0, measurement.run_id(0), f"{measurement.evaluation_id(0)} {metric}", {}),))


def _united(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _static(measurement: Measurement, metric: Metric) -> Values | Absent:
    if measurement.metric.base != metric:
        return Absent(Verdict.NOT_BUILT, f"its cell holds {measurement.metric}, not {metric}")
    try:
        value = network_value(measurement.chain.own, metric)
        return Values({ONLY: value}, exact=True, contrast=Contrast(constant=value))
    except ConfigError as error:
        return Absent(Verdict.NOT_BUILT, str(error))


def _named(address: Address, seen_from: Address) -> str:
    if address.table != seen_from.table:
        return str(address)
    return address.row if address.row != seen_from.row else f"{address.row} @ {address.column}"
