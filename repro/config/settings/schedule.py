"""The settings of the optimisation."""

from dataclasses import dataclass, field
from enum import Enum

from repro.config.settings.common import Length, require


class Loss(Enum):
    """What the main logits learn from: every labelled pixel, or the hardest ones (online hard example mining)."""

    cross_entropy = "cross_entropy"
    ohem = "ohem"


class LossAverage(Enum):
    """Over what the loss is one mean: the batch, each group of images behind one batch-norm statistic, or each image.

    The means of several are averaged, in which one without a counted pixel is 0.
    """

    batch = "batch"
    group = "group"
    image = "image"


class DecayOn(Enum):
    """Which parameters weight decay acts on."""

    all = "all"
    conv_weights = "conv_weights"


class FrozenIn(Enum):
    """Where batch norm is frozen: in the whole network, or in the backbone as it was published alone."""

    network = "network"
    backbone = "backbone"


@dataclass
class BatchNorm:
    """Batch normalisation.

    Attributes:
        samples: images behind one statistic; null: the batch.
        backbone_momentum: of the running averages in the backbone as it was published.
        head_momentum: of all others: blocks added behind it, head and auxiliary head.
        frozen: whether the running averages stand still, and are what is normalised by.
        frozen_in: where, if they do.
    """

    samples: int | None = None
    backbone_momentum: float = 0.1
    head_momentum: float = 0.1
    frozen: bool = False
    frozen_in: FrozenIn = FrozenIn.network

    def __post_init__(self) -> None:
        require(self.samples is None or self.samples > 0, "schedule.batch_norm.samples must be at least 1, or null")
        for name in ("backbone_momentum", "head_momentum"):
            value = getattr(self, name)
            require(0 < value <= 1, f"schedule.batch_norm.{name} is {value}; it must lie in (0, 1]")


@dataclass
class AugmentationSettings:
    """Random scale, crop and flip of the training images.

    Attributes:
        antialias: whether an image that shrinks has its pixels averaged, or is read between the nearest ones only.
        label_from_corner: whether a resized label is read at the upper left corner of each new pixel, not its centre.
    """

    crop_size: int | None = None
    scale_range: list[float] = field(default_factory=lambda: [1.0, 1.0])
    scale_step: float | None = None
    flip: bool = True
    antialias: bool = True
    label_from_corner: bool = False


@dataclass
class HardPixels:
    """Which pixels `loss=ohem` keeps.

    Attributes:
        threshold: those whose true class has at most this probability; null: none by probability.
        kept_pixels: in any case so many hardest ones per image.
    """

    threshold: float | None = 0.7
    kept_pixels: int = 100_000

    def __post_init__(self) -> None:
        right = self.threshold is None or 0 < self.threshold < 1
        require(right, f"schedule.ohem.threshold is {self.threshold}; it must lie in (0, 1), or be null")
        require(self.kept_pixels > 0, f"schedule.ohem.kept_pixels is {self.kept_pixels}; it must be at least 1")


@dataclass
class Schedule:
    """The optimisation: its length, batch, learning rate, loss and regularisation.

    Attributes:
        upsample_logits: whether logits are brought to the size of the labels for the loss, or labels to that of logits.
        replicas: workers whose gradients are each as many steps old as there are others (asynchronous training).
    """

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
    loss: Loss = Loss.cross_entropy
    loss_average: LossAverage = LossAverage.batch
    ohem: HardPixels = field(default_factory=HardPixels)
    upsample_logits: bool = True
    replicas: int = 1

    def __post_init__(self) -> None:
        Length.parse(self.length, "schedule.length", least=0)
        require(self.replicas > 0, f"schedule.replicas is {self.replicas}; it must be at least 1")
        require(self.batch_size > 0, f"schedule.batch_size is {self.batch_size}; it must be at least 1")
        require(self.learning_rate > 0, f"schedule.learning_rate is {self.learning_rate}; it must be positive")
        require(self.weight_decay >= 0, f"schedule.weight_decay is {self.weight_decay}; it cannot be negative")
        require(0 <= self.momentum < 1, f"schedule.momentum is {self.momentum}; it must lie in [0, 1)")
        require(
            self.batch_size % self.micro_batch == 0,
            f"schedule.batch_norm.samples is {self.micro_batch}; it must divide schedule.batch_size, "
            f"which is {self.batch_size}, so that every statistic has as many images behind it",
        )

    def check_hard_pixels(self, pixels: int) -> None:
        """Refuses a mining that could leave out none of the pixels of an image that the loss sees."""
        smaller = "" if self.upsample_logits else ", schedule.upsample_logits=true"
        require(
            self.loss is not Loss.ohem or self.ohem.kept_pixels < pixels,
            f"schedule.ohem.kept_pixels is {self.ohem.kept_pixels}, but the loss sees {pixels} pixels of a training "
            f"image, so that none would be left out; give a smaller number, such as {max(round(0.14 * pixels), 1)}, "
            f"the share that GALD's public code keeps{smaller}, or schedule.loss=cross_entropy",
        )

    @property
    def micro_batch(self) -> int:
        """Images in one forward pass: as many as one batch-norm statistic has behind it."""
        return self.batch_norm.samples or self.batch_size

    @property
    def accumulation(self) -> int:
        """Forward passes whose gradients are averaged for one optimiser step."""
        return self.batch_size // self.micro_batch

    @property
    def averaged_images(self) -> int:
        """Images over whose counted pixels the loss is one mean."""
        sizes = {LossAverage.batch: self.batch_size, LossAverage.group: self.micro_batch, LossAverage.image: 1}
        return sizes[self.loss_average]
