"""The time that SLURM leaves a job: how often it may come again after its time limit, and to write a checkpoint."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.errors import ConfigError
from repro.store.journal import newest_event
from repro.store.outputs import Outputs
from repro.sweep.clusters.slurm.answers import read_controller, read_partitions
from repro.sweep.clusters.slurm.queue import QueueError, asked
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.plan.words import duration, headed

if TYPE_CHECKING:  # loads torch
    from repro.sweep.plan.estimate import Estimate

WITHOUT_ESTIMATE = 30
"""Time-outs of a run of which it is not known how long it takes; one that gets nowhere is given up long before."""

START_SECONDS = 60.0
"""Of each start, for loading and for what is waited for, at most a tenth of the time limit."""

END_SECONDS = 6.0
"""After the checkpoint: what tracking may still take, and the requeue."""

LOOKED_AT = 20
"""Run folders whose checkpoints are looked at, the newest ones."""


@dataclass(frozen=True)
class Timeouts:
    """How often a job may come again after its time limit.

    Attributes:
        planned: for as long as the longest run is estimated to take; by `WITHOUT_ESTIMATE` where that is not known.
        margin: beyond those.
        longest_seconds: of a run, as estimated; None: not known.
        limit_minutes: of a job.
    """

    planned: int
    margin: int
    longest_seconds: float | None
    limit_minutes: int

    @property
    def allowed(self) -> int:
        """The number that submitit is given."""
        return self.planned + self.margin

    @property
    def counts_from_seconds(self) -> float:
        """From when on in its time submitit takes every notice for a time-out, that of a preemption too."""
        return max(0.0, 60 * min(0.8 * self.limit_minutes, self.limit_minutes - 10))

    def lines(self) -> Iterator[str]:
        """The same for people."""
        limit = duration(60 * self.limit_minutes)
        of_work = (
            "as it is not known how long the longest takes"
            if self.longest_seconds is None
            else f"for the {duration(self.longest_seconds)} of the longest"
        )
        yield from headed("requeues", f"a run may come again {self.allowed} times after its limit of {limit}: "
                          f"{self.planned} {of_work}, and {self.margin} more")  # fmt: skip
        counted = self.counts_from_seconds
        when = f"that come after {duration(counted)}" if counted else "all of them"
        yield from headed("", f"preemptions count among these, {when}; who comes back twice to one step is given up")


def timeouts(longest_seconds: float | None, limit_minutes: int, notice_seconds: float, margin: int) -> Timeouts:
    """How often jobs may come again: for the time that the longest run takes, and a margin.

    Args:
        longest_seconds: of a run; None: not known.
        limit_minutes: of a job.
        notice_seconds: before the limit, at which the work ends.
        margin: further times.

    Raises:
        ConfigError: the notice would come when the job begins.
    """
    limit_seconds = 60.0 * limit_minutes
    usable = limit_seconds - notice_seconds - min(START_SECONDS, limit_seconds / 10)
    if usable <= 0:
        raise ConfigError(
            f"cluster.signal_seconds={notice_seconds:.0f} leaves nothing of a time limit of {limit_minutes} min: a job "
            "would be told to end before its first step; give a longer cluster.limit_hours or a later signal"
        )
    planned = WITHOUT_ESTIMATE if longest_seconds is None else math.ceil(longest_seconds / usable) - 1
    return Timeouts(max(0, planned), margin, longest_seconds, limit_minutes)


def timeouts_of(settings: SlurmSettings, longest_seconds: float | None) -> Timeouts:
    """As `timeouts`, for jobs of some settings."""
    return timeouts(longest_seconds, settings.limit_minutes, settings.signal_seconds, settings.timeouts_margin)


def lines(settings: SlurmSettings, outputs: Outputs, longest_seconds: float | None) -> Iterator[str]:
    """What a plan says about the time of its jobs, before they are submitted.

    Raises:
        ConfigError: as `timeouts`.
    """
    yield from timeouts_of(settings, longest_seconds).lines()
    try:
        config = asked("scontrol", "show", "config")
        partitions = asked("scontrol", "--oneliner", "show", "partition")
    except QueueError as error:
        yield from headed("notice", f"not known: {error}")
        return
    notice = read_notice(config, partitions, settings.partition, settings.signal_seconds)
    yield from notice_lines(notice, slowest_checkpoint(outputs))


def longest_seconds(estimate: "Estimate", *, on_gpu: bool) -> float | None:
    """How long the largest job of an estimate takes; None without a basis.

    An estimate is of the hardware here; where jobs run on GPUs and this is a login node without one, it tells nothing.
    """
    paces = [pace for kind, pace in estimate.paces.items() if pace is not None and not (on_gpu and " thread" in kind)]
    if estimate.seconds is None or len(paces) < len(estimate.paces):
        return None
    return max((pace.seconds(estimate.largest) for pace in paces), default=None)


@dataclass(frozen=True)
class Notice:
    """What SLURM leaves a job between its word and the kill, in seconds.

    Attributes:
        before_limit: the notice before the time limit.
        grace: of a preemption in the job's partition; None: there nobody is preempted.
        kill_wait: between SIGTERM and SIGKILL, which comes on top of both.
    """

    before_limit: float
    grace: float | None
    kill_wait: float

    def seconds(self) -> dict[str, float]:
        """What happens to a job, to the time that is left to it then."""
        left = {"before the time limit": self.before_limit + self.kill_wait}
        if self.grace is not None:
            left["at a preemption"] = self.grace + self.kill_wait
        return {**left, "at a requeue or scancel by hand": self.kill_wait}


def read_notice(config: str, partitions: str, partition: str | None, before_limit: float) -> Notice:
    """Reads `scontrol show config` and `scontrol --oneliner show partition`.

    Args:
        config: the first.
        partitions: the second.
        partition: that jobs are sent to; None: the default one.
        before_limit: seconds of the notice before the time limit.
    """
    controller, everywhere = read_controller(config), read_partitions(partitions)
    highest = max((item.number("PriorityTier") or 0 for item in everywhere), default=0)
    by_tier = controller.text("PreemptType") == "preempt/partition_prio"
    found = [item for item in everywhere
             if (item.is_default if partition is None else item.name in partition.split(","))
             and not (by_tier and (item.number("PriorityTier") or 0) >= highest)]  # fmt: skip
    modes = [(item.text("PreemptMode") or controller.text("PreemptMode") or "OFF").upper() for item in found]
    graces = [item.number("GraceTime") or 0 for item, mode in zip(found, modes, strict=True) if mode != "OFF"]
    preempts = (controller.text("PreemptType") or "preempt/none") != "preempt/none"
    return Notice(before_limit, min(graces) if preempts and graces else None, controller.number("KillWait") or 0)


def slowest_checkpoint(outputs: Outputs) -> float | None:
    """Seconds of the slowest of the newest checkpoints that runs here have written; None where none was timed."""
    journals = [folder.journal_path for folder in outputs.runs() if folder.journal_path.exists()]
    newest = sorted(journals, key=lambda path: path.stat().st_mtime, reverse=True)[:LOOKED_AT]
    found = [newest_event(path, "checkpoint") for path in newest]
    seconds = [event.fields.get("seconds") for event in found if event is not None]
    return max((value for value in seconds if isinstance(value, float)), default=None)


def notice_lines(notice: Notice, checkpoint_seconds: float | None) -> Iterator[str]:
    """What is left to a job for a checkpoint, what it takes, and a warning where that does not fit."""
    left = notice.seconds()
    told = ", ".join(f"{duration(seconds)} {when}" for when, seconds in left.items())
    if checkpoint_seconds is None:
        yield from headed("notice", f"SLURM leaves a job {told}; no checkpoint was timed here yet")
        return
    needed = checkpoint_seconds + END_SECONDS
    takes = f"a checkpoint takes up to {checkpoint_seconds:.1f} s here, and the end {END_SECONDS:.0f} s more"
    yield from headed("notice", f"SLURM leaves a job {told}; {takes}")
    short = [when for when, seconds in left.items() if seconds < needed]
    if short:
        where = " and ".join(short)
        yield from headed("", f"warning: that does not fit {where}: what was done since the checkpoint before is then "
                          "done again; a longer GraceTime or KillWait is the site's to give")  # fmt: skip
