"""What `tests.bench.gpu` measures, part by part."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from repro.data import Augmentation, Shapes, training_loader
from repro.engine.fold import fold_batch_norm
from repro.nn import ResNet, Segmenter
from repro.nn.context.attention import dot_product_attention
from repro.nn.context.cgnl import grouped_attention
from repro.nn.context.local_attention import local_attention
from repro.nn.context.pooling import average_pool
from repro.provenance import available_cores
from tests.nn.context import plain
from tests.nn.heads.checks import head_from_yaml

CLASSES = 21
HEADS = ("aspp_torchvision", "vortex", "gald", "dsnet", "psp", "aspp", "aspp_plus", "module_a", "cascade", "dcnv2",
         "dynamic_filter", "fcn")  # fmt: skip
Facts = dict[str, Any]
Measurements = Iterator[tuple[str, Callable[[], Facts]]]


@dataclass(frozen=True)
class Size:
    """How large everything is: depth of the ResNet, crop in pixels, images, rounds, side of a context's map."""

    depth: int
    crop: int
    batch: int
    rounds: int
    side: int


@dataclass(frozen=True)
class Machine:
    """A device, and how often something runs before it is measured."""

    device: torch.device
    warmup: int

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def timed(self, call: Callable[[], object], rounds: int) -> Facts:
        """Median and minimum of the milliseconds, and the peak of memory."""
        for _ in range(self.warmup):
            call()
        self.wait()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            call()
            self.wait()
            times.append(1000 * (time.perf_counter() - start))
        peak = torch.cuda.max_memory_allocated(self.device) / 2**20 if self.device.type == "cuda" else None
        return {"median_ms": median(times), "min_ms": min(times), "peak_mib": peak}

    def peak_flops(self, dtype: torch.dtype, side: int) -> float:
        """Operations per second of a product of two large square matrices."""
        one = torch.randn(side, side, device=self.device, dtype=dtype)
        seconds: float = self.timed(lambda: one @ one, 5)["min_ms"] / 1000
        return 2.0 * side**3 / seconds


@dataclass(frozen=True)
class Part:
    """One part and its share of the time."""

    name: str
    share: float
    measurements: Callable[[Machine, Size], Measurements]


def network(machine: Machine, size: Size, head: str) -> Segmenter:
    """A head on a ResNet at output stride 16, in channels_last."""
    torch.manual_seed(0)
    backbone = ResNet(size.depth, output_stride=16)
    model = Segmenter(backbone, head_from_yaml(head, backbone.channels, CLASSES))
    return model.to(machine.device).to(memory_format=torch.channels_last)


def batch(machine: Machine, size: Size, *, last: bool = True) -> tuple[Tensor, Tensor]:
    """Images and labels at random."""
    torch.manual_seed(0)
    image = torch.randn(size.batch, 3, size.crop, size.crop, device=machine.device)
    label = torch.randint(CLASSES, (size.batch, size.crop, size.crop), device=machine.device)
    return image.contiguous(memory_format=torch.channels_last) if last else image, label


