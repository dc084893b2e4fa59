"""Runs by two processes, as torchrun starts them: what they leave, how they are stopped, and how they fail."""

import os
import signal
import time

import pytest
import torch

from repro.data import Shapes
from repro.engine.ranks import own_rank
from repro.errors import DataError
from repro.run.command import main as a_run
from repro.run.lifecycle import run
from repro.store.journal import read_journal
from repro.store.status import RunState
from tests.forked import Forked
from tests.tiny import TINIEST
from tests.tiny_runs import final_weights, folder_of, tiniest

PLAIN = ["head.dropout=0"]
LONG = [*PLAIN, "schedule.length=4000 steps", "runtime.log_every_steps=1"]


class Torn(Shapes):
    """Images of which the second process can read none."""

    def load(self, index):
        if self.split == "train" and own_rank().number == 1:
            raise DataError(f"image {index} is damaged")
        return super().load(index)


def ranked(words):
    """`repro run` as one of several processes, which the first words name."""
    number = next(place for place, word in enumerate(words) if "=" in word and not word.startswith("env:"))
    os.environ.update(word.removeprefix("env:").split("=", 1) for word in words[:number])
    return a_run(words[number:])


@pytest.fixture
def started(tmp_path):
    """Starts a run by so many processes."""
    found = []

    def start(configuration, size=2):
        words = [*TINIEST, *configuration.overrides[len(TINIEST) :], f"outputs={configuration.settings.outputs}"]
        together = [f"env:WORLD_SIZE={size}", f"env:REPRO_LAUNCH={len(found)}-{tmp_path.name}"]
        processes = [
            Forked(ranked, [f"env:RANK={number}", *together, *words], tmp_path / f"{len(found)}-{number}")
            for number in range(size)
        ]
        found.extend(processes)
        return processes

    yield start
    for process in found:
        process.kill()


def of_record(folder, evaluation_id):
    record = folder.read_record(evaluation_id)
    return record.image_confusions_sha256, record.scores


def test_two_processes_leave_what_one_leaves(tmp_path, started):
    alone = tiniest(tmp_path / "alone", *PLAIN, "evaluation.masks=true", "evaluation.panels=2")
    run(alone)
    both = tiniest(tmp_path / "both", *PLAIN, "evaluation.masks=true", "evaluation.panels=2")
    leading, following = started(both)
    assert [leading.wait(), following.wait()] == [0, 0], leading.text + following.text
    assert following.text == ""
    one, other = folder_of(alone), folder_of(both)
    for name, value in final_weights(one).items():
        torch.testing.assert_close(final_weights(other)[name], value, rtol=1e-4, atol=1e-4)
    pictures = [sorted(path.relative_to(folder.path) for path in folder.path.rglob("*.png")) for folder in (one, other)]
    assert pictures[0] == pictures[1]
    assert len(pictures[0]) == 6
    record = other.read_record(both.evaluation_id)
    assert record.provenance["processes"] == 2
    assert record.provenance["training"]["layout"] == {
        "processes": 2, "machines": 1, "images_per_process": 2, "pass_images": 2, "batch_norm": "over 2 processes",
        "recomputed": False,
    }  # fmt: skip
    started_events = [event for event in read_journal(other.journal_path).events if event.kind == "started"]
    assert [event.fields["processes"] for event in started_events] == [2]


def test_the_weights_of_one_process_are_measured_alike_by_two(tmp_path, started):
    trained = tiniest(tmp_path / "outputs", *PLAIN)
    run(trained)
    before = of_record(folder_of(trained), trained.evaluation_id)
    again = tiniest(tmp_path / "outputs", *PLAIN, "force=evaluation")
    codes = [process.wait() for process in started(again)]
    assert codes == [0, 0]
    record = folder_of(trained).read_record(trained.evaluation_id)
    assert record.provenance["processes"] == 2
    assert of_record(folder_of(trained), trained.evaluation_id) == before


def test_a_signal_to_any_stops_all_after_a_checkpoint(tmp_path, started):
    long = tiniest(tmp_path / "outputs", *LONG)
    folder = folder_of(long)
    leading, following = started(long)
    leading.wait_until(lambda: folder.journal_path.exists() and '"step":3' in folder.journal_path.read_text())
    following.send_signal(signal.SIGTERM)
    assert [leading.wait(), following.wait()] == [143, 143], leading.text + following.text
    status = folder.read_status()
    assert status.state is RunState.INTERRUPTED
    assert "after a checkpoint" in status.message
    assert folder.checkpoints.files()


def test_what_one_process_fails_of_is_told_as_the_run_s_failure(tmp_path, started):
    torn = tiniest(tmp_path / "outputs", *PLAIN, "dataset._target_=tests.run.test_together.Torn")
    folder = folder_of(torn)
    leading, following = started(torn)
    assert [leading.wait(), following.wait()] == [2, 2], leading.text + following.text
    status = folder.read_status()
    assert status.state is RunState.FAILED
    assert status.message.startswith("process 1, on ")
    assert "is damaged" in status.message
    assert status.message in leading.stderr
    assert following.text == ""


def test_one_that_is_killed_takes_the_others_down_within_seconds(tmp_path, started):
    long = tiniest(tmp_path / "outputs", *LONG)
    folder = folder_of(long)
    leading, following = started(long)
    leading.wait_until(lambda: folder.journal_path.exists() and '"step":3' in folder.journal_path.read_text())
    following.send_signal(signal.SIGKILL)
    since = time.monotonic()
    assert leading.wait() == 2
    assert time.monotonic() - since < 30
    status = folder.read_status()
    assert status.state is RunState.FAILED
    assert "another of the 2 processes has ended without a word" in status.message


def test_so_many_that_cannot_share_a_batch_are_refused_once(tmp_path, started):
    leading, *following = started(tiniest(tmp_path / "outputs", *PLAIN), 3)
    assert [process.wait() for process in (leading, *following)] == [2, 2, 2]
    assert "3 processes cannot share schedule.batch_size=4 evenly" in leading.stderr
    assert "give 2 or 4." in leading.stderr
    assert [process.text for process in following] == ["", ""]
