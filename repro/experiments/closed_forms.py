"""Numbers that follow from a network's form alone, worked out on a network without weights."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from repro.errors import ConfigError

IMAGE_SIDE = 513
"""Side of the image that operations are counted for: DeepLabv3's crop, with a map of 65 x 65 at output stride 8."""

UTILISATION_SIDE = 65
"""Side of the feature map that the ratio is taken over: a crop of 513 pixels at output stride 8."""

_PRODUCTS = ("mm", "bmm", "addmm", "baddbmm")
"""Matrix products, by which local attention works out more than it keeps."""


def millions_of_parameters(network: Any, _crop: int | None = None) -> float:
    """Trainable parameters in millions."""
    from repro.build import parameter_count  # torch, which a report without such cells does without

    return parameter_count(network) / 1e6


def utilisation(network: Any, _crop: int | None = None) -> float:
    """Share of a map of `UTILISATION_SIDE` that one position draws on; raises `ConfigError` if the head has none."""
    ratio = getattr(network.head, "utilisation", None)
    if ratio is None:
        raise ConfigError(f"the head {type(network.head).__name__} has no utilisation ratio; parallel branches have")
    return float(ratio(UTILISATION_SIDE))


def billions_of_operations(network: Any, _crop: int | None = None) -> float:
    """Multiply-adds in billions of one forward pass over one image of `IMAGE_SIDE`: convolutions and matrix products.

    Sums, pools and resizing are not counted. Local attention counts what its equations ask for, one product of a query
    and a key and one of a share and a value per neighbour, and not the blocks by which it is worked out.
    """
    from torch.utils.flop_counter import FlopCounterMode

    from repro.nn.context.ldv2 import LDv2

    needed = 0
    with _seen(network, LDv2) as seen, FlopCounterMode(display=False) as counter:
        _forward(network, IMAGE_SIDE)
    counts = counter.get_flop_counts()
    total = counter.get_total_flops() / 2
    for name, module, _, output in seen:
        found = counts.get(f"{type(network).__name__}.{name}", {})
        total -= sum(count for op, count in found.items() if str(op).rpartition(".")[2] in _PRODUCTS) / 2
        positions = output.shape[-2] * output.shape[-1]
        needed += positions * module.kernel_size**2 * (module.key.out_channels + module.value.out_channels)
    return float(total + needed) / 1e9


def map_positions(network: Any, crop: int | None) -> float:
    """Positions of the backbone's last map under a training crop."""
    return float(_map_side(network, crop) ** 2)


def valid_weights(network: Any, crop: int | None) -> float:
    """Share of the weights of the head's widest 3x3 that fall on the map, over all positions (DeepLabv3, Figure 4)."""
    side, rate = _map_side(network, crop), _widest_rate(network)
    return ((side + 2 * max(0, side - rate)) / (3 * side)) ** 2


def full_kernels(network: Any, crop: int | None) -> float:
    """Share of positions at which all nine weights of that convolution fall on the map."""
    side, rate = _map_side(network, crop), _widest_rate(network)
    return (max(0, side - 2 * rate) / side) ** 2


def centre_kernels(network: Any, crop: int | None) -> float:
    """Share of positions at which the middle weight of that convolution alone falls on the map."""
    side, rate = _map_side(network, crop), _widest_rate(network)
    return (max(0, min(rate, side) - max(0, side - rate)) / side) ** 2


def attended_positions(network: Any, _crop: int | None = None) -> float:
    """Positions that attention joins each one with; raises `ConfigError` for a head without attention."""
    from repro.nn.context.ldv2 import LDv2
    from repro.nn.context.nonlocal_block import NonLocalBlock

    with _seen(network.head, LDv2, NonLocalBlock) as seen:
        _forward(network, IMAGE_SIDE)
    if not seen:
        raise ConfigError(f"the head {type(network.head).__name__} has no attention whose positions could be counted")
    return float(sum(
        module.kernel_size**2 if isinstance(module, LDv2) else inputs[0].shape[-2] * inputs[0].shape[-1]
        for _, module, inputs, _ in seen
    ))  # fmt: skip


COMPUTED: dict[str, Callable[[Any, int | None], float]] = {
    "parameters": millions_of_parameters,
    "utilisation": utilisation,
    "operations": billions_of_operations,
    "map_positions": map_positions,
    "valid_weights": valid_weights,
    "full_kernels": full_kernels,
    "centre_kernels": centre_kernels,
    "attended_positions": attended_positions,
}
"""Name of each metric of the network to what works it out, in the metric's unit, from the network and its crop."""


def _forward(network: Any, side: int) -> Any:
    import torch

    with torch.no_grad(), torch.device("meta"):
        return network.eval()(torch.zeros(1, 3, side, side))


def _map_side(network: Any, crop: int | None) -> int:
    import torch

    if crop is None:
        raise ConfigError("the training has no crop, so that its map has no size")
    with torch.no_grad(), torch.device("meta"):
        *_, last = network.eval().backbone(torch.zeros(1, 3, crop, crop)).values()
    return int(last.shape[-1])


def _widest_rate(network: Any) -> int:
    from repro.nn.layers import AtrousConv2d

    rates = [module.rate for module in network.head.modules()
             if isinstance(module, AtrousConv2d) and module.kernel_size == (3, 3)]  # fmt: skip
    if not rates:
        raise ConfigError(f"the head {type(network.head).__name__} has no 3x3 convolution with a rate")
    return int(max(rates))


@contextmanager
def _seen(network: Any, *kinds: Any) -> Iterator[list[tuple[str, Any, Any, Any]]]:
    """Collects name, module, inputs and output of each module of some kinds that a forward pass goes through."""
    found: list[tuple[str, Any, Any, Any]] = []
    with ExitStack() as stack:
        for name, module in network.named_modules():
            if isinstance(module, kinds):

                def note(module: Any, inputs: Any, output: Any, name: str = name) -> None:
                    found.append((name, module, inputs, output))

                stack.callback(module.register_forward_hook(note).remove)
        yield found
