"""Logits with batch norm folded into convolutions against the network as it is: `python -m tests.bench.fold`.

On photographs of CamVid where it is at hand, else on random images; statistics are those of other such images.
"""

import argparse

import torch
from torch import Tensor

from repro.data import CamVid, normalise
from repro.engine.fold import fold_batch_norm
from repro.errors import DataError
from repro.nn import ResNet, Segmenter
from tests.bench.timing import interleaved
from tests.nn.heads.checks import head_from_yaml


def images(root: str, number: int) -> list[Tensor]:
    """Images `[1, 3, H, W]`, normalised."""
    try:
        dataset = CamVid("test", root=root)
        found = [normalise(dataset[index][0][None]) for index in range(number)]
    except DataError:
        found = [torch.randn(1, 3, 360, 480) for _ in range(number)]
        print("CamVid is not at hand: random images")
    return found


def main() -> None:
    """Prints times of one image, and how far logits and labels are apart over all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--head", default="aspp_torchvision")
    parser.add_argument("--camvid", default="data/camvid", help="its folder")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    backbone = ResNet(arguments.depth, output_stride=16)
    model = Segmenter(backbone, head_from_yaml(arguments.head, backbone.channels, 11))
    model.to(memory_format=torch.channels_last)
    photographs = images(arguments.camvid, arguments.images + 1)
    largest, changed, pixels, beyond = 0.0, 0, 0, 0
    with torch.no_grad():
        for norm in model.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                norm.momentum = 1.0
        model.train()(torch.cat([photographs[0], photographs[0].flip(-1)]))
        folded = fold_batch_norm(model.eval(), 16, (photographs[0].shape[-2], photographs[0].shape[-1])).network
        for image in photographs[1:]:
            expected, given = model(image)["main"], folded(image)["main"]
            difference = (expected - given).abs().max()
            differ = expected.argmax(1) != given.argmax(1)
            best, second = expected.topk(2, 1).values.unbind(1)
            beyond += int(((best - second)[differ] > 2 * difference).sum())
            changed, pixels = changed + int(differ.sum()), pixels + differ.numel()
            largest = max(largest, float(difference / expected.abs().max()))
        print(f"apart by {largest:.1e} of the largest logit, {changed} of {pixels} labels changed, {beyond} of them by")
        print(f"more than rounding; {torch.get_num_threads()} threads, {list(photographs[0].shape)}")
        one = photographs[1].contiguous(memory_format=torch.channels_last)
        interleaved({"as it is": lambda: model(one), "folded": lambda: folded(one)}, arguments.rounds)


if __name__ == "__main__":
    main()
