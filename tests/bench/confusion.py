"""The confusion matrix of one Cityscapes-sized image, 1024x2048 with 19 classes, against torchmetrics as it comes.

python -m tests.bench.confusion [--rounds 11] [--threads 2]
"""

import argparse

import numpy as np
import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix
from torchmetrics.functional.classification import multiclass_confusion_matrix

from repro.metrics import ConfusionMatrix
from repro.store.matrices import entries_of
from tests.bench.timing import interleaved

HEIGHT, WIDTH, CLASSES, IGNORE = 1024, 2048, 19, 255


def scene(seed: int = 0) -> tuple[Tensor, Tensor]:
    """A prediction and a label, uint8: regions of 32x32, a tenth of the label void, a tenth of the prediction wrong."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(CLASSES, (HEIGHT // 32, WIDTH // 32), generator=generator, dtype=torch.uint8)
    truth = coarse.repeat_interleave(32, 0).repeat_interleave(32, 1)
    wrong = torch.rand(truth.shape, generator=generator) < 0.1
    noise = torch.randint(CLASSES, truth.shape, generator=generator, dtype=torch.uint8)
    void = torch.rand(truth.shape, generator=generator) < 0.1
    return torch.where(wrong, noise, truth), truth.masked_fill(void, IGNORE)


def compare(dtype: torch.dtype, rounds: int) -> None:
    """Checks that the matrices are equal and prints one table for inputs of one integer type."""
    prediction, label = (tensor.to(dtype) for tensor in scene())
    metric, ours = (
        MulticlassConfusionMatrix(CLASSES, ignore_index=IGNORE),
        ConfusionMatrix(CLASSES, ignore_index=IGNORE),
    )

    def function() -> Tensor:
        return multiclass_confusion_matrix(prediction, label, CLASSES, ignore_index=IGNORE)

    ours.update(prediction, label)
    assert np.array_equal(ours.numpy(), function().numpy()), "the two matrices differ"
    print(f"\n{WIDTH}x{HEIGHT}, {CLASSES} classes, {dtype}, {torch.get_num_threads()} threads; the matrices are equal")
    candidates = {
        "torchmetrics module, default checks": lambda: metric.update(prediction, label),
        "torchmetrics function, default checks": function,
        "repro ConfusionMatrix": lambda: ours.update(prediction, label),
        "the same, and the image's own matrix": lambda: entries_of(ours.update(prediction, label)),
    }
    interleaved(candidates, rounds)


def main() -> None:
    """Prints one table for 8-bit and one for 64-bit inputs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for dtype in (torch.uint8, torch.int64):
        compare(dtype, arguments.rounds)


if __name__ == "__main__":
    main()
