"""Tests of a loader's processes: how they start, which signals end them, and that none is left behind."""

import multiprocessing
import os
import signal
import subprocess
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch
from torch import Tensor

from repro.data.loaders import evaluation_loader, training_loader
from repro.data.transforms import Augmentation
from repro.data.workers import signals_held_back, worker_settings
from repro.errors import DataError
from tests.data.numbered import Numbered, Witness, batches, same

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),  # on machines with few cores
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),  # Python 3.12 and 3.13
]


def test_workers_have_one_thread_and_leave_signals_to_the_parent() -> None:
    before = signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    facts = [label[0].tolist() for _, _, label in evaluation_loader(Witness(6), workers=2)]
    assert {fact[0] for fact in facts} == {1, 2}
    assert {tuple(fact[1:]) for fact in facts} == {(1, 1)}
    assert (signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, [])) == before


def test_without_workers_nothing_of_them_is_set() -> None:
    assert worker_settings(0, 2, "spawn").keys() == {"num_workers", "generator"}
    settings = worker_settings(3, 0, "spawn")
    assert (settings["num_workers"], settings["prefetch_factor"], settings["multiprocessing_context"]) == (
        3,
        1,
        "spawn",
    )


def test_signals_are_held_back_while_workers_start_and_come_afterwards() -> None:
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        with signals_held_back():
            # To this thread: one sent to the process may reach another, which holds nothing back.
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            assert received == []
        assert received == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


class Fatal(Numbered):
    """Items that end the process that reads them."""

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        assert torch.utils.data.get_worker_info() is not None
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("alive")


def test_a_killed_worker_is_explained() -> None:
    with pytest.raises(DataError, match="a loader worker was killed, most often for lack of memory; start again with"):
        batches(Fatal(18), workers=1)


def test_abandoned_loader_leaves_no_process() -> None:
    before = set(children(os.getpid()))
    loader = training_loader(Numbered(18), Augmentation(), seed=0, batch_size=4, total_steps=100_000, workers=2)
    iterator = iter(loader)
    next(iterator)
    assert len(set(children(os.getpid())) - before) == 2
    del iterator
    assert not set(children(os.getpid())) - before


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_neither_the_start_method_nor_signals_to_the_whole_job_change_anything(start_method: str) -> None:
    before = set(children(os.getpid()))
    augmentation = Augmentation(8, (0.5, 2.0))
    loader = training_loader(
        Numbered(18), augmentation, seed=3, batch_size=4, total_steps=300, workers=1, start_method=start_method
    )
    steps = 0
    for found, expected in zip(loader, batches(total_steps=300), strict=True):
        if steps % 100 == 0:
            (worker,) = [child for child in set(children(os.getpid())) - before if is_worker(child)]
            # Not from this process, which is the parent that may end its workers.
            sent = "; ".join(f"kill -{name} {worker}" for name in ("TERM", "INT", "USR1", "USR2", "CONT"))
            subprocess.run(["sh", "-c", sent], check=True)
        assert same([found], [expected])
        steps += 1
    assert steps == 300
    assert not [child for child in set(children(os.getpid())) - before if is_worker(child)]


def train_for_ever(under_way: Connection) -> None:
    """A process that trains until it is ended, and tells once it has begun."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    loader = training_loader(Numbered(18), Augmentation(), seed=0, batch_size=2, total_steps=10**9, workers=2)
    try:
        for number, _ in enumerate(loader):
            if number == 3:
                under_way.send(True)
    except KeyboardInterrupt:
        pass


def test_workers_end_with_their_parent() -> None:
    fork = multiprocessing.get_context("fork")
    workers: list[int] = []
    for number in (signal.SIGKILL, signal.SIGINT):
        told, tells = fork.Pipe(duplex=False)
        parent = fork.Process(target=train_for_ever, args=(tells,))
        parent.start()
        assert parent.pid is not None
        assert told.poll(30)
        found = children(parent.pid)
        assert len(found) == 2
        workers += found
        os.kill(parent.pid, number)
        parent.join(timeout=30)
        assert parent.exitcode == (0 if number == signal.SIGINT else -number)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(is_running(worker) for worker in workers):
        time.sleep(0.1)
    assert not [worker for worker in workers if is_running(worker)]


def children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def is_worker(process: int) -> bool:
    return "resource_tracker" not in Path(f"/proc/{process}/cmdline").read_text()


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
