"""One training step against torchvision's DeepLabv3: `python -m tests.bench.training_step [--rounds N]`.

All in float32 on the same batch: forward, cross-entropy, backward, SGD with momentum. Ours by default is channels_last
with the fused optimiser; "ours, plain" has neither, so that only the networks' code differs.
"""

import argparse
from collections.abc import Callable

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from repro.nn import ResNet, Segmenter, from_torchvision
from tests.bench.timing import interleaved
from tests.nn.heads.checks import head_from_yaml


def ours(num_classes: int) -> Segmenter:
    """The network of the preset `aspp_torchvision` at output stride 8."""
    backbone = ResNet(50, output_stride=8)
    return Segmenter(backbone, head_from_yaml("aspp_torchvision", backbone.channels, num_classes))


def step(model: nn.Module, key: str, image: Tensor, label: Tensor, *, fused: bool) -> Callable[[], float]:
    """A function that takes one optimiser step and returns the loss."""
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4, fused=fused or None)

    def run() -> float:
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(image)[key], label, ignore_index=255)
        torch.autograd.backward(loss)
        optimiser.step()
        return loss.item()

    return run


def main() -> None:
    """Prints medians of the three candidates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=256, help="height and width of the image in pixels")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--classes", type=int, default=21)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    theirs = torchvision.models.segmentation.deeplabv3_resnet50(
        weights=None, weights_backbone=None, num_classes=arguments.classes
    )
    plain, default = ours(arguments.classes), ours(arguments.classes)
    for model in (plain, default):
        model.load_state_dict(from_torchvision(theirs.state_dict()))
    default.to(memory_format=torch.channels_last)
    image = torch.randn(arguments.batch, 3, arguments.size, arguments.size)
    label = torch.randint(0, arguments.classes, (arguments.batch, arguments.size, arguments.size))
    last = image.to(memory_format=torch.channels_last)
    print(f"training step on {list(image.shape)}, float32, {torch.get_num_threads()} threads")
    interleaved(
        {
            "torchvision deeplabv3_resnet50": step(theirs, "out", image, label, fused=False),
            "ours, plain": step(plain, "main", image, label, fused=False),
            "ours, default (channels_last, fused SGD)": step(default, "main", last, label, fused=True),
        },
        arguments.rounds,
    )


if __name__ == "__main__":
    main()
