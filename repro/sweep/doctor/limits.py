"""What a cluster lets a user have: partition, time, jobs in the queue, memory, cores, GPUs."""

from collections.abc import Iterator

from repro.sweep.clusters.slurm.answers import Partition
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.doctor.finding import Finding, blocks, fine, mind
from repro.sweep.doctor.site import Site


def accounting(site: Site) -> Iterator[Finding]:
    """Whether sacct is there, and what becomes of its absence."""
    remembered = site.controller.number("MinJobAge")
    if site.no_sacct is None:
        yield fine("sacct", "answers; how a run ended is read from its folder all the same")
        return
    yield mind("sacct", f"gives nothing ({site.no_sacct}): how a run ended is read from its folder, and SLURM itself "
               f"forgets an ended job after {remembered} s; action=status shows them all")  # fmt: skip


def access(site: Site, settings: SlurmSettings, partition: Partition) -> Iterator[Finding]:
    """Whether the partition takes jobs of this account and quality of service, and is up."""
    state = partition.text("State") or "UNKNOWN"
    if state != "UP":
        yield blocks("partition", f"{partition.name} is {state}: jobs would wait; cluster.partition=... names another")
    for name, wanted, setting in (
        ("AllowAccounts", settings.account, "account"),
        ("AllowQos", settings.qos, "qos"),
    ):
        if wanted is not None and not partition.allows(name, wanted):
            allowed = partition.text(name)
            yield blocks(
                setting, f"partition {partition.name} takes jobs of {allowed} only; cluster.{setting}={wanted}"
            )
    if site.associations is None:
        return
    accounts = sorted({item.name for item in site.associations})
    enforced = "associations" in site.controller.words("AccountingStorageEnforce")
    if enforced and not accounts:
        yield blocks("account", f"{site.user} has none, and jobs without one are refused; the site's support adds one")
    elif settings.account is not None and settings.account not in accounts:
        yield blocks("account", f"{site.user} has no account {settings.account}; there are {', '.join(accounts)}")
    elif len(accounts) > 1 and settings.account is None:
        yield fine("account", f"the default one is charged; cluster.account=... chooses among {', '.join(accounts)}")
    allowed_qos = sorted({name for item in site.associations for name in item.qos})
    if settings.qos is not None and "qos" in site.controller.words("AccountingStorageEnforce") \
            and settings.qos not in allowed_qos:  # fmt: skip
        yield blocks("qos", f"{site.user} may not ask for {settings.qos}; there are {', '.join(allowed_qos)}")


def time_limits(site: Site, settings: SlurmSettings, partition: Partition) -> Iterator[Finding]:
    """Whether the time asked for is allowed."""
    limits = [(f"partition {partition.name}", partition.limit_minutes)]
    limits += [(name, item.most_minutes) for name, item in site.limits(settings, partition)]
    bounded = [(most, name) for name, most in limits if most is not None]
    asked = settings.limit_minutes
    if not bounded:
        yield fine("time", f"a job may ask for any; {_span(asked)} are asked for (cluster.limit_hours)")
        return
    most, name = min(bounded)
    if asked > most:
        yield blocks("time", f"{name} allows {_span(most)}, and {_span(asked)} are asked for, so jobs would be "
                     f"refused or wait for ever; cluster.limit_hours={most / 60:.3g}: longer runs are requeued and go "
                     "on")  # fmt: skip
    else:
        yield fine("time", f"{name} allows {_span(most)}, and {_span(asked)} are asked for; longer runs are requeued")


def queue_limits(site: Site, settings: SlurmSettings, partition: Partition) -> Iterator[Finding]:
    """How many jobs may be in the queue."""
    array, jobs = site.controller.number("MaxArraySize"), site.controller.number("MaxJobCount")
    if array == 0:
        yield blocks("arrays", "are switched off here (MaxArraySize=0), and jobs of a sweep are handed in as arrays")
    tasks = site.controller.option("SchedulerParameters", "max_array_tasks")
    largest = min(array or 1, (tasks or array or 1) + (tasks != array))
    yield fine("arrays", f"have indices below {largest}, and the whole queue holds {jobs} jobs of all users; larger "
               "sweeps are handed in as several arrays")  # fmt: skip
    queued = [
        (item.most_queued, name) for name, item in site.limits(settings, partition) if item.most_queued is not None
    ]
    if queued:
        most, name = min(queued)
        yield mind("queue", f"{name} lets {site.user} have {most} jobs in the queue, and each task of an array "
                   "counts; of a larger sweep the rest is submitted by the same command, given again "
                   "later")  # fmt: skip
    running = [(item.most_running, name) for name, item in site.limits(settings, partition)
               if item.most_running is not None]  # fmt: skip
    if running:
        most, name = min(running)
        yield fine("queue", f"{name} lets {most} of them run at a time")


