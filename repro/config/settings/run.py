"""The settings of a whole run."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

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
    fold_batch_norm: bool = True

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


class Overlap(Enum):
    """Which images are among those trained on: the ones whose scores choose the weights, or the ones measured."""

    selecting = "selecting"
    measured = "measured"


@dataclass
class DatasetSettings:
    """Which splits are trained on and evaluated, which training images come more than once, which files count.

    The other leaves of a data set are arguments of its class.

    Attributes:
        allow_overlap: images that may be among those trained on; a run with others among them is refused.
        content: files and folders that count by their content where a split declares no hash; null: all of the root.
    """

    train_split: str
    evaluation_split: str
    duplicate: list[str] | None = None
    duplicate_times: int = 2
    content: list[str] | None = None
    allow_overlap: list[Overlap] = field(default_factory=list)


class Layout(StrEnum):
    """Whose names and orders the entries of a file of weights have."""

    ours = "ours"
    torchvision = "torchvision"
    mmsegmentation = "mmsegmentation"
    gald = "gald"
    gald_rgb = "gald_rgb"


@dataclass
class Init:
    """The weights that a run starts from: `run:<id>`, `file:<path>`, `torchvision:<name>`, or null for fresh ones.

    Attributes:
        source: the leaf `init.from`, whose name Python keeps for itself.
        drop: beginnings of the names of weights that are not taken over.
        layout: whose the entries of a file are; a run's are ours, and those that torchvision publishes its own.
    """

    source: str | None = None
    drop: list[str] = field(default_factory=list)
    layout: Layout = Layout.ours

    def __post_init__(self) -> None:
        kind = (self.source or "").partition(":")[0]
        fitting = {"file": tuple(Layout), "torchvision": (Layout.ours, Layout.torchvision)}.get(kind, (Layout.ours,))
        require(
            self.layout in fitting,
            f"init.layout is {self.layout}, which is for init.from=file:<path>; init.from is {self.source or 'null'}",
        )

    @property
    def replaces_backbone(self) -> bool:
        """Whether the weights to start from make those of the backbone superfluous."""
        return self.source is not None and is_replaced("backbone", self.drop)


def is_replaced(part: str, drop: Iterable[str]) -> bool:
    """Whether weights to start from, without those whose names begin as `drop` says, are all that a part has."""
    return not any(prefix.startswith(part) or part.startswith(prefix) for prefix in drop)


class Repeat(StrEnum):
    """What is done again although it is there: training and evaluation, or the evaluation of the same weights."""

    run = "run"
    evaluation = "evaluation"


class TrackingKind(StrEnum):
    """Who shows a run while it goes on."""

    mlflow = "mlflow"
    none = "none"


@dataclass
class TrackingSettings:
    """Where a run is shown: null stands for the database in the folder of the outputs."""

    kind: TrackingKind
    uri: str | None = None
    experiment: str = "repro"

    def __post_init__(self) -> None:
        require(bool(self.experiment.strip()), "tracking.experiment is empty; give it a name, such as repro")


@dataclass
class Settings:
    """Everything that a run reads from its configuration, but the arguments of its networks and of its data set."""

    name: str | None
    seed: int
    recipe: int
    outputs: Path
    precision: Precision
    determinism: Determinism
    align_corners: bool
    selection: Selection
    validation: Validation
    dataset: DatasetSettings
    init: Init
    schedule: Schedule
    evaluation: EvaluationSettings
    runtime: Runtime
    tracking: TrackingSettings
    force: Any = False

    @property
    def repeat(self) -> Repeat | None:
        """What is to be done again although it is there."""
        return Repeat.run if self.force is True else Repeat(self.force) if self.force else None

    @property
    def trains(self) -> bool:
        """Whether there is any training; without, the weights that `init` names are evaluated."""
        return Length.parse(self.schedule.length, "schedule.length", least=0).count > 0

    @property
    def evaluation_split(self) -> str:
        """The split that is measured."""
        return self.evaluation.split or self.dataset.evaluation_split

    @property
    def validation_split(self) -> str:
        """The split that is scored while training."""
        return self.validation.split or self.dataset.evaluation_split

    def __post_init__(self) -> None:
        require(
            self.force in (None, False, True, Repeat.evaluation.value),
            f"force is {self.force}; it must be true, evaluation, or false",
        )
        require(
            self.trains or self.init.source is not None,
            "schedule.length is 0 steps, but init names no weights to evaluate; write init=torchvision:<name>, "
            "init=run:<run id> or init=file:<path>, or give a length",
        )
        require(
            self.selection is Selection.last or self.validation.every is not None,
            'selection=best needs validation.every, such as validation.every="200 steps"',
        )
