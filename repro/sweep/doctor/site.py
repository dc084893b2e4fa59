"""All that SLURM tells of itself, and what of it meets the jobs of a sweep."""

import getpass
import time
from dataclasses import dataclass

from repro.errors import ConfigError, hint
from repro.sweep.clusters.slurm.answers import (
    ASSOCIATION_FIELDS,
    QOS_FIELDS,
    AccountingLimits,
    Controller,
    Node,
    Partition,
    read_associations,
    read_controller,
    read_nodes,
    read_partitions,
    read_qos,
)
from repro.sweep.clusters.slurm.queue import QueueError, asked
from repro.sweep.clusters.slurm.settings import SlurmSettings

ANSWER_SECONDS = 20.0


@dataclass(frozen=True)
class Site:
    """A SLURM as it was found.

    Attributes:
        user: whose jobs they would be.
        associations: the user's; None where nobody keeps any.
        no_sacct: why sacct does not answer; None: it does.
        answer_seconds: that the controller took.
    """

    user: str
    controller: Controller
    partitions: tuple[Partition, ...]
    nodes: tuple[Node, ...]
    associations: tuple[AccountingLimits, ...] | None = None
    qos: tuple[AccountingLimits, ...] = ()
    no_sacct: str | None = None
    answer_seconds: float = 0.0

    def partition(self, name: str | None) -> Partition:
        """The partition that jobs would go to.

        Raises:
            ConfigError: there is none of that name, or none is the default.
        """
        names = [partition.name for partition in self.partitions]
        if name is None:
            found = [partition for partition in self.partitions if partition.is_default]
            if not found:
                raise ConfigError("no partition takes jobs that name none; give cluster.partition=..., of which there "
                                  f"are {', '.join(names)}")  # fmt: skip
            return found[0]
        for partition in self.partitions:
            if partition.name == name:
                return partition
        raise ConfigError(f"there is no partition {name}{hint(name, names)}")

    def nodes_of(self, partition: Partition) -> list[Node]:
        """The nodes of a partition."""
        return [node for node in self.nodes if partition.name in node.partitions]

    def limits(self, settings: SlurmSettings, partition: Partition) -> list[tuple[str, AccountingLimits]]:
        """What limits the user there, with its name in a sentence."""
        found = [(f"account {item.name}", item) for item in self.associations or ()
                 if settings.account in (None, item.name) and item.partition in (None, partition.name)]  # fmt: skip
        named = {settings.qos, partition.text("QoS")}
        return found + [(f"qos {item.name}", item) for item in self.qos if item.name in named]


def look_at_site() -> Site:
    """Asks the controller, and the accounting where there is one.

    Raises:
        QueueError: there is no SLURM here, or it gives no answer.
    """
    began = time.monotonic()
    controller = read_controller(_asked("scontrol", "show", "config"))
    answer_seconds = time.monotonic() - began
    partitions = read_partitions(_asked("scontrol", "--oneliner", "show", "partition"))
    nodes = read_nodes(_asked("scontrol", "--oneliner", "show", "node"))
    user = getpass.getuser()
    associations, qos = None, []
    no_sacct = None if controller.has_accounting else "no accounting is set up"
    if controller.has_accounting:
        try:
            _asked("sacct", "--noheader", "--allocations", "--format=jobid")
            associations = read_associations(_listed("associations", ASSOCIATION_FIELDS, f"user={user}"))
            qos = read_qos(_listed("qos", QOS_FIELDS))
        except QueueError as error:
            no_sacct = str(error)
    kept = None if associations is None else tuple(associations)
    return Site(user, controller, tuple(partitions), tuple(nodes), kept, tuple(qos), no_sacct, answer_seconds)


def _asked(*command: str) -> str:
    return asked(*command, seconds=ANSWER_SECONDS)


def _listed(what: str, fields: tuple[str, ...], *chosen: str) -> str:
    return _asked("sacctmgr", "--noheader", "--parsable2", "show", what, *chosen, f"format={','.join(fields)}")
