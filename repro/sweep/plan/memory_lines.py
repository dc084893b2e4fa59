"""What a plan says about memory, and what it goes by."""

from collections.abc import Iterable, Iterator

from repro.experiments.memory import ROOM, memory_of
from repro.experiments.reserves import recorded_memory, reserves
from repro.store.outputs import Outputs
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.plan.devices import GIB, Device, smallest_here
from repro.sweep.plan.job import Job
from repro.sweep.plan.memory import Fitting, TooLarge, fitting
from repro.sweep.plan.words import headed

MESSAGES = 10


def memory_lines(jobs: Iterable[Job], slurm: SlurmSettings | None, outputs: Outputs) -> Iterator[str]:
    """Which of some jobs do not fit the GPU that they would be carried out on; nothing where none is known.

    Args:
        jobs: what is to be carried out.
        slurm: what SLURM is asked for, if it is the cluster; else the GPUs of this machine count.
        outputs: whose recorded runs say what such a GPU holds beyond the tensors.
    """
    jobs = [job for job in jobs if job.configuration.leaves["runtime.device"] != "cpu"]
    device = (smallest_here() if slurm is None else _asked_for(slurm)) if jobs else None
    if device is not None:
        learned = reserves(recorded_memory(outputs))
        yield from fitting_lines(fitting(jobs, device, learned.get(device.name), memory_of))


def _asked_for(slurm: SlurmSettings) -> Device | None:
    gib = slurm.gpu_memory_gib if slurm.gpus_per_node else None
    return None if gib is None else Device("", round(gib * GIB))


def fitting_lines(found: Fitting) -> Iterator[str]:
    """What is taken, and what does not fit."""
    device, reserve = found.device, found.reserve
    place = f"{_gib(device.memory_bytes)} of {device.name or 'a GPU'}"
    if found.largest is not None:
        title, needed = found.largest
        yield from headed("memory", f"at most {_gib(needed)} of the {place}: {title}")
    if reserve is not None:
        runs = f"{reserve.runs} recorded run{'s' if reserve.runs > 1 else ''}"
        yield from headed("", f"the tensors counted, times the {reserve.factor:.2f} that {runs} took there at most")
    elif found.largest is not None:
        beside = f"{1 - ROOM:.0%} of the device are taken to be needed beside the tensors counted"
        yield from headed("", f"{beside}: no run recorded there is a basis")
    for large in found.too_large[:MESSAGES]:
        yield from headed("", f"{large.title} does not fit: {_gib(large.needed_bytes)}; {_remedy(large, device)}")
    if len(found.too_large) > MESSAGES:
        yield from headed("", f"and {len(found.too_large) - MESSAGES} more do not fit")
    for title, reason in list(found.unknown.items())[:1]:
        more = f", and {len(found.unknown) - 1} more" if len(found.unknown) > 1 else ""
        yield from headed("", f"not known of {title}{more}: {reason}")


def _remedy(large: TooLarge, device: Device) -> str:
    told = [f"{' '.join(way.settings)} ({_gib(way.needed_bytes)})" for way in large.ways]
    if not large.ways:
        return "nothing is known that would make it fit"
    if large.ways[0].needed_bytes > device.memory_bytes:
        return f"no setting makes it fit, the least is {told[0]}"
    other = "" if large.ways[0].is_same_run else ", which is another run"
    return f"it fits with {' or '.join(told)}{other}"


def _gib(count: float) -> str:
    return f"{count / GIB:.1f} GiB"
