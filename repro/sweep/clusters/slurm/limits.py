"""How many jobs SLURM takes now: by its configuration, and by the limits of the account and the quality of service."""

import getpass
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from repro.sweep.clusters.slurm.answers import read_controller
from repro.sweep.clusters.slurm.chunks import Limits
from repro.sweep.clusters.slurm.queue import Entry, QueueError, asked
from repro.sweep.clusters.slurm.settings import SlurmSettings

Ask = Callable[..., str]

NEAR = 0.1
"""The share of the jobs that the controller holds from which on it is asked how many it has."""

_ASSOCIATIONS = "partition,maxsubmit,grpsubmit,defaultqos,qos"
_QOS = "name,maxsubmitpu,maxsubmitpa,grpsubmit"


@dataclass(frozen=True)
class Bound:
    """A limit on jobs in the queue; an array counts as many as it has.

    Attributes:
        what: in words.
        most: jobs that may be there.
        there: jobs that are.
    """

    what: str
    most: int
    there: int

    @property
    def free(self) -> int:
        """Jobs that may come."""
        return max(0, self.most - self.there)

    @property
    def sentence(self) -> str:
        """The limit as the reason why something is left."""
        return f"{self.what} allows {self.most} in the queue, where {self.there} are"


def limits(settings: SlurmSettings, mine: Sequence[Entry], count: int, ask: Ask = asked) -> Limits:
    """The limits that hold for a submission.

    Args:
        settings: what SLURM is asked for.
        mine: the user's jobs in the queue.
        count: jobs to submit.
        ask: gives what a command of SLURM prints.

    Raises:
        QueueError: the controller does not answer. Without an answer of the accounting there are just fewer limits.
    """
    controller = read_controller(ask("scontrol", "show", "config"))
    sizes = [controller.number("MaxArraySize"), controller.option("SchedulerParameters", "max_array_tasks")]
    array = min((size for size in sizes if size is not None), default=Limits.array)
    of_controller = _of_controller(controller.number("MaxJobCount"), count, ask)
    bounds = [*of_controller, *_of_accounting(settings, mine, ask)]
    least = min(bounds, key=lambda bound: bound.free, default=None)
    return Limits(max(1, array), least.free if least else None, least.sentence if least else "")


def _of_controller(most: int | None, count: int, ask: Ask) -> Iterator[Bound]:
    if most is not None and count > NEAR * most:
        yield Bound("the controller's MaxJobCount", most - 1, _count(ask, "--states=all"))


def _of_accounting(settings: SlurmSettings, mine: Sequence[Entry], ask: Ask) -> Iterator[Bound]:
    """Limits of the account and of the quality of service; none where the accounting says nothing."""
    try:
        user = getpass.getuser()
        account = settings.account or _rows(ask, "user", user, "format=defaultaccount")[0][0]
        found = _rows(ask, "assoc", f"user={user}", f"account={account}", f"format={_ASSOCIATIONS}")
        qualities = {settings.qos or _default(row[3], row[4]) for row in found} - {""}
        asked_for = _rows(ask, "qos", f"name={','.join(sorted(qualities))}", f"format={_QOS}") if qualities else []
    except (QueueError, OSError, LookupError):  # many sites keep none, or show it to nobody
        return
    own = sum(entry.account == account for entry in mine)
    for partition, of_user, of_all, *_ in found:
        if partition in ("", settings.partition or ""):
            yield from _bound(f"MaxSubmitJobs of account {account}", of_user, lambda: own)
            yield from _bound(
                f"GrpSubmitJobs of account {account}", of_all, partial(_count, ask, f"--account={account}")
            )
    for name, of_user, of_account, of_all in asked_for:
        place = f"--qos={name}"
        own = sum(entry.quality == name for entry in mine)
        yield from _bound(f"MaxSubmitJobsPerUser of qos {name}", of_user, partial(int, own))
        counted = partial(_count, ask, place, f"--account={account}")
        yield from _bound(f"MaxSubmitJobsPerAccount of qos {name}", of_account, counted)
        yield from _bound(f"GrpSubmitJobs of qos {name}", of_all, partial(_count, ask, place))


def _default(named: str, allowed: str) -> str:
    """The quality of service that a job gets which asks for none; empty where that is not told."""
    return named or ("" if "," in allowed else allowed)


def _rows(ask: Ask, *words: str) -> list[list[str]]:
    text = ask("sacctmgr", "--noheader", "--parsable2", "show", *words)
    return [line.split("|") for line in text.splitlines() if line.strip()]


def _count(ask: Ask, *of_whom: str) -> int:
    """Jobs in the queue, whoever's."""
    return len(ask("squeue", "--all", "--noheader", "--array", "--format=%i", *of_whom).splitlines())


def _bound(what: str, most: str, count: Callable[[], int]) -> Iterator[Bound]:
    """A limit, if there is one; what is in the queue is counted only then."""
    if most.isdigit():
        yield Bound(what, int(most), count())
