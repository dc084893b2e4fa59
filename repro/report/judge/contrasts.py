"""Sums and differences of what runs have measured: one number for which there is one test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from repro.report.judge.statistics import Estimate, Interval, estimate, has_spread


@dataclass(frozen=True)
class Term:
    """A measured quantity and how often it counts.

    Attributes:
        count: 1, -1, or another factor.
        run: the training, whatever its seed.
        quantity: what was measured of it: evaluation and metric.
        by_seed: seed to value.
    """

    count: float
    run: str
    quantity: str
    by_seed: dict[int, float]


@dataclass(frozen=True)
class Contrast:
    """A sum of measured quantities, numbers of other authors and constants.

    Attributes:
        terms: what was measured; each quantity once, and none that cancels.
        constant: the numbers without a scatter of their own.
        cited: factors of published numbers, of which each is one run that we have not made.
        half: the most by which rounding can have changed the cited numbers.
    """

    terms: tuple[Term, ...] = ()
    constant: float = 0.0
    cited: tuple[float, ...] = ()
    half: float = 0.0

    def plus(self, other: "Contrast", times: float = 1.0) -> "Contrast":
        """This and so many times another one; what cancels is gone."""
        found: dict[str, Term] = {}
        for term in (*self.terms, *(replace(term, count=term.count * times) for term in other.terms)):
            known = found.get(term.quantity)
            found[term.quantity] = term if known is None else replace(term, count=known.count + term.count)
        return Contrast(
            tuple(term for term in found.values() if term.count),
            self.constant + times * other.constant,
            (*self.cited, *(times * factor for factor in other.cited)),
            self.half + abs(times) * other.half,
        )

    @property
    def shared(self) -> dict[int, float]:
        """Seed to value, over the seeds that all its terms have."""
        return {seed: value + self.constant for seed, value in _summed(self.terms).items()}

    def hindrance(self, fewest: int) -> str:
        """Why its seeds decide nothing; empty if they can."""
        kinds = self._kinds(fewest)
        seeds = min(map(len, kinds), default=0)
        if seeds < fewest:
            return f"{seeds} of the {fewest} seeds that a comparison needs"
        values = [[term.by_seed[seed] for seed in sorted(term.by_seed)] for term in self.terms]
        if not all(map(has_spread, (*kinds, *values))):
            return f"no spread over {seeds} seeds: what does not depend on its seed decides nothing"
        return ""

    def is_paired(self, fewest: int) -> bool:
        """Whether its terms share as many seeds as a comparison needs, or are of one training."""
        return len(_summed(self.terms)) >= fewest or len({term.run for term in self.terms}) < 2

    def mean(self, fewest: int) -> Estimate:
        """Its mean: paired by seed where enough seeds are shared, else by Welch from every training's own seeds."""
        return self._moved(estimate(self._kinds(fewest)))

    def against_one(self) -> Estimate:
        """Its mean against one number that has the scatter of one run, be it printed for the same or cited in it.

        Two trainings count apart here, since nobody knows whether the published runs shared a seed.
        """
        kinds = _by_run(self.terms)
        factors = sum(factor**2 for factor in self.cited) / len(kinds) if self.cited else 1.0
        return self._moved(estimate(kinds, [factors] * len(kinds)))

    def interval(self, fewest: int) -> Interval | None:
        """Its mean with the 95 % interval over seeds, as far as there are any."""
        kinds = self._kinds(fewest)
        seeds = min(map(len, kinds), default=0)
        if seeds < 2:
            means = [sum(kind) / len(kind) for kind in kinds] if seeds else []
            return Interval(1, sum(means) + self.constant, None, None, None) if means else None
        found = self._moved(estimate(kinds, [1.0] * len(kinds)))
        return replace(found, of_one=0 * found.of_one).interval(float(found.of_one) ** 0.5)

    def _kinds(self, fewest: int) -> list[list[float]]:
        """The values of what is independent of each other."""
        return [list(_summed(self.terms).values())] if self.is_paired(fewest) else _by_run(self.terms)

    def _moved(self, found: Estimate) -> Estimate:
        return replace(found, mean=found.mean + self.constant)


def _by_run(terms: Sequence[Term]) -> list[list[float]]:
    """Of each training, the sum of what was measured of it, over the seeds that have it all."""
    runs = dict.fromkeys(term.run for term in terms)
    return [list(_summed(term for term in terms if term.run == run).values()) for run in runs]


def _summed(terms: Iterable[Term]) -> dict[int, float]:
    terms = list(terms)
    seeds = set.intersection(*(set(term.by_seed) for term in terms)) if terms else set()
    return {seed: sum(term.count * term.by_seed[seed] for term in terms) for seed in sorted(seeds)}
