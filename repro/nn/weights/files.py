"""Files of weights: fetched, read safely, and compared with the network that they are for."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor, nn

from repro.errors import DataError
from repro.nn.resnet import ResNet

# The keys under which training scripts commonly wrap a state dict.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "model_state", "network", "net", "weights")


def fetched(url: str, remedy: str) -> Mapping[str, Tensor]:
    """The state dict behind one of torchvision's addresses, from the cache of torch.hub if it is there.

    Args:
        url: the address.
        remedy: the setting that does without them, for the error.

    Raises:
        DataError: the file is neither cached nor to be had from the network, or it is damaged.
    """
    cached = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if not cached.is_file():
        _download(url, cached, remedy)
    return read_file(cached, "; delete it and run again")


def read_file(path: Path, remedy: str = "") -> Mapping[str, Tensor]:
    """The state dict in a file, bare or wrapped; nothing but tensors and plain types is unpickled.

    Raises:
        DataError: the file is missing, damaged, or holds something else; `remedy` ends the sentence.
    """
    if not path.is_file():
        raise DataError(f"The weights file {path} does not exist (looked at {path.absolute()})")
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails wherever its bytes lead the unpickler
        raise DataError(f"The weights file {path} cannot be read ({_reason(error)}){remedy}") from error
    if zipfile.is_zipfile(path) and (damage := damage_of(path)):
        raise DataError(f"The weights file {path} is damaged: {damage}{remedy}")
    return _unwrapped(content, f"The weights file {path}")


def _unwrapped(content: Any, origin: str) -> Mapping[str, Tensor]:
    """The one state dict inside of what a training script has saved."""
    if not isinstance(content, Mapping) or not content:
        raise DataError(f"{origin} does not hold a state dict, that is, names with tensors")
    others = [str(key) for key, value in content.items() if not (isinstance(key, str) and isinstance(value, Tensor))]
    if not others:
        return content
    wrapper = next((name for name in _WRAPPERS if isinstance(content.get(name), Mapping)), None)
    if wrapper is None:
        raise DataError(
            f"{origin} does not hold a state dict, that is, names with tensors: {listed(others)} are none; save the "
            f"state dict alone, or under {' or '.join(_WRAPPERS[:2])}"
        )
    inner = content[wrapper]
    twins = [str(key) for key, value in content.items() if isinstance(value, Mapping) and value.keys() == inner.keys()]
    if len(twins) > 1:
        raise DataError(f"{origin} holds {' and '.join(twins)}, of the same names; save the one that is meant alone")
    return _unwrapped(inner, origin)


def damage_of(archive: Path | IO[bytes]) -> str:
    """What a torch file is damaged by, from the sums that the archive keeps of its members, which torch does not check.

    Returns:
        A clause; empty if every member is what its sum was taken of.
    """
    try:
        with zipfile.ZipFile(archive) as members:
            torn = members.testzip()
    except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, OSError) as error:
        return str(error)
    return f"{torn} in it is not what its sum was taken of" if torn is not None else ""


def _download(url: str, target: Path, remedy: str) -> None:
    # torchvision writes the first digits of the file's sha256 into its name.
    digits = target.stem.rsplit("-", 1)[-1]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target), hash_prefix=digits, progress=True)
    except (OSError, HTTPException, RuntimeError) as error:
        raise DataError(
            f"The weights {target.name} are not cached and could not be downloaded ({_reason(error)}): fetch "
            f"{url} on a machine with network and put it into {target.parent}, or set {remedy}"
        ) from error


def fill(
    network: nn.Module,
    state: Mapping[str, Tensor],
    origin: str,
    *,
    drop: Sequence[str] = (),
    fresh: Sequence[str] = (),
    spare: Sequence[str] = (),
) -> tuple[str, ...]:
    """Loads a state dict into a network.

    Args:
        network: the network; its own names are those of the state dict.
        state: names with tensors.
        origin: where they come from, for the error.
        drop: beginnings of names that keep the network's own values, whatever the state dict has for them.
        fresh: beginnings of names that keep them if the state dict has nothing at all for them.
        spare: beginnings of names of which the state dict may have entries though the network has none.

    Returns:
        Those of `spare` under which something was left out.

    Raises:
        DataError: entries are missing, unexpected, of another shape or kind, or not finite; each kind is listed.
    """
    own = network.state_dict()
    unneeded = [prefix for prefix in spare if _any_begins(state, prefix) and not _any_begins(own, prefix)]
    absent = [prefix for prefix in fresh if not _any_begins(state, prefix)]
    dropped = (*drop, *unneeded, *absent)
    kept = {key: value for key, value in state.items() if not key.startswith(dropped)}
    wanted = {key: value for key, value in own.items() if not key.startswith(dropped)}
    if faults := _faults(kept, wanted):
        raise DataError(f"{origin} does not fit {_described(network)}; {'; '.join(faults)}")
    network.load_state_dict(kept, strict=False)
    return tuple(unneeded)


def _faults(kept: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    # Files written before 2018 lack the batch counters; they count, but carry no weight.
    missing = [key for key in wanted if key not in kept and not key.endswith("num_batches_tracked")]
    both = [key for key in wanted if key in kept]
    shapes = [
        f"{key} {list(kept[key].shape)} instead of {list(wanted[key].shape)}"
        for key in both
        if kept[key].shape != wanted[key].shape
    ]
    kinds = [
        f"{key} {kept[key].dtype} instead of {wanted[key].dtype}"
        for key in both
        if kept[key].is_floating_point() != wanted[key].is_floating_point()
    ]
    hollow = [key for key in both if kept[key].is_meta or kept[key].layout != torch.strided]
    infinite = [
        key
        for key in both
        if key not in hollow and kept[key].is_floating_point() and not bool(kept[key].isfinite().all())
    ]
    kinds_of_fault = {
        "missing": missing,
        "unexpected": [key for key in kept if key not in wanted],
        "of another shape": shapes,
        "of another kind": kinds,
        "sparse or without numbers": hollow,
        "not finite": infinite,
    }
    faults = [f"{title}: {listed(keys)}" for title, keys in kinds_of_fault.items() if keys]
    if missing and all(key.startswith("auxiliary.") for key in missing):
        faults.append("set auxiliary=none, or init.drop=[auxiliary] to train it anew")
    return faults


def _any_begins(names: Iterable[str], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def _described(network: nn.Module) -> str:
    if isinstance(network, ResNet):
        return f"ResNet-{network.depth} with the {network.stem} stem"
    return f"this {type(network).__name__}" if type(network).__name__ != "Segmenter" else "this network"


def listed(keys: Sequence[str], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    rest = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + rest


def _reason(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError):
        # torch's own text advises to switch off the check for code in the file.
        return "it is damaged, or holds more than tensors and plain values; of a whole network, save its state_dict()"
    lines = str(getattr(error, "reason", error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
