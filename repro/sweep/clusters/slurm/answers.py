"""What SLURM's commands print, read: `scontrol show config`, `... partition`, `... node`, and lists of sacctmgr.

Source of the forms: scontrol(1) and sacctmgr(1) of SLURM 22.05.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

NOTHING = ("", "(null)", "N/A", "NONE", "n/a")
WITHOUT_LIMIT = ("UNLIMITED", "INFINITE")
UNUSABLE = ("DOWN", "DRAIN", "FAIL", "MAINT", "NOT_RESPONDING", "REBOOT", "UNKNOWN", "*")

_PAIR = re.compile(r"(?:^|\s)([A-Za-z][\w:/]*)=(.*?)(?=\s+[A-Za-z][\w:/]*=|\s*$)")


@dataclass(frozen=True)
class Controller:
    """`scontrol show config`.

    Attributes:
        values: by name, such as MaxArraySize.
    """

    values: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """A setting; None where there is none."""
        value = self.values.get(name, "")
        return None if value in NOTHING else value

    def words(self, name: str) -> tuple[str, ...]:
        """A setting that is a list."""
        return tuple(word.strip() for word in (self.text(name) or "").split(",") if word.strip())

    def number(self, name: str) -> int | None:
        """The number that a setting begins with, such as the 30 of `30 sec`; None where there is none."""
        return leading_number(self.text(name))

    def option(self, name: str, key: str) -> int | None:
        """The number of an option inside a list, such as cred_expire=120."""
        found = (word.partition("=")[2] for word in self.words(name) if word.partition("=")[0] == key)
        return leading_number(next(found, None))

    @property
    def has_accounting(self) -> bool:
        """Whether sacct and limits of users can be there."""
        return (self.text("AccountingStorageType") or "").endswith("slurmdbd")


@dataclass(frozen=True)
class Record:
    """A partition or a node, of `scontrol --oneliner show`."""

    values: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A field; None where there is none."""
        value = self.values.get(name, "")
        return None if value in NOTHING else value

    def number(self, name: str) -> int | None:
        """The number that a field begins with; None: none, or without limit."""
        return leading_number(self.text(name))

    def allows(self, name: str, wanted: str) -> bool:
        """Whether a list such as AllowAccounts has a word."""
        listed = self.text(name)
        return listed is None or listed == "ALL" or wanted in listed.split(",")

    @property
    def limit_minutes(self) -> float | None:
        """MaxTime of a partition; None: without limit."""
        return minutes(self.text("MaxTime"))


class Partition(Record):
    """A partition."""

    @property
    def name(self) -> str:
        """As in sinfo."""
        return self.values["PartitionName"]

    @property
    def is_default(self) -> bool:
        """Whether jobs that name none go here."""
        return self.text("Default") == "YES"


class Node(Record):
    """A node."""

    @property
    def name(self) -> str:
        """As in sinfo."""
        return self.values["NodeName"]

    @property
    def partitions(self) -> tuple[str, ...]:
        """Those that it belongs to."""
        return tuple((self.text("Partitions") or "").split(","))

    @property
    def is_usable(self) -> bool:
        """Whether jobs start there, now or later; a star marks a node that does not answer, POWERED_DOWN one asleep."""
        state = (self.text("State") or "UNKNOWN").replace("POWERED_DOWN", "").replace("POWERING_DOWN", "")
        return not any(word in state for word in UNUSABLE)

    @property
    def gpus(self) -> dict[str, int]:
        """Kind to number, such as {a100: 4}; a kind without a name is called gpu."""
        found: dict[str, int] = {}
        for part in re.sub(r"\([^)]*\)", "", self.text("Gres") or "").split(","):
            kind, *rest = part.split(":")
            if kind == "gpu":
                number = int(rest[-1]) if rest and rest[-1].isdigit() else 1
                name = rest[0] if rest and not rest[0].isdigit() else "gpu"
                found[name] = found.get(name, 0) + number
        return found


