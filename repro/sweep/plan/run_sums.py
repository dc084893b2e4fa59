"""The two sides of a comparison as one sum of what runs measure, whatever their seeds."""

from collections.abc import Mapping
from dataclasses import dataclass

from repro.experiments.measurement import Kind, Measurement
from repro.experiments.measurements import Measurements
from repro.experiments.values import has_class, recorded_value
from repro.papers import Address, Gain, Metric, Part, Quantity, Source
from repro.store.runs_csv import Recorded


@dataclass(frozen=True)
class Term:
    """A metric of one evaluation, whatever its seed."""

    measurement: Measurement
    metric: Metric

    @property
    def key(self) -> tuple[str, str]:
        """What two terms that are one share."""
        return self.measurement.evaluation_id(0), str(self.metric)

    def values(self, known: Mapping[str, Recorded]) -> dict[int, float]:
        """Seed to value, of the seeds that are measured."""
        seeds = sorted({line.seed for line in known.values() if line.scale == self.measurement.scale})
        lines = {seed: known.get(self.measurement.evaluation_id(seed)) for seed in seeds}
        found = {seed: recorded_value(line, self.metric) for seed, line in lines.items() if line is not None}
        return {seed: value for seed, value in found.items() if value is not None}


class RunSum:
    """Left minus right of a comparison.

    Attributes:
        terms: key to term.
        counts: key to how often it counts; nothing that cancels.
        cited: how often each number of other authors counts.
        obstacle: why it cannot be judged at the scale; empty if it can.
    """

    def __init__(self, part: Part, measurements: Measurements) -> None:
        self._measurements = measurements
        self.terms: dict[tuple[str, str], Term] = {}
        self.counts: dict[tuple[str, str], float] = {}
        self.cited: list[float] = []
        self.obstacle = ""
        self.is_exact = False
        self._add(part.left, 1.0)
        self._add(part.right, -1.0)
        self.counts = {key: count for key, count in self.counts.items() if count}
        if not self.obstacle and not self.counts and not self.is_exact:
            self.obstacle = "both sides are cited" if self.cited else "both sides are one run at this scale"

    def by_run(self) -> dict[str, list[tuple[float, Term]]]:
        """The terms of each training with their counts."""
        found: dict[str, list[tuple[float, Term]]] = {}
        for key, count in self.counts.items():
            found.setdefault(self.terms[key].measurement.run_id(0), []).append((count, self.terms[key]))
        return found

    def _add(self, side: Quantity, times: float) -> None:
        if isinstance(side, Gain):
            self._add(side.first, times)
            self._add(side.second, -times)
        elif isinstance(side, Address):
            found = self._measurements[side]
            self._add_cell(found, found.metric.base, times)
            if found.metric.is_difference and found.reference is not None:
                self._add_cell(self._measurements[found.reference], found.metric.base, -times)

    def _add_cell(self, found: Measurement, metric: Metric, times: float) -> None:
        while found.twin is not None:
            found = self._measurements[found.twin]
        if found.kind is Kind.RUN and metric.class_name and not has_class(found.chain.own, metric.class_name):
            dataset = found.chain.own.choices["dataset"]
            self.obstacle = self.obstacle or f"{dataset} has no class {metric.class_name}"
        elif found.kind is Kind.RUN and metric.kind.source is Source.record:
            term = Term(found, metric)
            self.terms[term.key] = term
            self.counts[term.key] = self.counts.get(term.key, 0.0) + times
        elif found.kind is Kind.STATIC:
            self.is_exact = True
        elif found.kind is Kind.CITED and self._measurements.scale.is_paper:
            self.cited.append(times)
        else:
            self.obstacle = self.obstacle or f"{found.address.row} is {found.kind}"
