"""How feature maps lie in memory, in which precision they are summed, and whether a program is made of the call."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
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


def is_recorded() -> bool:
    """Whether `torch.export`, an ONNX export or `torch.jit.trace` makes a program of this call, for maps of any size.

    A branch on a size and a loop over one would become part of it as they went this time, so what depends on them for
    speed alone is done another way then. `torch.compile` looks at sizes again at every call.
    """
    tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return tracing or torch.compiler.is_exporting()


def is_recorded_or_compiled() -> bool:
    """The same, `torch.compile` included: for what is worth its while only when each operator is called by Python."""
    return is_recorded() or torch.compiler.is_compiling()


def neighbours(features: Tensor, kernel_size: int, dilation: int = 1) -> list[Tensor]:
    """What every position `[B, C, H, W]` sees through each tap of a window, row by row; zero beyond the border."""
    reach = kernel_size // 2 * dilation
    height, width = features.shape[-2:]
    padded = F.pad(features, (reach,) * 4)
    steps = range(0, 2 * reach + 1, dilation)
    return [padded[..., down : down + height, right : right + width] for down in steps for right in steps]
