"""How jobs are preempted, warned, ended and requeued here.

Source: slurm.conf(5) of SLURM 22.05 (PreemptMode, GraceTime, KillWait, RequeueExit, AuthInfo), and measurements of it.
"""

import resource
from collections.abc import Iterator, Mapping

from repro.sweep.clusters.slurm.answers import Partition
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.doctor.finding import Finding, fine, mind
from repro.sweep.doctor.site import Site

BRIEF_SECONDS = 30
"""A checkpoint of a large network onto a busy file system takes as long."""

_LIMITED = {"time of the processor": resource.RLIMIT_CPU, "address space": resource.RLIMIT_AS}


def preemption(site: Site, settings: SlurmSettings, partition: Partition) -> Iterator[Finding]:
    """Whether jobs there are preempted, what they are told, and what becomes of them."""
    kind = site.controller.text("PreemptType") or "preempt/none"
    if kind == "preempt/none":
        yield fine("preemption", "there is none here")
        return
    mode, grace_seconds, by = _mode(site, settings, partition)
    if mode in ("OFF", "DISABLED"):
        yield fine("preemption", f"jobs {by} are not preempted")
        return
    if "SUSPEND" in mode or "GANG" in mode:
        yield mind("preemption", f"jobs {by} are stopped and go on later (PreemptMode {mode}): a run shows no progress "
                   "meanwhile and reads silent, which is no reason to retry it")  # fmt: skip
        return
    what = "requeued" if mode == "REQUEUE" and settings.requeue else "cancelled"
    notice = "USR2" if "preempt_send_user_signal" in site.controller.words("SlurmctldParameters") else "TERM"
    kill_wait = site.controller.number("KillWait") or 0
    seconds = grace_seconds or kill_wait
    sentence = f"jobs {by} are {what}; they are told by {notice}, {seconds} s before they are killed"
    if what == "cancelled":
        sentence += ", and the same command of the sweep submits them again"
        sentence += "" if settings.requeue else "; cluster.requeue=true has them requeued"
    if seconds < BRIEF_SECONDS:
        sentence += "; a checkpoint that takes longer is lost, and the run goes back to the one before"
    yield (mind if what == "cancelled" or seconds < BRIEF_SECONDS else fine)("preemption", sentence)


def _mode(site: Site, settings: SlurmSettings, partition: Partition) -> tuple[str, int, str]:
    """How preempted jobs are treated, the seconds of grace, and which jobs in words."""
    of_all = (site.controller.text("PreemptMode") or "OFF").upper()
    if site.controller.text("PreemptType") == "preempt/qos":
        names = (settings.qos, partition.text("QoS"), "normal")
        quality = next((item for name in names for item in site.qos if item.name == name), None)
        if quality is not None:
            preempting = [item.name for item in site.qos if quality.name in item.preempts]
            if not preempting:
                return "OFF", 0, f"of qos {quality.name}"
            mode = (quality.preempt_mode or "cluster").upper()
            by = f"of qos {quality.name} (by {', '.join(preempting)})"
            return of_all if mode == "CLUSTER" else mode, quality.grace_seconds, by
    by = f"in partition {partition.name}"
    tiers = [other.number("PriorityTier") or 0 for other in site.partitions]
    if site.controller.text("PreemptType") == "preempt/partition_prio" \
            and (partition.number("PriorityTier") or 0) >= max(tiers):  # fmt: skip
        return "OFF", 0, f"{by}, which has the highest tier,"
    return (partition.text("PreemptMode") or of_all).upper(), partition.number("GraceTime") or 0, by


def ending(site: Site, settings: SlurmSettings) -> Iterator[Finding]:
    """The end at the time limit, and what comes after a requeue."""
    controller = site.controller
    kill_wait, wait = controller.number("KillWait"), controller.option("AuthInfo", "cred_expire") or 120
    warned = f"USR2 comes {settings.signal_seconds} s before the limit, TERM at it, the kill {kill_wait} s after that"
    yield fine("time limit", f"{warned}; a requeued job starts after {wait} s at the earliest")
    codes = controller.words("RequeueExit")
    if codes:
        yield mind("requeue", f"this site requeues by itself what ends with {', '.join(codes)} (RequeueExit), so a "
                   "run that failed may start over; it fails again at once, and action=cancel ends that")  # fmt: skip
    held = controller.words("RequeueExitHold")
    if held:
        yield mind(
            "requeue",
            f"what ends with {', '.join(held)} is requeued and held (RequeueExitHold); action=cancel removes it",
        )


def shell_limits(site: Site, limits: Mapping[str, int] | None = None) -> Iterator[Finding]:
    """Limits of the login shell that jobs inherit.

    Args:
        limits: what is limited to how much, -1 for without limit; None: as in this process.
    """
    if site.controller.values.get("PropagateResourceLimits") == "NONE":
        return
    found = limits if limits is not None else {name: resource.getrlimit(kind)[0] for name, kind in _LIMITED.items()}
    for name, value in found.items():
        if value != resource.RLIM_INFINITY:
            yield mind("shell", f"the {name} is limited in this shell (ulimit: {value}), and jobs inherit it "
                       "(PropagateResourceLimits); cluster.extra=['--propagate=NONE'] keeps it from them")  # fmt: skip
