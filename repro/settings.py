"""The typed form of what a run reads from its configuration besides the network and the data set.

Units stand in the names or in the value (`"400 steps"`). Every class checks its own ranges.
"""

from dataclasses import dataclass, field
from enum import Enum

from repro.errors import ConfigError


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


class Average(Enum):
    """What is averaged over scales and mirrored images."""

    probabilities = "probabilities"
    logits = "logits"


class DecayOn(Enum):
    """Which parameters weight decay acts on."""

    all = "all"
    conv_weights = "conv_weights"


def require(condition: bool, sentence: str) -> None:
    """Raises `ConfigError` with the sentence unless the condition holds."""
    if not condition:
        raise ConfigError(sentence)


@dataclass(frozen=True)
class Length:
    """A duration with its unit."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str, where: str) -> "Length":
        """Reads `"30000 steps"` or `"80 epochs"`; `where` names the leaf in the error."""
        parts = str(text).replace("_", "").split()
        units = {"step": "steps", "steps": "steps", "epoch": "epochs", "epochs": "epochs"}
        if len(parts) != 2 or not parts[0].isdigit() or parts[1] not in units or int(parts[0]) < 1:
            raise ConfigError(f'{where} is {text!r}; it needs a count and a unit, such as "30000 steps" or "80 epochs"')
        return cls(int(parts[0]), units[parts[1]])

    def steps(self, steps_per_epoch: int) -> int:
        """The duration in steps."""
        return self.count if self.unit == "steps" else self.count * steps_per_epoch

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"


@dataclass
class BatchNorm:
    """Batch normalisation: images behind one statistic (null: the batch), running-average momentum, freezing."""

    samples: int | None = None
    momentum: float = 0.1
    frozen: bool = False

    def __post_init__(self) -> None:
        require(self.samples is None or self.samples > 0, "schedule.batch_norm.samples must be at least 1, or null")
        require(0 < self.momentum <= 1, f"schedule.batch_norm.momentum is {self.momentum}; it must lie in (0, 1]")


@dataclass
class AugmentationSettings:
    """Random scale, crop and flip of the training images."""

    crop_size: int | None = None
    scale_range: list[float] = field(default_factory=lambda: [1.0, 1.0])
    scale_step: float | None = None
    flip: bool = True


@dataclass
class Schedule:
    """The optimisation: its length, batch, learning rate and regularisation."""

    length: str
    batch_size: int
    learning_rate: float
    power: float
    momentum: float
    weight_decay: float
    weight_decay_on: DecayOn
    head_learning_rate_multiple: float
    batch_norm: BatchNorm
    augmentation: AugmentationSettings

    def __post_init__(self) -> None:
        Length.parse(self.length, "schedule.length")
        require(self.batch_size > 0, f"schedule.batch_size is {self.batch_size}; it must be at least 1")
        require(self.learning_rate > 0, f"schedule.learning_rate is {self.learning_rate}; it must be positive")
        require(self.weight_decay >= 0, f"schedule.weight_decay is {self.weight_decay}; it cannot be negative")
        require(0 <= self.momentum < 1, f"schedule.momentum is {self.momentum}; it must lie in [0, 1)")
        require(
            self.batch_size % self.micro_batch == 0,
            f"schedule.batch_norm.samples is {self.micro_batch}; it must divide schedule.batch_size, "
            f"which is {self.batch_size}, so that every statistic has as many images behind it",
        )

    @property
    def micro_batch(self) -> int:
        """Images in one forward pass: as many as one batch-norm statistic has behind it."""
        return self.batch_norm.samples or self.batch_size

    @property
    def accumulation(self) -> int:
        """Forward passes whose gradients are averaged for one optimiser step."""
        return self.batch_size // self.micro_batch


@dataclass
class EvaluationSettings:
    """How a run's weights are measured."""

    split: str | None
    output_stride: int | None
    scales: list[float]
    flip: bool
    average: Average
    pad_to: int | None
    batch_size: int
    masks: bool
    panels: int

    def __post_init__(self) -> None:
        require(bool(self.scales) and min(self.scales) > 0, "evaluation.scales needs at least one positive scale")
        require(self.batch_size > 0, f"evaluation.batch_size is {self.batch_size}; it must be at least 1")
        require(self.panels >= 0, f"evaluation.panels is {self.panels}; it cannot be negative")


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

    def __post_init__(self) -> None:
        require(
            self.selection is Selection.last or self.validation.every is not None,
            'selection=best needs validation.every, such as validation.every="200 steps"',
        )
