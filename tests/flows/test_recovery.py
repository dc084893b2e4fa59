"""What a cluster does to a run: killed at any moment, asked to end, started twice, checkpoints torn."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repro.store.journal import read_journal
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from tests.forked import LONGEST_SECONDS, Forked
from tests.places import REPOSITORY
from tests.tiny import TINIEST
from tests.tiny_runs import final_weights, folder_of, same_weights, tiniest

RUN = ["schedule.length=40 steps", "head.dropout=0.3", "validation.every=20 steps", "runtime.checkpoint_seconds=0"]


def command(outputs: Path, *extra: str) -> list[str]:
    return [*TINIEST, *RUN, f"outputs={outputs}", *extra]


@pytest.fixture(scope="module")
def finish(runs):
    """Carries a run out, or on to its end; returns its weights."""

    def finished(outputs: Path, *extra: str):
        done = runs.finish(command(outputs, *extra))
        assert done.returncode == 0, done.stdout + done.stderr
        return final_weights(run_folder(outputs, *extra))

    return finished


@pytest.fixture(scope="module")
def straight(tmp_path_factory, finish):
    """The weights of a run that nothing happens to."""
    return finish(tmp_path_factory.mktemp("straight"))


def run_folder(outputs: Path, *extra: str) -> RunFolder:
    return folder_of(tiniest(outputs, *RUN, *extra))


def wait_for_checkpoint(folder: RunFolder, process: Forked, beyond: int) -> None:
    process.wait_until(lambda: (folder.checkpoints.newest_step() or 0) > beyond)


def kill(process: Forked) -> None:
    process.kill()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_no_bit(tmp_path, straight, runs, finish):
    moments = random.Random(20)
    folder = run_folder(tmp_path)
    for number in range(10):
        process = runs.start(command(tmp_path))
        wait_for_checkpoint(folder, process, beyond=2 * number)
        time.sleep(moments.uniform(0, 0.05))
        kill(process)
    assert same_weights(finish(tmp_path), straight)
    (record,) = folder.records()
    assert record.steps == 40
    assert record.provenance["restarts"] >= 5  # the other kills came before a process could take the run up
    events = [event.kind for event in read_journal(folder.journal_path).events]
    assert events.count("resumed") == record.provenance["restarts"]


def test_the_old_weights_of_replicas_survive_a_kill(tmp_path, runs, finish):
    replicas = "schedule.replicas=4"
    process = runs.start(command(tmp_path / "killed", replicas))
    wait_for_checkpoint(run_folder(tmp_path / "killed", replicas), process, beyond=10)
    kill(process)
    assert same_weights(finish(tmp_path / "killed", replicas), finish(tmp_path / "straight", replicas))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_saves_and_goes_on(tmp_path, straight, runs, finish, number):
    process = runs.start(command(tmp_path, "runtime.checkpoint_seconds=1000"))
    folder = run_folder(tmp_path)
    process.wait_until(lambda: read_journal(folder.journal_path).points)
    process.send_signal(number)
    assert process.wait() == 128 + number, process.text
    assert f"stopped by {number.name} at step" in process.stderr
    assert "Traceback" not in process.text
    assert folder.read_status().state is RunState.INTERRUPTED
    assert folder.checkpoints.newest_step() > 0
    assert same_weights(finish(tmp_path), straight)


@pytest.mark.slow
def test_ctrl_c_on_the_command_that_a_person_types(tmp_path, straight, finish):
    process = subprocess.Popen(
        [sys.executable, "-m", "repro", *command(tmp_path, "runtime.checkpoint_seconds=1000")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    folder = run_folder(tmp_path)
    deadline = time.monotonic() + LONGEST_SECONDS
    while not read_journal(folder.journal_path).points:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 128 + signal.SIGINT, output
    assert "stopped by SIGINT at step" in output
    assert "Traceback" not in output
    assert same_weights(finish(tmp_path), straight)


def test_a_torn_newest_checkpoint_costs_one_interval(tmp_path, straight, runs, finish):
    process = runs.start(command(tmp_path))
    folder = run_folder(tmp_path)
    wait_for_checkpoint(folder, process, beyond=10)
    kill(process)
    newest = folder.checkpoints.files()[-1]
    newest.write_bytes(newest.read_bytes()[:3000])
    assert same_weights(finish(tmp_path), straight)
    assert newest.name in folder.log_path.read_text()


def test_two_processes_asking_for_one_run_do_not_corrupt_it(tmp_path, straight, runs, finish):
    processes = [runs.start(command(tmp_path)) for _ in range(2)]
    codes = [process.wait() for process in processes]
    assert 0 in codes, [process.stderr for process in processes]
    if codes != [0, 0]:  # unless the second came after the first was done
        refused = processes[codes.index(max(codes))]
        assert "is held by pid" in refused.stderr
    assert same_weights(finish(tmp_path), straight)
    assert len(run_folder(tmp_path).records()) == 1


def test_a_kill_during_the_evaluation_keeps_the_training(tmp_path, runs, finish):
    long = ["schedule.length=6 steps", "dataset.val_images=400"]
    process = runs.start(command(tmp_path, *long))
    folder = run_folder(tmp_path, *long)
    process.wait_until(lambda: folder.has_weights)
    kill(process)
    assert folder.records() == []
    stamp = folder.weights_path.stat().st_mtime_ns
    finish(tmp_path, *long)
    assert folder.weights_path.stat().st_mtime_ns == stamp
    assert folder.records()[0].provenance["evaluated_split"]["images"] == 400
