import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from repro.errors import StoreError
from repro.store.lock import LockedError
from repro.store.run_folder import RUN_STATES, RunFolder, run_folders
from tests.example_runs import MATRIX, example_record, example_run


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path, "00000000000000aa")


def test_making_the_object_touches_nothing(folder: RunFolder) -> None:
    assert not folder.path.exists()
    assert folder.read_status() is None
    assert folder.records() == []
    assert not folder.has_evaluation("x")


def test_the_config_is_frozen_at_the_first_write(folder: RunFolder) -> None:
    assert folder.freeze_config("a: 1\n") == "a: 1\n"
    assert folder.freeze_config("a: 2\n") == "a: 1\n"
    assert folder.read_config() == "a: 1\n"


def test_a_missing_config_is_named(folder: RunFolder) -> None:
    with pytest.raises(StoreError, match=r"config\.yaml cannot be read"):
        folder.read_config()


def test_a_status_keeps_earlier_times_and_the_step(folder: RunFolder) -> None:
    for state in RUN_STATES:
        folder.write_status(state, step=7 if state == "RUNNING" else None)
    folder.write_status("FAILED", message="the loss is nan", reason={"step": 7})
    status = folder.read_status()
    assert status is not None
    assert (status.state, status.step, status.message) == ("FAILED", 7, "the loss is nan")
    assert status.extra == {"reason": {"step": 7}}
    assert set(status.times) == set(RUN_STATES)
    assert status.times["CREATED"] <= status.times["RUNNING"] <= status.times["FAILED"] <= status.updated


def test_an_unknown_state_is_refused(folder: RunFolder) -> None:
    with pytest.raises(ValueError, match="state must be one of"):
        folder.write_status("DONE")


@pytest.mark.parametrize("content", ["", '{"state": "RUNN', "[]", '{"state": "RUNNING"}', '{"unknown": 1}'])
def test_a_damaged_status_is_named_and_mended_by_the_next_write(folder: RunFolder, content: str) -> None:
    folder.write_status("RUNNING")
    folder.status_path.write_text(content)
    with pytest.raises(StoreError, match=r"status\.json"):
        folder.read_status()
    folder.write_status("FINISHED")
    status = folder.read_status()
    assert status is not None
    assert status.state == "FINISHED"


def test_a_status_with_a_foreign_state_is_damaged(folder: RunFolder) -> None:
    folder.write_status("RUNNING")
    content = json.loads(folder.status_path.read_text()) | {"state": "DONE"}
    folder.status_path.write_text(json.dumps(content))
    with pytest.raises(StoreError, match="names no state"):
        folder.read_status()


def test_record_and_matrix_come_back(folder: RunFolder) -> None:
    record = example_record(folder.run_id)
    path = folder.write_record(record, MATRIX)
    assert path == folder.record_path(record.evaluation_id)
    assert folder.has_evaluation(record.evaluation_id)
    assert folder.records() == [record]
    np.testing.assert_array_equal(folder.read_confusion(record), MATRIX)


def test_records_are_ordered_by_time(folder: RunFolder) -> None:
    for evaluation_id, created in (("aa", "2026-03-01T00:00:00+00:00"), ("bb", "2026-01-01T00:00:00+00:00")):
        folder.write_record(example_record(folder.run_id, evaluation_id, created=created), MATRIX)
    assert [record.evaluation_id for record in folder.records()] == ["bb", "aa"]


def test_a_record_of_another_run_or_matrix_is_refused(folder: RunFolder) -> None:
    with pytest.raises(StoreError, match="does not belong"):
        folder.write_record(example_record("00000000000000bb"), MATRIX)
    with pytest.raises(StoreError, match="another confusion matrix"):
        folder.write_record(example_record(folder.run_id), MATRIX + 1)
    assert not folder.evaluations_path.exists()


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@pytest.mark.parametrize("keep", [0, 0.5, 0.99])
def test_a_damaged_evaluation_counts_as_missing_and_is_named(folder: RunFolder, suffix: str, keep: float) -> None:
    record = example_record(folder.run_id)
    path = folder.write_record(record, MATRIX).with_suffix(suffix)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    assert not folder.has_evaluation(record.evaluation_id)
    with pytest.raises(StoreError, match=f"{record.evaluation_id}{suffix}"):
        folder.read_confusion(folder.records()[0])
    folder.write_record(record, MATRIX)
    assert folder.has_evaluation(record.evaluation_id)


def test_a_matrix_alone_is_no_evaluation(folder: RunFolder) -> None:
    record = example_record(folder.run_id)
    folder.write_record(record, MATRIX).unlink()
    assert not folder.has_evaluation(record.evaluation_id)
    assert folder.records() == []


def test_a_matrix_exchanged_by_hand_is_noticed(folder: RunFolder) -> None:
    record = example_record(folder.run_id)
    path = folder.write_record(record, MATRIX)
    np.savez(path.with_suffix(".npz"), confusion=MATRIX + 1)
    assert not folder.has_evaluation(record.evaluation_id)


def test_a_record_copied_into_another_folder_is_noticed(tmp_path: Path, folder: RunFolder) -> None:
    other = example_run(tmp_path, "00000000000000bb")
    target = folder.evaluations_path / "00000000000000ee.json"
    target.parent.mkdir(parents=True)
    target.write_bytes(other.record_path("00000000000000ee").read_bytes())
    with pytest.raises(StoreError, match="copied here by hand"):
        folder.records()


def test_the_lock_clears_leftovers_of_killed_writers(folder: RunFolder) -> None:
    leftover = folder.checkpoints_path / ".step_10.pt.123-abcd.partial"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    kept = folder.checkpoints_path / "step_10.pt"
    kept.write_bytes(b"whole")
    with folder.lock():
        assert not leftover.exists()
        assert kept.exists()


def test_two_processes_that_ask_for_one_run_never_write_at_once(tmp_path: Path) -> None:
    """Four processes at a time; each either works alone in the folder or is refused by name."""
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from repro.store import LockedError, RunFolder\n"
        "folder = RunFolder(Path(sys.argv[1]), 'aa')\n"
        "try:\n"
        "    with folder.lock():\n"
        "        marker = folder.path / 'working'\n"
        "        marker.touch(exist_ok=False)\n"
        "        folder.write_status('RUNNING')\n"
        "        time.sleep(2.5)\n"
        "        marker.unlink()\n"
        "        folder.write_status('FINISHED')\n"
        "except LockedError as error:\n"
        "    assert 'is held by pid' in str(error), error\n"
        "    sys.exit(3)\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(4)]
    codes = sorted(process.wait() for process in processes)
    assert codes[0] == 0
    assert set(codes) <= {0, 3}
    status = RunFolder(tmp_path, "aa").read_status()
    assert status is not None
    assert status.state == "FINISHED"


def test_the_lock_is_refused_within_one_process_too(folder: RunFolder) -> None:
    with folder.lock(), pytest.raises(LockedError):
        folder.lock()


def test_run_folders_are_found_in_order(tmp_path: Path) -> None:
    assert list(run_folders(tmp_path / "none")) == []
    for name in ("bb", "aa", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    assert [folder.run_id for folder in run_folders(tmp_path)] == ["aa", "bb"]
