"""Less memory for more time: parts of a network whose inside is computed again when their gradients are taken."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from repro.errors import ConfigError

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@contextmanager
def recomputing(model: nn.Module, *, wanted: bool) -> Iterator[None]:
    """Has the parts of a network keep what goes into them, and not what is inside, until their gradients are taken.

    Losses, gradients and running statistics stay bit for bit what they are: the second pass draws the same dropout, and
    copies stand in for the statistics that it would count again.

    Raises:
        ConfigError: in the first pass, if a part changes what it reads in the second.
    """
    parts = recomputed_parts(model) if wanted else []
    for part in parts:
        part.forward = _Recomputed(part, type(part).forward.__get__(part))
    try:
        yield
    finally:
        for part in parts:
            del part.__dict__["forward"]


def recomputed_parts(model: nn.Module) -> list[nn.Module]:
    """Residual units, parts of heads, and sequences of single layers, in the order of the network."""
    return list(dict.fromkeys(part for child in model.children() for part in _parts(child)))


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    """The outermost modules with layers of their own inside a backbone or a head; a single layer is none."""
    for child in module.children():
        inner = list(child.children())
        if not isinstance(child, _CONTAINERS):
            yield from [child] if inner else []
        elif isinstance(child, nn.Sequential) and not any(True for layer in inner for _ in layer.children()):
            yield child
        else:
            yield from _parts(child)


class _Recomputed:
    """The forward pass of a part, in training."""

    def __init__(self, part: nn.Module, forward: Any) -> None:
        self._part, self._forward = part, forward

    def __call__(self, *given: Any, **named: Any) -> Any:
        if not (self._part.training and torch.is_grad_enabled()):
            return self._forward(*given, **named)
        before = _versions(self._part)
        result = checkpoint(
            self._forward, *given, use_reentrant=False, context_fn=lambda: contexts_of(self._part), **named
        )
        if changed := [name for name, version in _versions(self._part).items() if before[name] != version]:
            raise ConfigError(
                f"runtime.recompute=blocks computes {type(self._part).__name__} a second time, but that changes its "
                f"buffer {changed[0]} each time, so that it would not be the same; choose runtime.recompute=none"
            )
        return result


def contexts_of(part: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """In what a part is computed the first time, and the second."""
    return nullcontext(), _copies_in_place(part)


@contextmanager
def _copies_in_place(part: nn.Module) -> Iterator[None]:
    """Buffers of a part take what is done to them aside, and are put back as they were."""
    kept = [(module, name, buffer) for module in part.modules() for name, buffer in _buffers(module)]
    for module, name, buffer in kept:
        setattr(module, name, buffer.clone())
    try:
        yield
    finally:
        for module, name, buffer in kept:
            setattr(module, name, buffer)


def _buffers(module: nn.Module) -> Iterable[tuple[str, Tensor]]:
    return list(module.named_buffers(recurse=False))


def _versions(part: nn.Module) -> dict[str, tuple[int, int]]:
    """Identity and number of changes of every buffer that is no running statistic."""
    return {
        f"{name}.{own}".lstrip("."): (id(buffer), buffer._version)
        for name, module in part.named_modules()
        if not isinstance(module, nn.modules.batchnorm._NormBase)
        for own, buffer in _buffers(module)
    }
