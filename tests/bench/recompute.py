"""A training step with and without recomputation: `python -m tests.bench.recompute [--rounds N]`.

ResNet-50 with ASPP at output stride 8, fp32: live tensors counted without computing, the same counted on real tensors,
what the process holds more at its peak in a fresh process, and the time of a step, interleaved.
"""

import argparse
from collections.abc import Callable

import torch

from repro.build import build_model
from repro.config.composer import Composer
from repro.config.configuration import Configuration
from repro.engine.checkpoint import TrainingState
from repro.engine.optim import build_optimiser
from repro.engine.recompute import recomputing
from repro.engine.step import Learner, gradient_scaler, set_training_mode, training_step
from repro.experiments.memory_count import counted
from tests.bench.memory import peak_mebibytes
from tests.bench.timing import interleaved

CPU = torch.device("cpu")
CLASSES = 21


def configuration(size: int, batch: int, recompute: str) -> Configuration:
    """A run on crops of a size."""
    return Composer().compose(
        ["dataset=voc", "backbone=resnet50", "backbone.output_stride=8", "head=aspp", "auxiliary=none",
         f"schedule.augmentation.crop_size={size}", f"schedule.batch_size={batch}", f"runtime.recompute={recompute}"]
    )  # fmt: skip


def prepare(size: int, batch: int, recompute: str) -> Callable[[], object]:
    """A function that takes one optimiser step; the first has been taken, so that momentum is there."""
    settings = configuration(size, batch, recompute).settings
    model, weight = build_model(configuration(size, batch, recompute), CLASSES, pretrained=False)
    model = model.to(memory_format=torch.channels_last)
    set_training_mode(model, settings.schedule.batch_norm)
    optimiser = build_optimiser(model.backbone, [model.head], settings.schedule)
    state = TrainingState(model, optimiser, gradient_scaler(settings.precision, CPU))
    learner = Learner(state, model, settings, weight, 10, CPU)
    image = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
    label = torch.randint(0, CLASSES, (batch, size, size), dtype=torch.uint8)

    def step() -> object:
        with recomputing(model, wanted=recompute == "blocks"):
            return training_step(learner, image, label)

    optimiser.zero_grad(set_to_none=True)
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return step


def main() -> None:
    """Prints what both take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=257, help="height and width of the crops in pixels")
    parser.add_argument("--batch", type=int, default=4)
    given = parser.parse_args()
    steps = {}
    for recompute in ("none", "blocks"):
        wanted = configuration(given.size, given.batch, recompute)
        fake, real = (counted(wanted, fake=which)[0] / 2**20 for which in (True, False))
        held = peak_mebibytes(prepare, given.size, given.batch, recompute)
        print(f"{recompute:6}: counted {fake:.1f} MiB, on real tensors {real:.1f} MiB; a step adds {held:.0f} MiB")
        steps[recompute] = prepare(given.size, given.batch, recompute)
    interleaved(steps, given.rounds)


if __name__ == "__main__":
    main()
