"""Peak memory of one call above its inputs: in a fresh process on CPU, by PyTorch's own count on GPU."""

import ctypes
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

Preparation = Callable[..., Callable[[], object]]
"""Makes the inputs, and returns what is measured; on CPU it travels to another process, so a module has it by name."""


def peak_mebibytes(prepare: Preparation, *arguments: object, device: str = "cpu") -> float:
    """MiB that one call of what `prepare` returns needs at most, beyond what there was before it; on CPU, on Linux."""
    if torch.device(device).type == "cuda":
        return _on_gpu(prepare, arguments)
    # Not fork: a fresh process has no memory of an earlier call to use again.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_on_cpu, prepare, arguments, torch.get_num_threads()).result()


def _on_cpu(prepare: Preparation, arguments: tuple[object, ...], threads: int) -> float:
    torch.set_num_threads(threads)
    call = prepare(*arguments)
    ctypes.CDLL(None).malloc_trim(0)  # what making the inputs left behind would be used again, and not counted
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = _resident_peak()
    call()
    return (_resident_peak() - before) / 1024


def _resident_peak() -> int:
    """High-water mark in KiB; that of `getrusage` would include the parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _on_gpu(prepare: Preparation, arguments: tuple[object, ...]) -> float:
    call = prepare(*arguments)
    call()  # what libraries take once
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - before) / 2**20
