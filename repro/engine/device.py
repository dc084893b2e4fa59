"""Device, threads, number formats and determinism of a process."""

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from repro.config.settings import Determinism, Precision, Settings
from repro.errors import ConfigError
from repro.provenance import available_cores

AUTOCAST = {Precision.bf16: torch.bfloat16, Precision.fp16: torch.float16}


def choose_device(name: str, local: int | None = None) -> torch.device:
    """`auto` takes a GPU if there is one.

    Args:
        name: `runtime.device`.
        local: number of the process among several of its machine, which take the GPUs in turn; None: it is alone.

    Raises:
        ConfigError: if the device named is not there, or is one for several processes.
    """
    name = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"runtime.device is {name!r}; it can be auto, cpu, cuda or cuda:0") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"runtime.device is {name!r}, but this machine shows {torch.cuda.device_count()} GPUs")
    if local is None or device.type != "cuda":
        return device
    if ":" in name:
        raise ConfigError(f"runtime.device is {name!r}, but several processes take one GPU each; give cuda")
    own = torch.device("cuda", local % torch.cuda.device_count())
    torch.cuda.set_device(own)
    return own


def prepare(settings: Settings, local: int | None = None) -> torch.device:
    """Makes this process ready for a run: CPU threads, determinism, and its device.

    Args:
        settings: of the run.
        local: as in `choose_device`.
    """
    torch.set_num_threads(settings.runtime.threads or available_cores())  # sums depend on it, so a run keeps its number
    set_determinism(settings.determinism)
    return choose_device(settings.runtime.device, local)


def loader_workers(wanted: int | None, device: torch.device) -> int:
    """The number asked for; by default none beside a training on CPU, and up to 8 beside one on GPU."""
    if wanted is not None:
        return wanted
    return 0 if device.type == "cpu" else min(8, available_cores())


def set_determinism(level: Determinism) -> None:
    """Applies the level to torch; `strict` makes an operation without a deterministic form an error."""
    torch.backends.cudnn.deterministic = level is not Determinism.off
    torch.backends.cudnn.benchmark = level is Determinism.off
    if level is Determinism.strict:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(level is Determinism.strict)


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """The number format of a forward pass; nothing for fp32."""
    if precision is Precision.fp32:
        return nullcontext()
    return torch.autocast(device.type, dtype=AUTOCAST[precision])
