"""Tests of the loaders: the batch of a step depends on the seed and the step, and on nothing else."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import get_worker_info

from repro.data.loaders import evaluation_loader, steps_per_epoch, training_loader
from repro.data.spec import SegmentationDataset
from repro.data.transforms import Augmentation
from repro.errors import DataError
from tests.places import REPOSITORY

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),  # on machines with few cores
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),  # Python 3.12 and 3.13
]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY)}
Batches = list[tuple[Tensor, Tensor]]


class Numbered(SegmentationDataset):
    """Items that carry their index in every pixel."""

    name = "numbered"
    class_names = tuple(map(str, range(100)))
    palette = tuple((value, value, value) for value in range(100))

    def __init__(self, length: int, *, damaged: int | None = None, uneven: bool = False) -> None:
        super().__init__("train", [f"item{index}" for index in range(length)])
        self.damaged, self.uneven = damaged, uneven

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        if index == self.damaged:
            raise DataError(f"image file item{index}.jpg is damaged.")
        columns = 12 + (index % 2 if self.uneven else 0)
        image = torch.arange(columns, dtype=torch.uint8).repeat(3, 10, 1)
        return image, torch.full((10, columns), index, dtype=torch.uint8)


class Witness(Numbered):
    """Items that tell about the process that read them."""

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        info = get_worker_info()
        ignores_interrupts = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        facts = [0 if info is None else 1 + info.id, torch.get_num_threads(), int(ignores_interrupts)]
        return torch.zeros((3, 1, 3), dtype=torch.uint8), torch.tensor([facts], dtype=torch.uint8)


def _batches(dataset: SegmentationDataset | None = None, **changes: object) -> Batches:
    arguments: dict[str, object] = {"seed": 3, "batch_size": 4, "total_steps": 13} | changes
    augmentation = Augmentation(8, (0.5, 2.0))
    return list(training_loader(dataset or Numbered(18), augmentation, **arguments))  # type: ignore[arg-type]


def _same(one: Batches, other: Batches) -> bool:
    return len(one) == len(other) and all(
        torch.equal(a, b) for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True)
    )


def test_shapes_and_memory_format() -> None:
    loader = training_loader(Numbered(9), Augmentation(), seed=0, batch_size=4, total_steps=5)
    assert len(loader) == 5
    for image, label in loader:
        assert (image.shape, image.dtype) == ((4, 3, 10, 12), torch.uint8)
        assert image.is_contiguous(memory_format=torch.channels_last)
        assert (label.shape, label.dtype) == ((4, 10, 12), torch.uint8)


@given(length=st.integers(1, 40), batch_size=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_each_epoch_visits_every_image_at_most_once(length: int, batch_size: int, seed: int) -> None:
    if length < batch_size:
        return
    per_epoch = steps_per_epoch(length, batch_size)
    loader = training_loader(
        Numbered(length), Augmentation(), seed=seed, batch_size=batch_size, total_steps=2 * per_epoch
    )
    order = [label[:, 0, 0].tolist() for _, label in loader]
    for epoch in (order[:per_epoch], order[per_epoch:]):
        visited = [index for batch in epoch for index in batch]
        assert len(visited) == len(set(visited)) == per_epoch * batch_size


def test_epochs_and_seeds_differ() -> None:
    def order(seed: int, steps: int) -> list[int]:
        loader = training_loader(Numbered(40), Augmentation(), seed=seed, batch_size=40, total_steps=steps)
        return [int(index) for _, label in loader for index in label[:, 0, 0]]

    first, second = order(0, 2)[:40], order(0, 2)[40:]
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second
    assert first != order(1, 1)
    assert first == order(0, 1)


@given(first_step=st.integers(0, 13))
@settings(max_examples=14, deadline=None)
def test_resumed_batches_are_those_of_the_whole_run(first_step: int) -> None:
    assert _same(_batches(first_step=first_step), _batches()[first_step:])


def test_a_longer_run_begins_with_the_shorter_one() -> None:
    assert _same(_batches(total_steps=20)[:13], _batches())


@pytest.mark.parametrize("workers", [1, 3])
def test_number_of_workers_changes_nothing(workers: int) -> None:
    assert _same(_batches(workers=workers), _batches())
    assert _same(_batches(workers=workers, prefetch=5, first_step=6), _batches()[6:])


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_start_method_changes_nothing(start_method: str) -> None:
    assert _same(_batches(workers=2, start_method=start_method, total_steps=4), _batches(total_steps=4))


def test_augmentation_differs_between_items_and_epochs() -> None:
    """A data set of one image, many times over: every place in every epoch is augmented differently."""
    images = [image for batch, _ in _batches(Numbered(1), batch_size=1, total_steps=30) for image in batch]
    assert len({image.numpy().tobytes() for image in images}) > 15


def test_can_be_iterated_again_from_the_start() -> None:
    loader = training_loader(Numbered(18), Augmentation(), seed=0, batch_size=4, total_steps=6)
    assert _same(list(loader), list(loader))


@pytest.mark.parametrize("workers", [0, 2])
def test_global_generators_are_untouched(workers: int) -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    _batches(workers=workers)
    list(evaluation_loader(Numbered(3), workers=workers))
    drawn = float(torch.rand(())), float(np.random.rand()), random.random()
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    assert drawn == (float(torch.rand(())), float(np.random.rand()), random.random())


@given(seed=st.integers(0, 2**31), noise=st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_global_generators_have_no_say(seed: int, noise: int) -> None:
    expected = _batches(seed=seed, total_steps=3)
    torch.manual_seed(noise)
    np.random.seed(noise)
    assert _same(_batches(seed=seed, total_steps=3), expected)


def test_workers_have_one_thread_and_leave_signals_to_the_parent() -> None:
    facts = [label[0].tolist() for _, _, label in evaluation_loader(Witness(6), workers=2)]
    assert {fact[0] for fact in facts} == {1, 2}
    assert {tuple(fact[1:]) for fact in facts} == {(1, 1)}
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.parametrize("workers", [0, 2])
def test_evaluation_goes_in_order_at_native_size(workers: int) -> None:
    loader = evaluation_loader(Numbered(7, uneven=True), workers=workers)
    assert len(loader) == 7
    items = list(loader)
    assert [index for index, _, _ in items] == list(range(7))
    assert [int(label[0, 0]) for _, _, label in items] == list(range(7))
    assert [image.shape[-1] for _, image, _ in items] == [12, 13, 12, 13, 12, 13, 12]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_damaged_file_is_one_sentence(workers: int) -> None:
    with pytest.raises(DataError) as error:
        _batches(Numbered(18, damaged=5), workers=workers)
    assert str(error.value) == "image file item5.jpg is damaged."
    seen = []
    with pytest.raises(DataError) as error:
        seen.extend(index for index, _, _ in evaluation_loader(Numbered(9, damaged=5), workers=workers))
    assert str(error.value) == "image file item5.jpg is damaged."
    assert seen == [0, 1, 2, 3, 4]


def test_several_sizes_without_a_crop_are_explained() -> None:
    loader = training_loader(Numbered(8, uneven=True), Augmentation(), seed=0, batch_size=8, total_steps=1)
    with pytest.raises(DataError, match=r"image 'item\d' is 1[23]x10 pixels.*set schedule.augmentation.crop_size"):
        list(loader)


def test_too_few_images_are_refused_at_once() -> None:
    with pytest.raises(DataError, match="holds 3 images, fewer than one batch of 4"):
        training_loader(Numbered(3), Augmentation(), seed=0, batch_size=4, total_steps=1)


FATAL = """
import os, signal
from repro.data import Augmentation, Shapes, training_loader
from repro.errors import DataError
class Fatal(Shapes):
    def load(self, index):
        os.kill(os.getpid(), signal.SIGKILL)
