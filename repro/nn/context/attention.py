"""Attention of every position to every position of a map, without ever holding the matrix of their products."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from repro.nn.tensors import layout

_ALIGNED = 8  # fused kernels on GPUs want rows of 16 bytes, which are 8 numbers in half precision


def dot_product_attention(query: Tensor, key: Tensor, value: Tensor, scale: float | None = None) -> Tensor:
    """Weighs all values by the softmax over all keys' products with each query.

    Memory grows with the number of positions, not with its square, by PyTorch's fused kernels. The one on CPU, and
    the fastest on GPU, want keys and values of one width, so the narrower of the two is padded with zeros, which
    changes neither products nor sums. Half precision is summed in float32 inside.

    Args:
        query: `[B, C, H, W]`, either memory format; the result has the same one.
        key: `[B, C, h, w]`.
        value: `[B, D, h, w]`.
        scale: Factor of the products before the softmax; `None` for 1 / sqrt(C).

    Returns:
        `[B, D, H, W]`.
    """
    batch, channels, height, width = query.shape
    wanted = value.shape[1]
    columns = -(-max(channels, wanted) // _ALIGNED) * _ALIGNED
    queries, keys, values = (_rows(features, columns) for features in (query, key, value))
    scale = channels**-0.5 if scale is None else scale
    attended = F.scaled_dot_product_attention(queries, keys, values, scale=scale)
    result = attended[..., :wanted].reshape(batch, height, width, wanted).permute(0, 3, 1, 2)
    return result.contiguous(memory_format=layout(query))


def _rows(features: Tensor, columns: int) -> Tensor:
    """One row per position: `[B, C, H, W]` to contiguous `[B, 1, H*W, columns]`, zero beyond C.

    The kernel on CPU is passed over, without a word, for rows that are not contiguous.
    """
    batch, channels, height, width = features.shape
    rows = features.permute(0, 2, 3, 1).reshape(batch, 1, height * width, channels)
    return F.pad(rows, (0, columns - channels)).contiguous()
