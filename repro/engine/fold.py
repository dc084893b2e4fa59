"""A copy of a network for measuring, whose batch norm is part of the convolutions before it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from repro.config.settings import EvaluationSettings, Precision
from repro.data import SegmentationDataset
from repro.errors import ConfigError
from repro.nn.layers import AtrousConv2d
from repro.nn.shared_norm import SharedBatchNorm2d

CONVOLUTIONS: tuple[type, ...] = (nn.Conv2d, AtrousConv2d)
NORMS: tuple[type, ...] = (nn.BatchNorm2d, SharedBatchNorm2d)
"""The classes that are folded; what somebody has derived from them may compute anything."""


@dataclass(frozen=True)
class Folded:
    """A network for measuring.

    Attributes:
        network: gives the logits of the one that it was made of, up to rounding.
        layers: how many batch norms are part of a convolution.
        kept: how many are as they were.
    """

    network: Any
    layers: int
    kept: int


def is_exact(device: torch.device, precision: Precision) -> bool:
    """Whether folding changes logits by the rounding of float32 alone: not where products have fewer digits."""
    return precision is Precision.fp32 and (device.type == "cpu" or not torch.backends.cudnn.allow_tf32)


def view_size(dataset: SegmentationDataset, protocol: EvaluationSettings) -> tuple[int, int]:
    """Height and width at which a network sees the first image of a data set, at scale 1."""
    if protocol.window:
        return protocol.window, protocol.window
    height, width = dataset[0][1].shape
    return max(height, protocol.pad_to or 0), max(width, protocol.pad_to or 0)


def unfolded(model: nn.Module) -> Folded:
    """The network as it is."""
    return Folded(model, 0, sum(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules()))


def fold_batch_norm(model: Any, output_stride: int, size: tuple[int, int]) -> Folded:
    """Copies a network, at an output stride, with every batch norm in the convolution that it directly follows.

    What is not folded shares its weights with the network, which stays as it is. What follows what is seen in a pass
    of a blank image: a pair is folded if each of the two was called once, and nothing but the norm has read what the
    convolution made. The copy refuses an image for which it goes another way. A network that cannot be copied is
    measured as it is.

    Args:
        model: a `Segmenter`.
        output_stride: that of the measurement.
        size: height and width of the blank image.
    """
    whole = unfolded(model)
    try:
        network = copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})
    except (TypeError, RuntimeError):  # somebody's own part holds what knows no copy
        return whole
    network.eval().set_output_stride(output_stride)
    pairs = _pairs(network, size)
    for convolution, norm in pairs:
        fused = fuse_conv_bn_eval(convolution, norm)
        convolution.weight, convolution.bias = fused.weight, fused.bias
        _Absorbed(convolution, norm)
    return Folded(network, len(pairs), whole.kept - len(pairs))


class _Absorbed:
    """What a batch norm does that is part of a convolution: nothing, but to see that the two are called in turn."""

    def __init__(self, convolution: nn.Module, norm: nn.Module) -> None:
        self._made: Tensor | None = None
        convolution.register_forward_hook(self._keep)
        norm.forward = self._give

    def _keep(self, _convolution: nn.Module, _inputs: object, output: Tensor) -> None:
        if self._made is not None:
            raise _another_way()
        self._made = output

    def _give(self, input: Tensor) -> Tensor:
        if input is not self._made:
            raise _another_way()
        self._made = None
        return input


def _another_way() -> ConfigError:
    return ConfigError(
        "the network does not call the same layers for every image, so that its batch norm cannot be folded into its "
        "convolutions; give runtime.fold_batch_norm=false"
    )


@dataclass
class _Made:
    """What becomes of the output of a convolution: how many operators have read it, and of these how many in a norm."""

    convolution: nn.Module
    reads: int = 0
    norm: nn.Module | None = None
    reads_in_norm: int = 0
    is_result: bool = False


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows what convolutions make through a pass."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.all: list[_Made] = []
        self.calls: dict[nn.Module, int] = {}
        self._by_tensor: Any = WeakIdKeyDictionary()

    def of(self, tensor: Any) -> _Made | None:
        """What is known of a tensor; None if no convolution made it."""
        found: _Made | None = self._by_tensor.get(tensor) if isinstance(tensor, Tensor) else None
        return found

    def made(self, convolution: nn.Module, _inputs: object, output: Tensor) -> None:
        """Hook of a convolution."""
        self.calls[convolution] = self.calls.get(convolution, 0) + 1
        self._by_tensor[output] = known = _Made(convolution)
        self.all.append(known)

    def begins(self, norm: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Hook before a batch norm, which takes what nothing else has read."""
        self.calls[norm] = self.calls.get(norm, 0) + 1
        known = self.of(inputs[0]) if inputs else None
        if known is not None and known.reads == 0:
            known.norm = norm

    def ends(self, norm: nn.Module, inputs: tuple[Any, ...], _output: object) -> None:
        """Hook behind a batch norm."""
        known = self.of(inputs[0]) if inputs else None
        if known is not None and known.norm is norm:
            known.reads_in_norm = known.reads

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        for leaf in tree_leaves((args, kwargs)):
            if (known := self.of(leaf)) is not None:
                known.reads += 1
        return func(*args, **(kwargs or {}))

    def pairs(self) -> list[tuple[Any, Any]]:
        """Convolutions and norms that have been called once, and in which the norm alone has read."""
        return [
            (known.convolution, known.norm)
            for known in self.all
            if known.norm is not None
            and not known.is_result
            and known.reads == known.reads_in_norm
            and self.calls[known.convolution] == self.calls[known.norm] == 1
        ]


def _pairs(network: nn.Module, size: tuple[int, int]) -> list[tuple[Any, Any]]:
    """The convolutions and batch norms of a network in evaluation mode that can be folded."""
    watch, hooks = _Watch(), []
    for module in network.modules():
        if type(module) in CONVOLUTIONS and _is_plain(module):
            hooks.append(module.register_forward_hook(watch.made))
        elif type(module) in NORMS and _is_plain(module) and module.running_mean is not None:
            hooks += [module.register_forward_pre_hook(watch.begins), module.register_forward_hook(watch.ends)]
    device = next(network.parameters()).device
    image = torch.zeros(1, 3, *size, device=device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.inference_mode(), watch:
        result = network(image)
    for leaf in tree_leaves(result):
        if (known := watch.of(leaf)) is not None:
            known.is_result = True
    for hook in hooks:
        hook.remove()
    return watch.pairs()


def _is_plain(module: nn.Module) -> bool:
    """Whether nobody has hung anything else on a layer."""
    return not (module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module))
