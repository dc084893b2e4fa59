"""The first draw of a part's convolutions, by a rule of one name, once the part stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakSet

from torch import Tensor, nn

_RULES: dict[str, Callable[..., Any]] = {
    "kaiming_normal": partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"),
    "kaiming_normal_fan_in": partial(nn.init.kaiming_normal_, mode="fan_in", nonlinearity="relu"),
    "xavier_uniform": nn.init.xavier_uniform_,
    "normal": nn.init.normal_,
}

_drawn_for_good: WeakSet[nn.Module] = WeakSet()


def draw_convolutions(part: nn.Module, rule: str, std: float | None = None) -> None:
    """Draws the convolutions of a part anew, in the order in which it made them; biases start at zero.

    Those that `draw_for_good` has drawn keep what they have, and so does everything that is no convolution.

    Source: public code, by rule, with the standard deviation of a kernel `[out, in, k, k]`.
    `torch`: PyTorch's own, sqrt(1 / (3 in k^2)), or what else a constructor has drawn; heads of torchvision, PSPNet,
    GALD and PyTorch-Encoding.
    `kaiming_normal`: sqrt(2 / (out k^2)); heads of mmsegmentation and LightNet, ResNets in PyTorch.
    `kaiming_normal_fan_in`: sqrt(2 / (in k^2)); ResNets in TensorFlow (slim).
    `xavier_uniform`: sqrt(2 / ((in + out) k^2)); slim's default, which the layers have that DeepLab adds to a ResNet.
    `normal`: `std`.
    Differs: slim cuts its normal distribution off at two deviations, and widens it by what that takes away.

    Args:
        part: Backbone, head or auxiliary head.
        rule: One of those above.
        std: Standard deviation of `normal`.

    Raises:
        ValueError: The rule is unknown.
    """
    if rule == "torch":
        return
    if rule not in _RULES:
        raise ValueError(f"a first draw must be one of torch, {', '.join(_RULES)}, not {rule!r}")
    draw = partial(_RULES[rule], std=std) if rule == "normal" else _RULES[rule]
    for module in part.modules():
        if _is_convolution(module) and module not in _drawn_for_good:
            draw(module.weight)
            _clear_bias(module)


def draw_for_good(convolution: nn.Module, std: float | None) -> None:
    """Draws a convolution that starts in a way of its own, which no `first_draw` changes afterwards.

    Args:
        convolution: The layer, whose bias starts at zero if it has one.
        std: Standard deviation of a normal distribution, 0 for zeros; `None` leaves weight and bias as they are.
    """
    _drawn_for_good.add(convolution)
    if std is not None:
        assert isinstance(convolution.weight, Tensor)
        nn.init.normal_(convolution.weight, std=std)
        _clear_bias(convolution)


def _clear_bias(convolution: nn.Module) -> None:
    if isinstance(bias := getattr(convolution, "bias", None), Tensor):
        nn.init.zeros_(bias)


def _is_convolution(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.conv._ConvNd) or getattr(module, "is_convolution", False)
