"""What a plan is made of: the cells wanted, what is on disk of their runs, and the trainings that they take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from repro.config.configuration import Configuration
from repro.experiments.measurement import Kind, Measurement
from repro.store.status import RunState
from repro.sweep.plan.standing import Standing


class JobState(StrEnum):
    """Where a job, or a cell that it serves, stands; in the order in which they are counted."""

    DONE = "done"
    RECORDED = "done (recorded)"
    NOT_NEEDED = "not needed"
    RUNNING = "running"
    QUEUED = "queued"
    UNKNOWN = "unknown"
    FAILED = "failed"
    BLOCKED = "blocked"
    STALE = "stale"
    TO_EVALUATE = "to evaluate"
    TO_DO = "to do"

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be done."""
        return self in (JobState.DONE, JobState.RECORDED, JobState.NOT_NEEDED)

    @property
    def is_open(self) -> bool:
        """Whether there is something to carry out now, once its upstream is there.

        What another host holds is among it: only who wants the folder watches whether its holder lives.
        """
        return self in (JobState.TO_DO, JobState.TO_EVALUATE, JobState.UNKNOWN, JobState.STALE)


class QueueState(StrEnum):
    """Where a job in a queue stands."""

    PENDING = "pending"
    RUNNING = "running"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Queued:
    """A job in a queue: its id there, where it stands, and why, in the queue's words."""

    job_id: str
    state: QueueState
    reason: str = ""


@dataclass(frozen=True)
class Wanted:
    """One printed cell that is wanted.

    Attributes:
        measurement: how it is measured.
        reading: `setting: name` of the ledger if it is an open reading of the paper.
        is_reference: it is not among the chosen cells, but one of them is a difference to it.
    """

    measurement: Measurement
    reading: str = ""
    is_reference: bool = False

    @property
    def needs_training(self) -> bool:
        """Whether the cell comes from a training."""
        return self.measurement.kind is Kind.RUN

    def __str__(self) -> str:
        return f"{self.measurement.address}" + (f" ({self.reading})" if self.reading else "")


@dataclass(frozen=True)
class Observed:
    """What is on disk of one run, and in the queue.

    Attributes:
        state: of status.json; None if there is none.
        message: of status.json.
        step: the newest one while it is held, else that of the newest checkpoint.
        held: a living process of this machine holds the folder.
        elsewhere: who holds it on another host, of whom one look cannot tell whether it lives.
        weights: the final weights are there.
        evaluations: ids of the wanted evaluations whose record is whole.
        digest: of the weights, as far as the status tells.
        start_digest: of another run's weights that it started from, likewise.
        queued: its job in the queue; None if there is none.
        standing: where its training stands while it runs; None before its first step.
        lost: why it has not ended though its job has left the queue.
    """

    state: RunState | None = None
    message: str = ""
    step: int | None = None
    held: bool = False
    elsewhere: str = ""
    weights: bool = False
    evaluations: frozenset[str] = frozenset()
    digest: str | None = None
    start_digest: str | None = None
    queued: Queued | None = None
    standing: Standing | None = None
    lost: str = ""

    @property
    def place(self) -> str:
        """What it is at and how far it is, as far as that is known."""
        step = f"step {self.step:,}" if self.step else ""
        return ", ".join(filter(None, [self.message, str(self.standing) if self.standing else step]))

    @property
    def has_failed(self) -> bool:
        """Whether the run failed, or a further evaluation of a finished one did, whose message it then keeps."""
        return self.state is RunState.FAILED or (self.state is RunState.FINISHED and bool(self.message))


@dataclass(frozen=True)
class Job:
    """One distinct training with its distinct evaluations.

    Attributes:
        run_id: of the training.
        configuration: of the training, complete.
        upstream: run whose weights it starts from.
        evaluations: evaluation id to complete configuration; empty for a training that only others start from.
        cells: what it serves, as words, without repetition.
        state: where it stands.
        reason: message of the failure, what blocks it, where it goes on from.
        missing: ids of the evaluations that are still to be made.
        recorded: ids of the evaluations that only the committed list of records has.
    """

    run_id: str
    configuration: Configuration
    upstream: str | None = None
    evaluations: Mapping[str, Configuration] = field(default_factory=dict)
    cells: tuple[str, ...] = ()
    state: JobState = JobState.TO_DO
    reason: str = ""
    missing: tuple[str, ...] = ()
    recorded: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """The first cell served, how many more there are, and the seed."""
        more = f" and {len(self.cells) - 1} more" if len(self.cells) > 1 else ""
        return f"{self.cells[0] if self.cells else self.run_id}{more}, seed {self.configuration.seed}"
