"""`seeds=auto`: how many seeds a table is to have, from the claims that the seeds that are there decide."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from repro.experiments.measurements import Measurements
from repro.papers import Claim
from repro.report.judge.claims import Claims
from repro.report.judge.evidence import Evidence
from repro.report.judge.looks import LOOKS, next_number
from repro.report.judge.verdicts import ClaimVerdict
from repro.report.request import standard_tolerance
from repro.store.outputs import Outputs
from repro.store.runs_csv import Recorded
from repro.sweep.plan.job import Wanted
from repro.sweep.plan.known import complete_number, known_evaluations
from repro.sweep.plan.plan import distinct_jobs
from repro.sweep.plan.questions import is_left_to_chance, sentence_of
from repro.sweep.plan.words import headed


@dataclass(frozen=True)
class Look:
    """What the last look has found.

    Attributes:
        complete: the seeds that it looked at; 0 before the first.
        undecided: the claims that it left open.
        number: how many seeds are to be there.
    """

    complete: int
    undecided: tuple[Claim, ...]
    number: int

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that are to be there."""
        return tuple(range(self.number))

    @property
    def _open(self) -> str:
        first = sentence_of(self.undecided[0])
        more = len(self.undecided) - 1
        return f"{first} is open" if not more else f"{first} and {more} more are open"

    def lines(self) -> Iterator[str]:
        """What was found, and what follows."""
        if not self.complete:
            yield from headed("look", f"the first is at {self.number} seeds of every row")
        elif not self.undecided:
            yield from headed("look", f"at {self.complete} seeds all claims are decided: no more are planned")
        elif self.number == self.complete:
            yield from headed("look", f"at {self.complete} seeds {self._open}, and no more are "
                              f"planned: {LOOKS[-1]} is the last look")  # fmt: skip
        else:
            yield from headed("look", f"at {self.complete} seeds {self._open}; the next look is at {self.number}")


def look(wanted: Sequence[Wanted], found: Measurements, outputs: Outputs, listed: Mapping[str, Recorded]) -> Look:
    """Looks at the claims of a table, at the largest of `LOOKS` that all rows have the seeds of.

    Args:
        wanted: its cells.
        found: how they are measured.
        outputs: where runs may lie.
        listed: the committed list of records.
    """
    known = known_evaluations(outputs, distinct_jobs(wanted, range(LOOKS[-1])), listed)
    complete = complete_number(wanted, known, LOOKS)
    counted = {key: line for key, line in known.items() if line.seed < complete}
    undecided = tuple(undecided_claims(found, counted)) if complete else ()
    return Look(complete, undecided, next_number(complete, all_decided=not undecided))


def undecided_claims(found: Measurements, known: Mapping[str, Recorded]) -> Iterator[Claim]:
    """The claims that more seeds may decide, by the verdicts of the report."""
    judge = Claims(found, Evidence(found, known), standard_tolerance())
    for table in found.tables:
        for result in judge.results(table):
            if result.verdict is ClaimVerdict.INCONCLUSIVE and is_left_to_chance(result.claim, found):
                yield result.claim
