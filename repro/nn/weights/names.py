"""Names of the entries of a state dict: freed of what wraps them, and brought to ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

State = Mapping[str, Tensor]

_WRAPPERS = ("module.", "model.", "network.", "net.")
"""What training scripts put before every name: data parallelism, and the object that trains."""
_COMPILED = "_orig_mod."
"""What `torch.compile` puts into the names, before whatever it has compiled."""


def bare(state: State, own: Iterable[str] = ()) -> dict[str, Tensor]:
    """The state dict without what stands before all of its names, but for what all of a network's `own` names have."""
    own = tuple(own)
    found = dict(state)
    if not any(_COMPILED in name for name in own):
        found = {name.replace(_COMPILED, ""): value for name, value in found.items()}
    while shared := [prefix for prefix in _WRAPPERS if found and _all_begin(found, prefix)]:
        if own and _all_begin(own, shared[0]):
            break
        found = below(found, shared[0])
    return found


def below(state: State, prefix: str) -> dict[str, Tensor]:
    """The entries whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def renamed(state: State, modules: Mapping[str, str], whose: str) -> dict[str, Tensor]:
    """A state dict of which every module is called otherwise.

    Args:
        state: theirs.
        modules: their module to ours; below one that ends with a dot, everything keeps its own name.
        whose: networks whose names `modules` knows, for the error.

    Raises:
        ValueError: `modules` lacks the module of an entry.
    """
    parts = {theirs: ours for theirs, ours in modules.items() if theirs.endswith(".")}
    found, unknown = {}, []
    for key, value in state.items():
        module, _, leaf = key.rpartition(".")
        if module in modules:
            found[f"{modules[module]}.{leaf}"] = value
            continue
        part = next((part for part in parts if key.startswith(part)), None)
        if part is None:
            unknown.append(key)
        else:
            found[parts[part] + key.removeprefix(part)] = value
    if unknown:
        more = f" (nor are {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise ValueError(f"{unknown[0]!r} is no entry of {whose}{more}")
    return found


def layers(theirs: str, ours: str, convolution: str, norm: str) -> dict[str, str]:
    """The two modules of a convolution with batch normalisation, by what others call them."""
    return {f"{theirs}.{convolution}": f"{ours}.convolution", f"{theirs}.{norm}": f"{ours}.norm"}


def without_biases(state: State) -> dict[str, Tensor]:
    """Without the biases of convolutions before batch normalisation, which its running means take up.

    In training the batch's mean takes such a bias away again, so that the function is the same there too.
    """
    found = dict(state)
    for name in [name for name in found if name.endswith(".convolution.bias")]:
        mean = name.removesuffix("convolution.bias") + "norm.running_mean"
        if mean in found:
            found[mean] = found[mean] - found.pop(name)
    return found


def _all_begin(names: Iterable[str], prefix: str) -> bool:
    return all(name.startswith(prefix) for name in names)
