"""A learner of a few parameters on random images, in place of a segmenter on a data set."""

from typing import Any

import torch
from torch import Tensor, nn

from repro.engine.asynchronous import StaleWeights
from repro.engine.checkpoint import TrainingState
from repro.engine.optim import build_optimiser
from repro.engine.step import Learner, gradient_scaler, set_training_mode
from tests.composed import composed

CLASSES, SIZE, BATCH = 4, 8, 4
STEPS = 6
CPU = torch.device("cpu")


class Small(nn.Module):
    """Logits at the size of the image, by two convolutions with batch normalisation between them."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
        self.classifier = nn.Conv2d(6, CLASSES, 1)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"main": self.classifier(self.features(image))}


def learner(*overrides: str, seed: int = 0, **changes: Any) -> Learner:
    """A learner with fresh weights, under settings of a run of so many steps and images in a batch."""
    settings = composed(
        f"schedule.length={STEPS} steps", f"schedule.batch_size={BATCH}", "runtime.progress=false",
        "runtime.log_every_steps=2", "runtime.checkpoint_seconds=1000", *overrides,
    ).settings  # fmt: skip
    torch.manual_seed(seed)
    model = Small()
    set_training_mode(model, settings.schedule.batch_norm)
    scaler = gradient_scaler(settings.precision, CPU)
    optimiser = build_optimiser(model.features, [model.classifier], settings.schedule, fused=False)
    replicas = settings.schedule.replicas
    stale = StaleWeights(model, replicas) if replicas > 1 else None
    state = TrainingState(model, optimiser, scaler, stale=stale)
    given: dict[str, Any] = {"auxiliary_weight": 0.0, "steps": STEPS, "device": CPU, "network": model, **changes}
    return Learner(state=state, settings=settings, **given)


def batch(step: int) -> tuple[Tensor, Tensor]:
    """The batch of a step: images uint8 [B, 3, H, W] and labels uint8 [B, H, W]."""
    generator = torch.Generator().manual_seed(step)
    image = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), generator=generator, dtype=torch.uint8)
    label = torch.randint(0, CLASSES, (BATCH, SIZE, SIZE), generator=generator, dtype=torch.uint8)
    label[:, 0] = 255
    return image, label