def nodes(site: Site, settings: SlurmSettings, partition: Partition) -> Iterator[Finding]:
    """Whether there are nodes, and whether they have what a job asks for."""
    all_nodes = site.nodes_of(partition)
    usable = [node for node in all_nodes if node.is_usable]
    out = [node for node in all_nodes if not node.is_usable]
    if not usable:
        states = ", ".join(f"{node.name} {node.text('State')}" for node in out[:5]) or "it has no node"
        yield blocks("nodes", f"none of partition {partition.name} can start a job ({states}); see sinfo -R")
        return
    if out:
        yield mind("nodes", f"{len(out)} of {len(all_nodes)} in partition {partition.name} start no jobs, such as "
                   f"{out[0].name} ({out[0].text('State')}: {out[0].text('Reason') or 'no reason given'})")  # fmt: skip
    else:
        yield fine("nodes", f"{len(usable)} in partition {partition.name}, and all can start jobs")
    if settings.nodes > min(len(all_nodes), partition.number("MaxNodes") or len(all_nodes)):
        yield blocks(
            "nodes", f"a job asks for {settings.nodes} and can have {len(all_nodes)} at most; cluster.nodes=..."
        )
    most_cpus = max(node.number("CPUTot") or 0 for node in usable)
    cpus = settings.processes_per_node * settings.cpus_per_process
    if cpus > most_cpus:
        yield blocks("cores", f"a job asks for {cpus} per node, and no node of partition {partition.name} has more "
                     f"than {most_cpus}; "
                     f"cluster.cpus_per_process={max(1, most_cpus // settings.processes_per_node)}")  # fmt: skip
    yield from _memory(site, settings, partition, max(node.number("RealMemory") or 0 for node in usable))
    yield from _gpus(settings, partition, [node.gpus for node in usable])


def _memory(site: Site, settings: SlurmSettings, partition: Partition, most_mib: int) -> Iterator[Finding]:
    counted = "MEMORY" in (site.controller.text("SelectTypeParameters") or "").upper()
    asked_mib = 1024 * (settings.memory_gib or 0)
    default = partition.text("DefMemPerNode") or partition.text("DefMemPerCPU")
    if asked_mib > most_mib:
        yield blocks("memory", f"a job asks for {settings.memory_gib:g} GiB, and no node of partition "
                     f"{partition.name} has more than {most_mib / 1024:.1f}; "
                     f"cluster.memory_gib={most_mib // 1024}")  # fmt: skip
    elif not counted:
        yield mind("memory", "is not counted by this SLURM: jobs on one node can take it from each other, up to the "
                   f"{most_mib / 1024:.1f} GiB that the largest node has")  # fmt: skip
    elif settings.memory_gib is None and default in (None, "UNLIMITED"):
        yield mind(
            "memory", "a job that asks for none gets all of a node, and keeps others off it; cluster.memory_gib=..."
        )
    else:
        said = f"{settings.memory_gib:g} GiB asked for" if settings.memory_gib else f"{default} MiB unless asked for"
        yield fine("memory", f"{said}; a job that takes more is ended as out of memory")


def _gpus(settings: SlurmSettings, partition: Partition, per_node: list[dict[str, int]]) -> Iterator[Finding]:
    most = max(sum(gpus.values()) for gpus in per_node)
    kinds = sorted({kind for gpus in per_node for kind in gpus})
    wanted = settings.gpus_per_node
    if wanted > most:
        has = f"at most {most} per node" if most else "no GPU"
        advice = f"cluster.gpus_per_node={most}" + ("" if most else " trains on the CPU")
        yield blocks("GPUs", f"a job asks for {wanted} per node, and partition {partition.name} has {has}; {advice}")
    elif most and not wanted:
        yield mind("GPUs", f"partition {partition.name} has up to {most} per node ({', '.join(kinds)}), and jobs "
                   "would leave them idle; cluster.gpus_per_node=1")  # fmt: skip
    elif most:
        yield fine("GPUs", f"{wanted} of up to {most} per node ({', '.join(kinds)}) are asked for")
    if len(kinds) > 1:
        yield mind("GPUs", f"there are {len(kinds)} kinds, and a job takes any: times and memory differ; choose one by "
                   f"cluster.extra=['--gres=gpu:{kinds[0]}:1'] or cluster.constraint=...")  # fmt: skip


def _span(span_minutes: float) -> str:
    hours = span_minutes / 60
    return f"{hours:.3g} h" if hours >= 1 else f"{span_minutes:.3g} min"
