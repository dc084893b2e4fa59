"""The settings of how a run is carried out."""

from dataclasses import dataclass
from enum import Enum

from repro.config.settings.common import require


class Recompute(Enum):
    """Whether what the parts of a network keep inside is computed again instead; `auto`: if it would not fit."""

    none = "none"
    blocks = "blocks"
    auto = "auto"


@dataclass
class Runtime:
    """How a run is carried out; nothing of it changes what is measured.

    Attributes:
        recompute: whether activations are computed again for the gradients, for less memory.
        micro_batch: images in one forward pass, where batch norm is frozen; null: as `schedule` says.
        fold_batch_norm: whether an evaluation in fp32 has batch norm in the convolutions before it.
    """

    device: str
    threads: int | None
    workers: int | None
    prefetch: int
    channels_last: bool
    compile: bool
    checkpoint_seconds: float
    log_every_steps: int
    progress: bool
    recompute: Recompute = Recompute.none
    micro_batch: int | None = None
    fold_batch_norm: bool = True

    def __post_init__(self) -> None:
        require(
            self.recompute is not Recompute.blocks or not self.compile,
            "runtime.recompute=blocks does not go with runtime.compile=true, which decides by itself what is computed "
            "again; leave one of them out",
        )
        require(self.micro_batch is None or self.micro_batch > 0, "runtime.micro_batch must be at least 1, or null")
        require(self.threads is None or self.threads > 0, "runtime.threads must be at least 1, or null")
        require(self.workers is None or self.workers >= 0, "runtime.workers cannot be negative")
        require(self.prefetch > 0, "runtime.prefetch must be at least 1")
        require(self.log_every_steps > 0, "runtime.log_every_steps must be at least 1")
        require(self.checkpoint_seconds >= 0, "runtime.checkpoint_seconds cannot be negative")
