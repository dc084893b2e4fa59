"""What a run keeps in memory at its peak: counted once for each network and batch, and remembered on disk.

Nothing here loads torch as long as everything asked for is remembered.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from repro import provenance
from repro.config.configuration import Configuration
from repro.config.content import cache_folder
from repro.config.settings import Recompute
from repro.errors import ConfigError, StoreError
from repro.store.files import atomic_write

FORM = 1
"""Raised when what is remembered means something else."""

ROOM = 0.85
"""Share of a device's memory that is counted on where no recorded run says more: the rest is for the device's own
library, for what operators need inside, and for what an allocator cannot fill."""

LEAVES = (
    "precision", "align_corners", "dataset._target_", "dataset.size", "validation.every",
    "schedule.batch_size", "schedule.augmentation.crop_size", "schedule.batch_norm.samples",
    "schedule.batch_norm.frozen", "schedule.batch_norm.frozen_in", "schedule.momentum", "schedule.loss",
    "schedule.loss_average", "schedule.ohem.kept_pixels", "schedule.ohem.threshold", "schedule.upsample_logits",
    "schedule.replicas", "runtime.recompute", "runtime.micro_batch",
    "evaluation.output_stride", "evaluation.scales", "evaluation.flip", "evaluation.average", "evaluation.pad_to",
    "evaluation.batch_size", "evaluation.window", "evaluation.window_stride", "evaluation.scaled_size",
    "evaluation.pad_first",
)  # fmt: skip
"""Leaves that the count depends on, besides the groups of the network."""

GROUPS = ("backbone", "head", "auxiliary")


@dataclass(frozen=True)
class Memory:
    """Bytes of all tensors at the peak of a run's parts, without what operators need inside and allocators reserve.

    Attributes:
        training_bytes: of a step, with the momentum of the optimiser.
        evaluation_bytes: of a batch of the evaluation, and of a validation if there are any.
    """

    training_bytes: int
    evaluation_bytes: int

    @property
    def peak_bytes(self) -> int:
        """The larger of the two."""
        return max(self.training_bytes, self.evaluation_bytes)


def memory_of(configuration: Configuration) -> Memory:
    """What a run keeps in memory; `runtime.recompute=auto` counts as `none`.

    Raises:
        ConfigError: it cannot be counted, and why.
    """
    if configuration.leaves.get("runtime.recompute") == Recompute.auto.value:
        configuration = configuration.with_leaf("runtime.recompute", Recompute.none.value)
    key = _key(configuration)
    found = _known.get(key) or _read(key)
    if found is None:
        from repro.experiments.memory_count import counted  # loads torch

        try:
            found = Memory(*counted(configuration))
        except ConfigError as error:
            found = str(error)
        _write(key, found)
    _known[key] = found
    if isinstance(found, str):
        raise ConfigError(found)
    return found


def _key(configuration: Configuration) -> str:
    leaves = configuration.leaves
    parts = [FORM, _code(), [leaves.get(leaf) for leaf in LEAVES], configuration.key(*GROUPS)]
    parts.append(configuration.science.get("code"))
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()[:32]


@cache
def _code() -> tuple[str, str]:
    return metadata.version("torch"), provenance.science_sha256(Path(provenance.__file__).parent)


_known: dict[str, Memory | str] = {}
"""Key to what was counted, or why it cannot be."""


def _read(key: str) -> Memory | str | None:
    try:
        found = json.loads(_path(key).read_text(encoding="utf-8"))
        return found if isinstance(found, str) else Memory(**found)
    except (OSError, ValueError, TypeError):
        return None  # never counted, or damaged: it is counted anew


def _write(key: str, found: Memory | str) -> None:
    try:
        path = _path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(found if isinstance(found, str) else asdict(found)))
    except (OSError, StoreError):
        return  # a cache that cannot be written costs a second of counting the next time


def _path(key: str) -> Path:
    return cache_folder() / "memory" / f"{key}.json"
