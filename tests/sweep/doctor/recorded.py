"""What the commands of real clusters printed (SLURM 22.05.8), as tests read it."""

import re
from dataclasses import replace
from pathlib import Path

from repro.sweep.clusters.slurm.answers import (
    Controller,
    Node,
    Partition,
    read_associations,
    read_controller,
    read_nodes,
    read_partitions,
    read_qos,
)
from repro.sweep.doctor.finding import Finding, Weight
from repro.sweep.doctor.site import Site

FOLDER = Path(__file__).parent / "recorded"


def recorded(name: str) -> str:
    """The output of a command on a cluster, such as accounting_config."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def two_nodes() -> Site:
    """Two nodes with two GPUs each, no accounting; jobs in partition low are preempted with USR2 and 20 s of grace."""
    return _site("two_nodes", no_sacct="no accounting is set up")


def one_node() -> Site:
    """A node with a GPU and accounting; 50 jobs per user; qos high preempts normal."""
    site = _site("accounting")
    kept = read_associations(recorded("accounting_associations"))
    return replace(site, associations=tuple(kept), qos=tuple(read_qos(recorded("accounting_qos"))))


def _site(name: str, no_sacct: str | None = None) -> Site:
    return Site(
        user="root",
        controller=read_controller(recorded(f"{name}_config")),
        partitions=tuple(read_partitions(recorded(f"{name}_partitions"))),
        nodes=tuple(read_nodes(recorded(f"{name}_nodes"))),
        no_sacct=no_sacct,
    )


def changed(
    site: Site, *, partitions: dict[str, str] | None = None, nodes: dict[str, str] | None = None, **values: str
):
    """A site that differs in some settings of its controller, of all partitions, and of all nodes."""
    return replace(
        site,
        controller=Controller({**site.controller.values, **values}),
        partitions=tuple(Partition({**item.values, **(partitions or {})}) for item in site.partitions),
        nodes=tuple(Node({**item.values, **(nodes or {})}) for item in site.nodes),
    )


def told(findings) -> dict[str, str]:
    """Subject to weight and sentence, of the heaviest finding of each subject."""
    heaviest: dict[str, Finding] = {}
    order = list(Weight)
    for item in findings:
        if item.subject not in heaviest or order.index(item.weight) > order.index(heaviest[item.subject].weight):
            heaviest[item.subject] = item
    return {subject: f"{item.weight} {re.sub(r' +', ' ', item.sentence)}" for subject, item in heaviest.items()}
