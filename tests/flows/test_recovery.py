"""What a cluster does to a run: killed at any moment, asked to end, started twice, checkpoints torn."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from repro.config import identity
from repro.config.compose import compose
from repro.store.run_folder import RunFolder
from tests.tiny import TINY

pytestmark = pytest.mark.slow
RUN = [
    *TINY,
    "schedule.length=60 steps",
    "head.dropout=0.3",
    "validation.every=20 steps",
    "runtime.checkpoint_seconds=0",
]


def start(outputs: Path, *extra: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "repro", *RUN, f"outputs={outputs}", *extra],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def finish(outputs: Path, *extra: str) -> dict[str, torch.Tensor]:
    process = start(outputs, *extra)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return torch.load(folder_of(outputs, *extra).path / "weights.pt", weights_only=True)["model"]


def folder_of(outputs: Path, *extra: str) -> RunFolder:
    return RunFolder(outputs / "runs", identity.run_id(compose([*RUN, f"outputs={outputs}", *extra])))


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def wait_for_checkpoint(folder: RunFolder, process: subprocess.Popen, beyond: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        steps = [int(file.stem.removeprefix("step_")) for file in folder.checkpoints_path.glob("step_*.pt")]
        if max(steps, default=0) > beyond:
            return
        time.sleep(0.002)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("straight"))


def test_ten_kills_at_random_moments_change_no_bit(tmp_path, straight):
    moments = random.Random(20)
    folder = folder_of(tmp_path)
    for kill in range(10):
        process = start(tmp_path)
        wait_for_checkpoint(folder, process, beyond=4 * kill)
        time.sleep(moments.uniform(0, 0.3))
        process.kill()
        process.communicate()
    assert same(finish(tmp_path), straight)
    record = folder.records()[0]
    assert record.steps == 60
    kinds = [event["event"] for event in journal_events(folder)]
    assert kinds.count("resumed") >= 5


def journal_events(folder: RunFolder) -> list[dict]:
    import json

    lines = [line for line in folder.journal_path.read_text().splitlines() if line.strip()]
    events = []
    for line in lines:
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if "event" in content:
            events.append(content)
    return events


def test_the_old_weights_of_replicas_survive_a_kill(tmp_path, tmp_path_factory):
    replicas = "schedule.replicas=4"
    straight = finish(tmp_path_factory.mktemp("replicas"), replicas)
    process = start(tmp_path, replicas)
    wait_for_checkpoint(folder_of(tmp_path, replicas), process, beyond=10)
    process.kill()
    process.communicate()
    assert same(finish(tmp_path, replicas), straight)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_saves_and_goes_on(tmp_path, straight, number):
    process = start(tmp_path, "runtime.checkpoint_seconds=1000")
    folder = folder_of(tmp_path)
    deadline = time.monotonic() + 120
    while not (folder.journal_path.exists() and b'"loss"' in folder.journal_path.read_bytes()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 128 + number, output
    assert f"stopped by {number.name} at step" in output
    assert "Traceback" not in output
    assert folder.read_status().state == "INTERRUPTED"
    assert same(finish(tmp_path), straight)


def test_a_torn_newest_checkpoint_costs_one_interval(tmp_path, straight):
    process = start(tmp_path)
    folder = folder_of(tmp_path)
    wait_for_checkpoint(folder, process, beyond=10)
    process.kill()
    process.communicate()
    newest = sorted(folder.checkpoints_path.glob("step_*.pt"))[-1]
    newest.write_bytes(newest.read_bytes()[:3000])
    assert same(finish(tmp_path), straight)
    assert newest.name in (folder.path / "run.log").read_text()


def test_two_processes_asking_for_one_run_do_not_corrupt_it(tmp_path, straight):
    processes = [start(tmp_path) for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    codes = [process.returncode for process in processes]
    assert 0 in codes, outputs
    if codes != [0, 0]:  # unless the second came after the first was done
        refused = outputs[codes.index(max(codes))]
        assert "is held by pid" in refused or "already there" in refused, refused
    assert same(finish(tmp_path), straight)
    assert len(folder_of(tmp_path).records()) == 1


def test_a_kill_during_the_evaluation_keeps_the_training(tmp_path, straight):
    process = start(tmp_path, "dataset.val_images=200")
    folder = folder_of(tmp_path, "dataset.val_images=200")
    while not (folder.path / "weights.pt").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    stamp = (folder.path / "weights.pt").stat().st_mtime_ns
    finish(tmp_path, "dataset.val_images=200")
    assert (folder.path / "weights.pt").stat().st_mtime_ns == stamp
    assert folder.records()[0].provenance["evaluated_split"]["images"] == 200
