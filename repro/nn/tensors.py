"""How feature maps lie in memory, and in which precision they are summed."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def layout(features: Tensor) -> torch.memory_format:
    """Memory format of a map `[B, C, H, W]`; one that is both, such as a map of one channel, counts as contiguous."""
    last = features.is_contiguous(memory_format=torch.channels_last) and not features.is_contiguous()
    return torch.channels_last if last else torch.contiguous_format


def exact_type(features: Tensor) -> torch.dtype:
    """The type to sum in: float64 for float64, else float32."""
    return torch.promote_types(features.dtype, torch.float32)


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Keeps the types that the code says; a device that knows no autocast, such as meta, has nothing to switch off."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