@dataclass(frozen=True)
class AccountingLimits:
    """A line of sacctmgr's associations or qualities of service; None: not limited.

    Attributes:
        name: account, or quality of service.
        partition: that it holds for; None: all.
        most_running, most_queued: jobs of the user.
        most_minutes: of one job.
        preempts: the qualities of service that it preempts.
        preempt_mode, grace_seconds: how its own jobs are preempted.
        qos: those that may be asked for.
    """

    name: str
    partition: str | None = None
    most_running: int | None = None
    most_queued: int | None = None
    most_minutes: float | None = None
    preempts: tuple[str, ...] = ()
    preempt_mode: str | None = None
    grace_seconds: int = 0
    qos: tuple[str, ...] = ()


ASSOCIATION_FIELDS = ("account", "partition", "maxjobs", "maxsubmit", "maxwall", "qos")
QOS_FIELDS = ("name", "preempt", "preemptmode", "gracetime", "maxwall", "maxjobspu", "maxsubmitpu")


def read_controller(text: str) -> Controller:
    """Reads `scontrol show config`; what it appends on the state of cgroups and controllers is left out."""
    pairs = (line.partition("=") for line in text.splitlines())
    return Controller({key.strip(): value.strip() for key, equals, value in pairs if equals})


def read_partitions(text: str) -> list[Partition]:
    """Reads `scontrol --oneliner show partition`."""
    return [Partition(values) for values in _records(text) if "PartitionName" in values]


def read_nodes(text: str) -> list[Node]:
    """Reads `scontrol --oneliner show node`."""
    return [Node(values) for values in _records(text) if "NodeName" in values]


def read_associations(text: str) -> list[AccountingLimits]:
    """Reads `sacctmgr --noheader --parsable2 show associations format=...` in the order of `ASSOCIATION_FIELDS`."""
    return [
        AccountingLimits(account, partition or None, leading_number(running), leading_number(queued), minutes(wall),
               qos=tuple(filter(None, qos.split(","))))
        for account, partition, running, queued, wall, qos in _rows(text, ASSOCIATION_FIELDS)
    ]  # fmt: skip


def read_qos(text: str) -> list[AccountingLimits]:
    """Reads `sacctmgr --noheader --parsable2 show qos format=...` in the order of `QOS_FIELDS`."""
    return [
        AccountingLimits(name, None, leading_number(running), leading_number(queued), minutes(wall),
               tuple(filter(None, preempts.split(","))), mode or None, round(60 * (minutes(grace) or 0)))
        for name, preempts, mode, grace, wall, running, queued in _rows(text, QOS_FIELDS)
    ]  # fmt: skip


def minutes(text: str | None) -> float | None:
    """A time of SLURM's, [days-]hours:minutes:seconds, in minutes; None: none, or without limit."""
    if text is None or text in NOTHING or text in WITHOUT_LIMIT or text == "Partition_Limit":
        return None
    days, dash, clock = text.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    if dash:  # days-hours[:minutes[:seconds]]
        hours, mins, seconds = (*parts, 0, 0)[:3]
    else:  # minutes, minutes:seconds, or hours:minutes:seconds
        hours, mins, seconds = parts if len(parts) == 3 else (0, *parts, 0)[:3]
    return 1440 * int(days or 0) + 60 * hours + mins + seconds / 60


def leading_number(text: str | None) -> int | None:
    """The whole number that a text begins with; None where it begins with none."""
    found = re.match(r"\d+", text or "")
    return int(found[0]) if found else None


def _records(text: str) -> Iterator[dict[str, str]]:
    for line in text.splitlines():
        yield {key: value.strip() for key, value in _PAIR.findall(line)}


def _rows(text: str, fields: Sequence[str]) -> Iterator[list[str]]:
    rows = (line.split("|") for line in text.splitlines())
    return (row for row in rows if len(row) == len(fields))
