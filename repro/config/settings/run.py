"""The settings of a whole run."""

from dataclasses import dataclass
from enum import Enum

from repro.config.settings.common import Length, require
from repro.config.settings.evaluation import EvaluationSettings
from repro.config.settings.schedule import Schedule


class Precision(Enum):
    """Number format of the forward and backward pass; weights and optimiser stay in fp32."""

    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


class Determinism(Enum):
    """`cudnn`: deterministic cuDNN kernels; `strict`: an error at any operation without a deterministic form."""

    off = "off"
    cudnn = "cudnn"
    strict = "strict"


class Selection(Enum):
    """Which weights are evaluated: those after the last step, or those with the best validation mIoU."""

    last = "last"
    best = "best"


@dataclass
class Runtime:
    """How a run is carried out; nothing of it changes what is measured."""

    device: str
    threads: int | None
    workers: int | None
    prefetch: int
    channels_last: bool
    compile: bool
    checkpoint_seconds: float
    log_every_steps: int
    progress: bool

    def __post_init__(self) -> None:
        require(self.threads is None or self.threads > 0, "runtime.threads must be at least 1, or null")
        require(self.workers is None or self.workers >= 0, "runtime.workers cannot be negative")
        require(self.prefetch > 0, "runtime.prefetch must be at least 1")
        require(self.log_every_steps > 0, "runtime.log_every_steps must be at least 1")
        require(self.checkpoint_seconds >= 0, "runtime.checkpoint_seconds cannot be negative")


@dataclass
class Validation:
    """How often the validation images are scored during training; null: never."""

    every: str | None = None
    split: str | None = None

    def __post_init__(self) -> None:
        if self.every is not None:
            Length.parse(self.every, "validation.every")


@dataclass
class Settings:
    """Everything of a run's configuration but the network, the data set and the tracking."""

    seed: int
    recipe: int
    precision: Precision
    determinism: Determinism
    selection: Selection
    validation: Validation
    schedule: Schedule
    evaluation: EvaluationSettings
    runtime: Runtime

    @property
    def trains(self) -> bool:
        """Whether there is any training; without, the weights that `init` names are evaluated."""
        return Length.parse(self.schedule.length, "schedule.length", least=0).count > 0

    def __post_init__(self) -> None:
        require(
            self.selection is Selection.last or self.validation.every is not None,
            'selection=best needs validation.every, such as validation.every="200 steps"',
        )
