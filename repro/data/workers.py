"""The processes of a loader: how they start, and which signals end them."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

import torch

LEFT_TO_PARENT = {signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT}
"""What a worker ignores: Ctrl-C, and the notices by which a cluster announces that a job's time ends."""


def worker_settings(workers: int, prefetch: int, start_method: str | None) -> dict[str, Any]:
    """The settings of a torch `DataLoader` that concern its processes; for the arguments see `training_loader`."""
    # The generator keeps torch from drawing the workers' base seed, which nothing here uses, from the global one.
    settings: dict[str, Any] = {"num_workers": workers, "generator": torch.Generator()}
    if workers > 0:
        settings |= {"prefetch_factor": max(prefetch, 1), "worker_init_fn": _start_worker}
        settings |= {"multiprocessing_context": start_method}
        if multiprocessing.get_context(start_method).get_start_method() != "fork":
            # Spawned workers need Python's resource tracker, whose start would let signals through that are held back.
            with signals_held_back():
                resource_tracker.ensure_running()
    return settings


def _start_worker(worker: int) -> None:
    """Leaves the signals that terminals and clusters send to all processes of a job to the parent.

    Only the parent's own SIGTERM ends a worker, or else a parent that fails would wait for its workers for ever.
    """
    for number in LEFT_TO_PARENT:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, LEFT_TO_PARENT)
    parent = multiprocessing.parent_process()
    # macOS cannot tell who sent a signal; there torch's own handling stays.
    if parent is None or parent.pid is None or not hasattr(signal, "sigwaitinfo"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with, args=(parent.pid,), daemon=True).start()


def _end_with(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Workers that this thread starts meanwhile inherit its mask: signals reach them once they are ready."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*LEFT_TO_PARENT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
