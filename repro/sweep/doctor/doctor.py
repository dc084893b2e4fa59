"""`action=doctor`: looks at a cluster as jobs of a sweep will meet it, and says what would bite."""

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from repro.config.composer import Composer
from repro.config.configuration import Configuration
from repro.config.groups import config_folder, groups_of
from repro.config.overrides import split
from repro.errors import ConfigError
from repro.provenance import available_cores
from repro.sweep.clusters.slurm.queue import QueueError
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.doctor import limits, places, preemption, probe_job
from repro.sweep.doctor.finding import Finding, Weight, blocks, fine, lines, mind
from repro.sweep.doctor.probe import Questions
from repro.sweep.doctor.site import Site, look_at_site
from repro.sweep.doctor.tracking import tracking
from repro.sweep.request import ClusterKind, Request


def examine(request: Request, configurations: Sequence[Configuration]) -> int:
    """Prints what was found; returns the exit code, 0 when nothing blocks.

    Args:
        request: what was asked for; with `submit` a probe job looks around on a node.
        configurations: of the tables chosen; none: the data sets that there are.
    """
    found: list[Finding] = []
    for finding in Doctor(request, configurations).findings():
        found.append(finding)
        for line in lines([finding]):
            print(line, flush=True)
    blocking, minded = (sum(item.weight is weight for item in found) for weight in (Weight.BLOCKS, Weight.MIND))
    print()
    if blocking:
        print(f"{blocking} of {len(found)} keep jobs from working, {minded} are to be borne in mind")
        return 1
    probing = request.cluster.kind is ClusterKind.SLURM and not request.submit
    hint = f"; next: {request.command('submit=true')} asks a node too" if probing else ""
    print(f"nothing blocks, {minded} of {len(found)} are to be borne in mind{hint}")
    return 0


class Doctor:
    """One examination."""

    def __init__(self, request: Request, configurations: Sequence[Configuration]) -> None:
        self.request, self.outputs = request, request.selection.outputs
        self.configurations = configurations
        words = [word for word in request.run if word.startswith("tracking")]
        self.tracking = Composer().compose(words).settings.tracking
        self.mounts = places.mounts_here()
        self.host = socket.gethostname()

    def findings(self) -> Iterator[Finding]:
        """All that was found, in order of what it is about."""
        settings, elsewhere = self.request.cluster.slurm, []
        site = None
        if settings is not None:
            try:
                site = look_at_site()
            except QueueError as error:
                yield blocks("SLURM", f"{error}; cluster=local does without")
        if site is not None and settings is not None:
            elsewhere = probe_job.other_hosts(
                [node.text("NodeHostName") or node.name for node in site.nodes], self.host
            )
            yield from self._of_slurm(site, settings)
        if self.request.cluster.kind is not ClusterKind.SLURM:
            yield self._this_host()
        yield from places.outputs(self.outputs.root, self.mounts, elsewhere)
        python = settings.python if settings is not None else None
        if python is None:
            yield from places.is_seen(
                "python", Path(sys.prefix), self.mounts, elsewhere, "cluster.python=... names one there"
            )
        else:
            yield fine("python", f"jobs run {python}; a probe job tries it (submit=true)")
        yield from places.data(self._roots(), self.mounts, elsewhere, needed=bool(self.configurations))
        yield from tracking(self.tracking, self.outputs, on_cluster=settings is not None)
        if site is not None and settings is not None and self.request.submit:
            yield from self._of_a_node(settings)

    def _of_slurm(self, site: Site, settings: SlurmSettings) -> Iterator[Finding]:
        version, name = site.controller.text("SLURM_VERSION"), site.controller.text("ClusterName")
        yield fine("SLURM", f"{version}, cluster {name}, answers in {site.answer_seconds:.2f} s")
        if "SLURM_JOB_ID" in os.environ:
            yield mind(
                "shell", f"this is inside job {os.environ['SLURM_JOB_ID']}; what it was given is not handed on to jobs"
            )
        yield from limits.accounting(site)
        yield from preemption.shell_limits(site)
        try:
            partition = site.partition(settings.partition)
        except ConfigError as error:
            yield blocks("partition", str(error))
            return
        yield from limits.access(site, settings, partition)
        yield from limits.nodes(site, settings, partition)
        yield from limits.time_limits(site, settings, partition)
        yield from limits.queue_limits(site, settings, partition)
        yield from preemption.preemption(site, settings, partition)
        yield from preemption.ending(site, settings)

    def _of_a_node(self, settings: SlurmSettings) -> Iterator[Finding]:
        uri = self.tracking.uri
        questions = Questions(
            tracking=uri if uri is not None and uri.startswith("http") else None,
            folders=[str(root.absolute()) for root in self._roots().values() if root.is_dir()],
        )
        try:
            asked = probe_job.ask_a_node(settings, self.outputs.root, questions)
        except QueueError as error:
            yield blocks("probe", str(error))
            return
        yield from probe_job.findings(asked, settings, self.host, questions)

    def _this_host(self) -> Finding:
        from repro.sweep.clusters.local import visible_gpus

        gpus, cores = visible_gpus(), available_cores()
        has = f"{cores} cores and {len(gpus)} GPUs" if gpus else f"{cores} cores and no GPU: networks train on the CPU"
        return fine("this host", f"{self.host} has {has}")

    def _roots(self) -> dict[str, Path]:
        """The folders of the data sets in question, by name."""
        given = [split(word)[1] for word in self.request.run if split(word)[0] == "dataset.root"]
        if given and not self.configurations:
            return {"given": Path(str(given[-1])).expanduser()}
        chosen = self.configurations or [Composer().compose([f"dataset={name}"]) for name in sorted(_data_sets())]
        found = {configuration.choices["dataset"]: configuration.leaves.get("dataset.root") for configuration in chosen}
        return {name: Path(str(root)).expanduser() for name, root in found.items() if root is not None}


def _data_sets() -> set[str]:
    return groups_of([config_folder()])["dataset"]