def set_tf32(allowed: bool) -> None:
    """Whether products in float32 may have the digits of TF32."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = allowed


def step(model: nn.Module, image: Tensor, label: Tensor, key: str, half: bool, *, compiled: bool = False) -> Any:
    """One optimiser step of a network."""
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4, fused=True)
    called: Any = torch.compile(model) if compiled else model

    def run() -> Tensor:
        optimiser.zero_grad(set_to_none=True)
        number: AbstractContextManager[Any] = nullcontext()
        if half:
            number = torch.autocast(image.device.type, torch.bfloat16)
        with number:
            loss = F.cross_entropy(called(image)[key].float(), label)
        torch.autograd.backward(loss)
        optimiser.step()
        return loss.detach()

    return run


def trained(machine: Machine, size: Size, head: str, form: str) -> Facts:
    """A training step of a head, or of torchvision's network, in one form."""
    theirs, half, last = head == "torchvision", "bf16" in form, "contiguous" not in form
    set_tf32("TF32" in form)
    image, label = batch(machine, size, last=last)
    model: nn.Module
    if theirs:
        model = torchvision.models.segmentation.deeplabv3_resnet50(
            weights=None, weights_backbone=None, num_classes=CLASSES
        ).to(machine.device)
    else:
        model = network(machine, size, head).train()
    model.to(memory_format=torch.channels_last if last else torch.contiguous_format)
    run = step(model, image, label, "out" if theirs else "main", half, compiled="compile" in form)
    found = machine.timed(run, size.rounds)
    with FlopCounterMode(display=False) as counter:
        step(model, image, label, "out" if theirs else "main", half)()
    peak = machine.peak_flops(torch.bfloat16 if half else torch.float32, size.crop**2 // 32)
    seconds = found["median_ms"] / 1000
    share = counter.get_total_flops() / seconds / peak
    return found | {"images_per_second": size.batch / seconds, "share_of_matrix_peak": share}


def training(machine: Machine, size: Size) -> Measurements:
    """Every head in bf16 and TF32, the first one in all forms, beside torchvision's network."""
    for head in ("torchvision", *HEADS):
        for form in ("bf16", "fp32 TF32"):
            yield f"{head}, {form}", partial(trained, machine, size, head, form)
    for form in ("fp32", "bf16 contiguous", "bf16 compile"):
        yield f"{HEADS[0]}, {form}", partial(trained, machine, size, HEADS[0], form)


def evaluation(machine: Machine, size: Size) -> Measurements:
    """Images per second with batch norm folded and not, and how far the logits are apart."""

    def scored(tf32: bool) -> Facts:
        set_tf32(tf32)
        model, image = network(machine, size, HEADS[0]).eval(), batch(machine, size)[0][:1]
        folded = fold_batch_norm(model, 16, (size.crop, size.crop)).network
        with torch.inference_mode():
            one, other = model(image)["main"], folded(image)["main"]
            kinds = {"as it is": model, "folded": folded}
            times = {name: machine.timed(partial(kind, image), size.rounds) for name, kind in kinds.items()}
        apart = float((one - other).abs().max() / one.abs().max())
        rates = {name: 1000 / found["median_ms"] for name, found in times.items()}
        return {"images_per_second": rates, "apart_of_largest_logit": apart,
                "labels_changed": int((one.argmax(1) != other.argmax(1)).sum()), **times}  # fmt: skip

    yield "fp32", partial(scored, False)
    yield "fp32 TF32", partial(scored, True)


def context(machine: Machine, size: Size) -> Measurements:
    """The context modules' functions against their plain forms, forward and with gradients."""
    switches: Any = {"kernel_size": 5, "dilation": 6, "scale": 1.0, "masked_border": False}
    pairs: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
        "local attention": (partial(plain.local_attention, **switches), partial(local_attention, **switches)),
        "non-local attention": (plain.dot_product_attention, dot_product_attention),
        "cgnl": (partial(plain.cgnl_attention, groups=8), partial(grouped_attention, groups=8)),
        "average pool of 9": (
            lambda features, *_: F.avg_pool2d(features, 9, 1, 4, count_include_pad=False),
            lambda features, *_: average_pool(features, 9, count_include_pad=False),
        ),
    }

    def both(forms: tuple[Callable[..., Tensor], Callable[..., Tensor]]) -> Facts:
        inputs = [torch.randn(2, 64, size.side, size.side, device=machine.device) for _ in range(3)]
        inputs = [tensor.requires_grad_() for tensor in inputs]

        def run(form: Callable[..., Tensor]) -> None:
            torch.autograd.grad(form(*inputs).sum(), inputs, allow_unused=True)

        return {name: machine.timed(partial(run, form), size.rounds)
                for name, form in zip(("plain", "ours"), forms, strict=True)}  # fmt: skip

    for name, forms in pairs.items():
        yield name, partial(both, forms)


def loader(machine: Machine, size: Size) -> Measurements:
    """Images per second that the loader delivers, to be held against those of the training part."""

    def delivered() -> Facts:
        steps, workers = 2 + size.rounds, 0 if machine.device.type == "cpu" else min(8, available_cores())
        batches = training_loader(
            Shapes("train", size=size.crop, train_images=2 * size.batch, cue_distance=0),
            Augmentation(size.crop, (0.5, 2.0)), seed=0, batch_size=size.batch, total_steps=steps, workers=workers,
        )  # fmt: skip
        times = [time.perf_counter() for _ in batches]
        seconds = (times[-1] - times[0]) / (len(times) - 1)
        return {"images_per_second": size.batch / seconds, "workers": workers}

    yield "drawn images, augmented", delivered


def determinism(machine: Machine, size: Size) -> Measurements:
    """Whether two runs of three steps leave the same weights to the bit, at each tier."""

    def equal(head: str, tier: str) -> Facts:
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = tier != "off", tier == "off"
        torch.use_deterministic_algorithms(tier == "strict")
        try:
            ends = []
            for _ in range(2):
                model = network(machine, size, head).train()
                run = step(model, *batch(machine, size), "main", False)
                for _ in range(3):
                    run()
                ends.append([value.clone() for value in model.state_dict().values()])
            return {"bit_equal": all(torch.equal(one, other) for one, other in zip(*ends, strict=True))}
        finally:
            torch.use_deterministic_algorithms(False)

    for tier in ("off", "cudnn", "strict"):
        for head in HEADS[:4]:
            yield f"{head}, {tier}", partial(equal, head, tier)


PARTS = (
    Part("evaluation", 1, evaluation),
    Part("context", 1, context),
    Part("loader", 1, loader),
    Part("determinism", 2, determinism),
    Part("training", 6, training),
)
