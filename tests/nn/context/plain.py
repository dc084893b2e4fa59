"""The context modules' functions written plainly, after their equations, and what every fast form is asked."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

LAYOUTS = (torch.contiguous_format, torch.channels_last)


def dot_product_attention(query: Tensor, key: Tensor, value: Tensor, scale: float | None = None) -> Tensor:
    """Softmax over the whole matrix of products, then a second product."""
    scale = query.shape[1] ** -0.5 if scale is None else scale
    weights = (scale * query.flatten(2).mT @ key.flatten(2)).softmax(2)
    return (weights @ value.flatten(2).mT).mT.unflatten(2, query.shape[2:])


def local_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    kernel_size: int,
    dilation: int,
    scale: float = 1.0,
    masked_border: bool = False,
) -> Tensor:
    """GALD, equations 6 to 8, on all neighbourhoods side by side as `unfold` lays them out."""

    def neighbours(features: Tensor) -> Tensor:
        columns = F.unfold(features, kernel_size, dilation, dilation * (kernel_size // 2))
        return columns.view(features.shape[0], features.shape[1], kernel_size**2, -1)

    products = scale * (query.flatten(2)[:, :, None] * neighbours(key)).sum(1)
    if masked_border:
        outside = neighbours(torch.ones_like(query[:, :1]))[:, 0] == 0
        products = products.masked_fill(outside, -torch.inf)
    return (products.softmax(1)[:, None] * neighbours(value)).sum(2).unflatten(2, query.shape[2:])


def cgnl_attention(theta: Tensor, phi: Tensor, g: Tensor, groups: int) -> Tensor:
    """Yue et al. 2018 as their public code has it: group after group, by products of matrices, concatenated."""
    outputs = []
    for part in zip(*(features.chunk(groups, 1) for features in (theta, phi, g)), strict=True):
        row, column, last = (features.reshape(features.shape[0], 1, -1) for features in part)
        attention = torch.bmm(column, last.mT)
        outputs.append(torch.bmm(attention, row).view_as(part[0]))
    return torch.cat(outputs, 1)


def assert_same(fast: Callable[..., Tensor], plain: Callable[..., Tensor], inputs: Sequence[Tensor]) -> None:
    """The values to 1e-5, the gradients to 1e-4 of their largest magnitude."""
    inputs = [tensor.detach().requires_grad_() for tensor in inputs]
    expected, result = plain(*inputs), fast(*inputs)
    assert result.dtype == expected.dtype
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)
    upstream = torch.randn(expected.shape, generator=torch.Generator().manual_seed(0))
    gradients = torch.autograd.grad(result, inputs, upstream)
    right = torch.autograd.grad(expected, inputs, upstream)
    largest = max(float(gradient.abs().max()) for gradient in right)
    torch.testing.assert_close(gradients, right, rtol=0, atol=1e-4 * largest)


def operations(function: Callable[..., Tensor], *shapes: tuple[int, ...]) -> int:
    """Operations of a forward pass, counted without computing, alike in both ways of not computing."""
    with FlopCounterMode(display=False) as on_meta, torch.device("meta"):
        function(*(torch.empty(shape) for shape in shapes))
    with FakeTensorMode(), FlopCounterMode(display=False) as on_fake:
        function(*(torch.empty(shape) for shape in shapes))
    assert on_meta.get_total_flops() == on_fake.get_total_flops()
    return on_meta.get_total_flops()
