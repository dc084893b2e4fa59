"""What devices hold beyond the tensors that were counted, learned from the recorded runs on each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from repro.config.configuration import Configuration
from repro.errors import ReproError
from repro.experiments.memory import memory_of
from repro.store.outputs import Outputs

LEAST_BYTES = 2**30
"""Runs that keep less say more about libraries than about tensors."""

MOST_RUNS = 60
"""Recorded runs that are looked at, the newest ones."""


@dataclass(frozen=True)
class Sample:
    """A recorded training: on which hardware, the bytes counted of it, and those that its device held at most."""

    hardware: str
    counted_bytes: int
    held_bytes: int


@dataclass(frozen=True)
class Reserve:
    """How many times what is counted a device held, at most, in so many recorded runs."""

    factor: float
    runs: int


def reserves(samples: Iterable[Sample]) -> dict[str, Reserve]:
    """Hardware to its reserve; what is not there has no basis."""
    factors: dict[str, list[float]] = {}
    for sample in samples:
        if sample.counted_bytes >= LEAST_BYTES:
            factors.setdefault(sample.hardware, []).append(sample.held_bytes / sample.counted_bytes)
    return {hardware: Reserve(max(found), len(found)) for hardware, found in factors.items()}


def recorded_memory(outputs: Outputs) -> Iterator[Sample]:
    """The newest recorded trainings whose record says what their device held."""
    for folder in islice(outputs.measured_runs(), MOST_RUNS):
        try:
            configuration = Configuration.from_yaml(folder.read_config(), folder.config_path)
            training = folder.read_record(configuration.evaluation_id).provenance["training"]
            machine, held = training["hardware"], training["memory"]
            if "reserved_bytes" not in held:
                continue  # on a CPU everything else of the process is among it
            if training.get("layout", {}).get("recomputed"):
                configuration = configuration.with_leaf("runtime.recompute", "blocks")
            yield Sample(machine["gpu"], memory_of(configuration).training_bytes, held["reserved_bytes"])
        except (ReproError, OSError, ValueError, TypeError, LookupError):
            continue  # damaged, or of an older form: no basis, and no reason to stop
