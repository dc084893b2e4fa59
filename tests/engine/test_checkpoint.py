import copy
import errno
import logging

import pytest
import torch
from torch import nn

from repro.engine import tensor_files
from repro.engine.checkpoint import CheckpointFolder, TrainingState
from repro.errors import StoreError
from repro.store.checkpoints import CheckpointFiles
from tests.faults import flipped


def state(seed=0):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, fused=True)
    return TrainingState(model, optimiser, torch.amp.GradScaler("cpu", enabled=True))


def advance(training, steps):
    for _ in range(steps):
        training.optimiser.zero_grad()
        loss = training.model(torch.randn(2, 3, 8, 8)).square().sum()
        training.scaler.scale(loss).backward()
        training.scaler.step(training.optimiser)
        training.scaler.update()
        training.step += 1
        training.wall_seconds += 0.5


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.fixture
def files(tmp_path):
    return CheckpointFiles(tmp_path / "checkpoints")


@pytest.fixture
def folder(files):
    return CheckpointFolder(files)


def test_everything_with_state_goes_on_bit_for_bit(folder):
    straight = state()
    advance(straight, 3)
    folder.save(straight)
    expected = copy.deepcopy(straight.state_dict())
    advance(straight, 4)
    resumed = state(seed=99)
    assert folder.restore(resumed) == 3
    assert same(resumed.state_dict(), expected)
    advance(resumed, 4)
    assert same(resumed.state_dict(), straight.state_dict())


def test_two_checkpoints_are_kept(folder, files):
    training = state()
    for _ in range(4):
        advance(training, 1)
        folder.save(training)
    assert [file.name for file in files.files()] == ["step_000000003.pt", "step_000000004.pt"]


@pytest.mark.parametrize("damage", ["truncated", "empty", "garbage", "flipped", "another run's"])
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(folder, files, damage, caplog):
    training = state()
    for _ in range(2):
        advance(training, 1)
        folder.save(training)
    newest = files.files()[-1]
    content = newest.read_bytes()
    damaged = {
        "truncated": content[: len(content) // 2],
        "empty": b"",
        "garbage": b"x" * 5000,
        "flipped": flipped(content),
        "another run's": tensor_files.sealed(training.state_dict(), "another run"),
    }
    newest.write_bytes(damaged[damage])
    resumed, later = state(), CheckpointFolder(files)
    with caplog.at_level(logging.WARNING):
        assert later.find()
        assert later.restore(resumed) == 1
    assert "step_000000002" in caplog.text
    assert newest.with_name(f"{newest.name}.damaged").exists()


def test_if_all_are_damaged_the_training_begins_as_if_there_were_none(folder, files):
    advance(training := state(), 1)
    file = folder.save(training)
    file.write_bytes(flipped(file.read_bytes()))
    assert not folder.find()
    assert folder.restore(state()) is None
    assert files.files() == []


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_a_checkpoint_without_its_best_weights_is_not_gone_on_from(folder, files, damage):
    training = state()
    for step in (1, 2):
        advance(training, 1)
        training.best_step = step
        folder.save_best(training)
        folder.save(training)
    best = files.best_file(2)
    if damage == "gone":
        best.unlink()
    else:
        best.write_bytes(flipped(best.read_bytes()))
    resumed = state()
    assert folder.restore(resumed) == 1
    assert resumed.best_step == 1
    assert [file.name for file in files.files()] == ["step_000000001.pt"]


def test_the_disk_that_refuses_a_file_says_nothing_about_it(folder, files, monkeypatch):
    advance(training := state(), 1)
    file = folder.save(training)

    def refuse(path):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.read_bytes", refuse)
        with pytest.raises(StoreError, match=r"step_000000001\.pt cannot be read: Input/output error"):
            folder.find()
    assert files.files() == [file]
    assert folder.restore(state()) == 1


def test_without_checkpoints_nothing_is_restored(folder):
    assert not folder.find()
    assert folder.restore(state()) is None
    folder.save(state())
    assert folder.find()


def test_a_checkpoint_of_another_network_is_an_error_that_names_the_file(folder):
    advance(training := state(), 1)
    folder.save(training)
    other = state()
    other.model.append(nn.Conv2d(4, 4, 1))
    with pytest.raises(StoreError, match="step_000000001"):
        folder.restore(other)


def test_best_weights_are_kept_by_their_step(folder, files):
    training = state()
    advance(training, 1)
    training.best_step = 1
    folder.save_best(training)
    first = copy.deepcopy(training.model.state_dict())
    folder.save(training)
    advance(training, 1)
    assert same(folder.load_best(training), first)
    training.best_step = 2
    folder.save_best(training)
    folder.save(training)
    assert [file.name for file in files.best_files()] == ["best_000000001.pt", "best_000000002.pt"]
    advance(training, 1)
    folder.save(training)
    assert [file.name for file in files.best_files()] == ["best_000000002.pt"]
    folder.clear()
    assert list(files.path.iterdir()) == []


def test_a_buffer_of_another_memory_format_is_laid_out_as_its_parameter(folder):
    training = state()
    training.model.to(memory_format=torch.channels_last)
    advance(training, 2)
    folder.save(training)
    resumed = state()
    folder.restore(resumed)
    weight = resumed.model[0].weight
    buffer = resumed.optimiser.state[weight]["momentum_buffer"]
    assert buffer.stride() == weight.stride()
    assert torch.equal(buffer, training.optimiser.state[training.model[0].weight]["momentum_buffer"])


def test_a_best_step_that_another_process_named_is_kept_until_its_checkpoints_are_gone(folder, files):
    training = state()
    advance(training, 1)
    training.best_step = 1
    folder.save_best(training)
    folder.save(training)
    resumed, later = state(), CheckpointFolder(files)
    later.restore(resumed)
    assert resumed.best_step == 1
    advance(resumed, 1)
    resumed.best_step = 2
    later.save_best(resumed)
    later.save(resumed)
    assert [file.name for file in files.best_files()] == ["best_000000001.pt", "best_000000002.pt"]
    advance(resumed, 1)
    later.save(resumed)
    assert [file.name for file in files.best_files()] == ["best_000000002.pt"]