if __name__ == "__main__":
    loader = training_loader(Fatal("train"), Augmentation(), seed=0, batch_size=2, total_steps=9, workers=1)
    try:
        list(loader)
    except DataError as error:
        print(error)
"""


def test_a_killed_worker_is_explained(tmp_path: Path) -> None:
    (tmp_path / "fatal.py").write_text(FATAL)
    ended = subprocess.run(
        [sys.executable, tmp_path / "fatal.py"], capture_output=True, text=True, env=ENVIRONMENT, timeout=60
    )
    assert "a loader worker was killed, most often for lack of memory" in ended.stdout


def test_abandoned_loader_leaves_no_process() -> None:
    before = set(_children(os.getpid()))
    loader = training_loader(Numbered(18), Augmentation(), seed=0, batch_size=4, total_steps=100_000, workers=2)
    iterator = iter(loader)
    next(iterator)
    assert len(set(_children(os.getpid())) - before) == 2
    del iterator
    assert not set(_children(os.getpid())) - before


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_signals_to_the_whole_job_do_not_end_workers(start_method: str) -> None:
    before = set(_children(os.getpid()))
    loader = training_loader(
        Numbered(18), Augmentation(), seed=0, batch_size=4, total_steps=300, workers=1, start_method=start_method
    )
    steps = 0
    for _ in loader:
        if steps % 100 == 0:
            (worker,) = [child for child in set(_children(os.getpid())) - before if _is_worker(child)]
            # Not from this process, which is the parent that may end its workers.
            subprocess.run(["sh", "-c", f"kill -TERM {worker}; kill -INT {worker}"], check=True)
        steps += 1
    assert steps == 300
    assert not [child for child in set(_children(os.getpid())) - before if _is_worker(child)]


ORPHANS = """
from repro.data import Augmentation, Shapes, training_loader
if __name__ == "__main__":
    loader = training_loader(Shapes("train"), Augmentation(), seed=0, batch_size=2, total_steps=100000, workers=2)
    for number, _ in enumerate(loader):
        if number == 3:
            print("under way", flush=True)
"""


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(ORPHANS)
    command = [sys.executable, str(tmp_path / "train.py")]
    parents = {
        number: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        for number in (signal.SIGKILL, signal.SIGINT)
    }
    workers: list[int] = []
    for number, parent in parents.items():
        assert parent.stdout is not None
        with parent.stdout:
            assert parent.stdout.readline() == b"under way\n"
        assert len(_children(parent.pid)) >= 2
        workers += _children(parent.pid)
        parent.send_signal(number)
        parent.wait(timeout=30)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(_is_running(worker) for worker in workers):
        time.sleep(0.1)
    assert not [worker for worker in workers if _is_running(worker)]


def _children(parent: int) -> list[int]:
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


def _is_worker(process: int) -> bool:
    return "resource_tracker" not in Path(f"/proc/{process}/cmdline").read_text()


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
