import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from repro.nn.context.ldv2 import LDv2
from tests.nn.heads.checks import part

WIDTHS = {"local_width": 6, "key_width": 4, "value_width": 6}


def ldv2(original_channels: int, context_channels: int | None, **changes: object) -> LDv2:
    return part("ld/v2", **changes)(original_channels, context_channels)


def neighbours(features: Tensor, kernel_size: int, dilation: int) -> Tensor:
    """`[B, K, C, H, W]`: equation 7, zeros beyond the border."""
    reach = dilation * (kernel_size // 2)
    padded = F.pad(features, (reach, reach, reach, reach))
    height, width = features.shape[-2:]
    steps = [dilation * index for index in range(kernel_size)]
    return torch.stack(
        [padded[..., y : y + height, x : x + width] for y, x in itertools.product(steps, steps)],
        1,
    )


def by_hand(module: LDv2, original: Tensor, context: Tensor | None, **switches: object) -> Tensor:
    """Equations 6 to 8 in PyTorch's own functions."""
    size, rate = switches.get("kernel_size", 5), switches.get("dilation", 6)
    inputs: dict[str, Tensor | None] = {"context": context}
    local = None
    if module.local is not None:
        local = F.relu(module.local.norm(F.conv2d(original, module.local.convolution.weight)))
        inputs["concatenation"] = local if context is None else torch.cat([local, context], 1)
    query, key, value = (
        F.conv2d(inputs[switches.get(name, "concatenation")], getattr(module, name).weight)
        for name in ("query", "key", "value")
    )
    products = (query[:, None] * neighbours(key, size, rate)).sum(2)
    if switches.get("scaled"):
        products = products / key.shape[1] ** 0.5
    if switches.get("masked_border"):
        inside = neighbours(torch.ones_like(key[:, :1]), size, rate)[:, :, 0]
        products = products.masked_fill(inside == 0, -torch.inf)
    result = (products.softmax(1)[:, :, None] * neighbours(value, size, rate)).sum(1)
    if switches.get("combination") == "sum":
        return result + local
    return torch.cat([result, local], 1) if switches.get("combination") == "concatenation" else result


def made(context_channels: int | None, **switches: object) -> LDv2:
    torch.manual_seed(0)
    module = ldv2(24, context_channels, **WIDTHS, **switches).eval()
    for name in ("query", "key"):  # as large as makes the softmax prefer somebody
        getattr(module, name).weight.data.mul_(6)
    return module


@pytest.mark.parametrize("size", [(13, 9), (1, 1), (33, 47)])
@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"kernel_size": 3, "dilation": 3},
        {"kernel_size": 7, "dilation": 2, "masked_border": True},
        {"scaled": True, "combination": "sum"},
        {"combination": "concatenation", "kernel_size": 1},
        {"key": "context"},
        {"query": "context", "value": "context"},
        {"key": "context", "query": "context", "value": "context"},
    ],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equations_6_to_8(size: tuple[int, int], switches: dict, layout: torch.memory_format) -> None:
    module = made(5, **switches)
    original = torch.randn(2, 24, *size).to(memory_format=layout)
    context = torch.randn(2, 5, *size).to(memory_format=layout)
    with torch.no_grad():
        found = module(original, context)
        torch.testing.assert_close(found, by_hand(module, original, context, **switches), rtol=1e-4, atol=1e-5)
    assert found.shape[1] == module.out_channels == (12 if switches.get("combination") == "concatenation" else 6)


@pytest.mark.parametrize("switches", [{}, {"masked_border": True, "combination": "sum"}])
def test_without_a_context_there_is_the_local_feature_alone(switches: dict) -> None:
    module = made(None, **switches)
    original = torch.randn(2, 24, 13, 9)
    torch.testing.assert_close(module(original), by_hand(module, original, None, **switches), rtol=1e-4, atol=1e-5)
    assert module.key.in_channels == 6


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"key": "context"},
        {"query": "context"},
        {"key": "context", "query": "context", "value": "context"},
        {"masked_border": True, "scaled": True},
        {"combination": "concatenation"},
    ],
)
@pytest.mark.parametrize("context_channels", [None, 5])
def test_gradient_reaches_every_parameter(context_channels: int | None, switches: dict) -> None:
    if context_channels is None and "context" in switches.values():
        return
    module = made(context_channels, **switches).train()
    context = None if context_channels is None else torch.randn(2, 5, 9, 13, requires_grad=True)
    module(torch.randn(2, 24, 9, 13), context).square().mean().backward()
    assert [name for name, value in module.named_parameters() if not value.grad.any()] == []
    assert context is None or context.grad.any()


def test_a_local_feature_that_nothing_is_made_from_is_not_built() -> None:
    assert made(5, key="context", query="context", value="context").local is None
    assert made(5, key="context", query="context").local is not None


def test_parameters_by_hand() -> None:
    module = ldv2(2048, 512)
    local = 2048 * 512 + 2 * 512
    assert sum(value.numel() for value in module.parameters()) == local + 1024 * (256 + 256 + 512)


def test_half_precision_and_meta() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert made(5)(torch.randn(2, 24, 13, 9), torch.randn(2, 5, 13, 9)).isfinite().all()
    with torch.device("meta"):
        assert ldv2(24, 5, **WIDTHS)(torch.randn(2, 24, 13, 9), torch.randn(2, 5, 13, 9)).shape == (2, 6, 13, 9)


@pytest.mark.parametrize(
    ("context_channels", "switches", "message"),
    [
        (5, {"kernel_size": 4}, "kernel_size must be odd, such as 3, 5 or 7, so that it has a middle, not 4"),
        (5, {"kernel_size": 0}, "not 0"),
        (5, {"dilation": 0}, "dilation must be a whole number of at least 1, not 0"),
        (5, {"key_width": 0}, "key_width and value_width must be at least 1, not 0 and 6"),
        (5, {"key": "local"}, "key must be concatenation or context, not 'local'"),
        (None, {"query": "context"}, "query is to be made from the context, but no global aggregation comes before"),
        (5, {"combination": "mean"}, "combination must be none, sum or concatenation, not 'mean'"),
        (5, {"combination": "sum", "value_width": 3}, "a sum needs local_width = value_width, not 6 and 3"),
    ],
)
def test_mistakes_are_named(context_channels: int | None, switches: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ldv2(24, context_channels, **{**WIDTHS, **switches})
