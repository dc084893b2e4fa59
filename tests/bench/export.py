"""Heads as exported programs and as ONNX on photographs: `python -m tests.bench.export --images FOLDER`.

Needs the optional extra `[export]` for ONNX. The networks are ResNet-18 with thin heads, untrained.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.export import Dim

from repro.nn import ResNet, Segmenter
from tests.nn.heads.variants import CLASSES, make, variants

Run = Callable[[Tensor], Tensor]
DYNAMIC = {"image": {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC}}


class Logits(nn.Module):
    """A segmenter of which a program gives the logits alone."""

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__()
        self.segmenter = segmenter

    def forward(self, image: Tensor) -> Tensor:
        """Maps `[B, 3, H, W]` to `[B, classes, H, W]`."""
        logits: Tensor = self.segmenter(image)["main"]
        return logits


def network(name: str) -> Logits:
    """A variant of a head on a ResNet-18 at output stride 8, as thin as the head."""
    torch.manual_seed(0)
    backbone = ResNet(18, output_stride=8)
    return Logits(Segmenter(backbone, make(name, backbone.channels))).eval()


def program(model: nn.Module, image: Tensor) -> Run:
    """Of `torch.export`, with gradients on, as somebody would who trains it further."""
    exported = torch.export.export(model, (image,), dynamic_shapes=DYNAMIC).module()
    return lambda other: exported(other)


def onnx(model: nn.Module, image: Tensor) -> Run:
    """Of ONNX, run by onnxruntime."""
    import onnxruntime

    axes = {"image": {0: "batch", 2: "height", 3: "width"}}
    exported = torch.onnx.export(
        model, (image,), input_names=["image"], dynamic_shapes=axes, dynamo=True, verbose=False
    )
    assert exported is not None
    session = onnxruntime.InferenceSession(exported.model_proto.SerializeToString())
    return lambda other: torch.from_numpy(session.run(None, {"image": other.numpy()})[0])


def photographs(folder: Path) -> list[Tensor]:
    """Three photographs at three sizes, `[1, 3, H, W]` between -2 and 2."""
    sizes = [(161, 129), (321, 241), (480, 360)]
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".png"))[: len(sizes)]
    if len(paths) < len(sizes):
        raise SystemExit(f"{folder} holds {len(paths)} photographs (.jpg or .png), and it takes {len(sizes)}")
    images = [Image.open(path).convert("RGB").resize(size) for path, size in zip(paths, sizes, strict=True)]
    return [torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 63.75 - 2 for image in images]


@torch.no_grad()
def row(name: str, kind: Callable[[nn.Module, Tensor], Run], images: list[Tensor]) -> str:
    """Seconds to make it; largest difference over the largest logit, and labels changed, over all images."""
    model, started = network(name), time.perf_counter()
    with torch.enable_grad():
        run = kind(model, torch.cat([images[0]] * 2))
    took, differences, changed, pixels = time.perf_counter() - started, [], 0, 0
    for image in images:
        expected, given = model(image), run(image)
        differences.append(((given - expected).abs().max() / expected.abs().max()).item())
        changed += int((given.argmax(1) != expected.argmax(1)).sum())
        pixels += expected[0, 0].numel()
    return f"| {name} | {kind.__name__} | {max(differences):.1e} | {changed} of {pixels} | {took:.0f} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="a folder with three photographs or more")
    parser.add_argument("--heads", nargs="+", default=list(variants()), help="names of heads and their choices")
    parser.add_argument("--kinds", nargs="+", choices=["program", "onnx"], default=["program", "onnx"])
    arguments = parser.parse_args()
    images = photographs(arguments.images)
    print(f"{CLASSES} classes; made at {tuple(images[0].shape[-2:])}, run at {[tuple(i.shape[-2:]) for i in images]}")
    print("| head | as | largest difference over largest logit | labels changed | seconds to make |")
    print("|---|---|---|---|---|")
    for name in arguments.heads:
        for kind in (program, onnx):
            if kind.__name__ in arguments.kinds:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    print(row(name, kind, images), flush=True)


if __name__ == "__main__":
    main()
