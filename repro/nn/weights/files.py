"""Files of weights: fetched, read safely, and compared with the network that they are for."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from repro.errors import DataError
from repro.nn.resnet import ResNet

# The keys under which training scripts commonly wrap a state dict.
_WRAPPERS = ("state_dict", "model", "model_state")


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
    _check_sums(path, remedy)
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise DataError(f"The weights file {path} does not hold a state dict, that is, names with tensors")
    return content


def _check_sums(path: Path, remedy: str) -> None:
    """Holds a file against the sums that its archive keeps of its members, which torch does not.

    Raises:
        DataError: one differs.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise DataError(f"The weights file {path} is damaged: {damaged} in it is not what its sum was taken of{remedy}")


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


def fill(network: nn.Module, state: Mapping[str, Tensor], origin: str, *, drop: Sequence[str] = ()) -> None:
    """Loads a state dict into a network.

    Args:
        network: the network; its own names are those of the state dict.
        state: names with tensors.
        origin: where they come from, for the error.
        drop: beginnings of names that keep the network's own values, whatever the state dict has for them.

    Raises:
        DataError: entries are missing, unexpected or of another shape; each kind is listed.
    """
    own, dropped = network.state_dict(), tuple(drop)
    kept = {key: value for key, value in state.items() if not key.startswith(dropped)}
    wanted = {key: value for key, value in own.items() if not key.startswith(dropped)}
    # Files written before 2018 lack the batch counters; they count, but carry no weight.
    missing = [key for key in wanted if key not in kept and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in kept if key not in wanted]
    shapes = [
        f"{key} {list(kept[key].shape)} instead of {list(wanted[key].shape)}"
        for key in wanted
        if key in kept and kept[key].shape != wanted[key].shape
    ]
    parts = [
        f"{title}: {listed(keys)}"
        for title, keys in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if keys
    ]
    if parts:
        raise DataError(f"{origin} does not fit {_described(network)}; {'; '.join(parts)}")
    network.load_state_dict(kept, strict=False)


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
        return "it is damaged, or holds more than tensors"
    lines = str(getattr(error, "reason", error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
