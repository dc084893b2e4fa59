"""Whether a training fits the memory of its device, as far as `runtime.recompute=auto` goes by it."""

import logging
import os

import torch

from repro.config.configuration import Configuration
from repro.config.settings import Recompute
from repro.errors import ConfigError
from repro.experiments.memory import ROOM, memory_of

log = logging.getLogger(__name__)


def recomputes(configuration: Configuration, device: torch.device, processes: int = 1) -> bool:
    """Whether a training computes activations again: as it is told, or under `auto` where it would not fit otherwise.

    Processes that share a batch have as many images less each, so that a share of the count goes by their number.
    """
    runtime = configuration.settings.runtime
    if runtime.recompute is not Recompute.auto or runtime.compile:
        return runtime.recompute is Recompute.blocks
    try:
        needed = memory_of(configuration).training_bytes
    except ConfigError as error:
        log.warning("runtime.recompute=auto computes nothing again, since %s", error)
        return False
    return needed / processes > ROOM * memory_bytes(device)


def memory_bytes(device: torch.device) -> int:
    """Bytes of memory that a device has: a GPU's own, or the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
