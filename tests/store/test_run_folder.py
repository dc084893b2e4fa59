import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from repro.errors import DamagedError, StoreError
from repro.store.lock import LockedError
from repro.store.matrices import ImageConfusions, entries_of
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
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


def test_a_config_of_any_language_is_frozen(folder: RunFolder) -> None:
    folder.freeze_config("name: Längsschnitt 路\n")
    assert folder.read_config() == "name: Längsschnitt 路\n"
    assert folder.config_path.read_bytes().decode().endswith(folder.read_config())


@pytest.mark.parametrize("digit", [b"1", b"3"])
def test_a_frozen_config_that_was_changed_is_noticed(folder: RunFolder, digit: bytes) -> None:
    folder.freeze_config("threads: 2\n")
    content = folder.config_path.read_bytes()
    folder.config_path.write_bytes(content.replace(b"threads: 2", b"threads: " + digit))
    with pytest.raises(DamagedError, match=r"config\.yaml is damaged or was edited"):
        folder.read_config()


def test_a_config_from_before_digests_is_read(folder: RunFolder) -> None:
    folder.path.mkdir()
    folder.config_path.write_text("a: 1\n")
    assert folder.read_config() == "a: 1\n"


def test_a_missing_config_is_named(folder: RunFolder) -> None:
    with pytest.raises(StoreError, match=r"config\.yaml cannot be read"):
        folder.read_config()


def test_record_and_matrix_come_back(folder: RunFolder) -> None:
    record = example_record(folder.run_id)
    path = folder.write_record(record, MATRIX)
    assert path == folder.record_path(record.evaluation_id)
    assert folder.has_evaluation(record.evaluation_id)
    assert folder.records() == [record]
    np.testing.assert_array_equal(folder.read_confusion(record), MATRIX)


def test_the_matrices_of_the_images_come_back(folder: RunFolder) -> None:
    parts = [MATRIX // 2, MATRIX - MATRIX // 2]
    images = ImageConfusions.of(3, [entries_of(part) for part in parts])
    record = example_record(folder.run_id, image_confusions_sha256=images.sha256())
    path = folder.write_record(record, MATRIX, images)
    read = folder.read_image_confusions(folder.read_record(record.evaluation_id))
    assert read is not None
    np.testing.assert_array_equal([read.matrix(0), read.matrix(1)], parts)
    assert folder.has_evaluation(record.evaluation_id)
    np.savez(path.with_suffix(".npz"), confusion=MATRIX)
    np.testing.assert_array_equal(folder.read_confusion(record), MATRIX)
    assert not folder.has_evaluation(record.evaluation_id)
    with pytest.raises(DamagedError, match=rf"{record.evaluation_id}\.npz is damaged"):
        folder.read_image_confusions(record)


def test_a_record_from_before_images_had_matrices_is_whole(folder: RunFolder) -> None:
    record = example_record(folder.run_id)
    path = folder.write_record(record, MATRIX)
    assert folder.read_image_confusions(record) is None
    assert folder.has_evaluation(record.evaluation_id)
    path.with_suffix(".npz").unlink()
    with pytest.raises(DamagedError, match="is missing"):
        folder.read_image_confusions(record)


def test_records_are_ordered_by_time(folder: RunFolder) -> None:
    for evaluation_id, created in (("a" * 16, "2026-03-01T00:00:00+00:00"), ("b" * 16, "2026-01-01T00:00:00+00:00")):
        folder.write_record(example_record(folder.run_id, evaluation_id, created=created), MATRIX)
    assert [record.evaluation_id for record in folder.records()] == ["b" * 16, "a" * 16]


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
    with pytest.raises(DamagedError, match="copied here by hand"):
        folder.records()


def test_a_file_of_somebody_elses_beside_the_records_is_none(folder: RunFolder) -> None:
    record = example_record(folder.run_id)
    folder.write_record(record, MATRIX)
    (folder.evaluations_path / "notes.json").write_text('{"mine": 1}')
    assert folder.evaluation_ids() == [record.evaluation_id]


def test_the_lock_clears_leftovers_of_killed_writers(folder: RunFolder) -> None:
    kept = folder.checkpoints.file(10)
    leftover = kept.with_name(f".{kept.name}.123-abcd.partial")
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    kept.write_bytes(b"whole")
    with folder.lock():
        assert not leftover.exists()
        assert kept.exists()


def test_processes_that_ask_for_one_run_never_write_at_once(tmp_path: Path) -> None:
    """Four processes at a time; each either works alone in the folder or is refused by name."""
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from repro.store.lock import LockedError\n"
        "from repro.store.run_folder import RunFolder\n"
        "from repro.store.status import RunState\n"
        "folder = RunFolder(Path(sys.argv[1]), 'aa')\n"
        "try:\n"
        "    with folder.lock():\n"
        "        marker = folder.path / 'working'\n"
        "        marker.touch(exist_ok=False)\n"
        "        folder.write_status(RunState.RUNNING)\n"
        "        time.sleep(2.5)\n"
        "        marker.unlink()\n"
        "        folder.write_status(RunState.FINISHED)\n"
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
    assert status.state is RunState.FINISHED


def test_the_lock_is_refused_within_one_process_too(folder: RunFolder) -> None:
    with folder.lock(), pytest.raises(LockedError):
        folder.lock()


def test_what_may_be_shown_elsewhere_is_neither_weights_nor_half_written(folder: RunFolder) -> None:
    folder.freeze_config("a: 1\n")
    record = example_record(folder.run_id)
    path = folder.write_record(record, MATRIX)
    panels, masks = folder.panels_path(record.evaluation_id), folder.masks_path(record.evaluation_id)
    hidden = [folder.weights_path, folder.checkpoints.file(3), folder.log_path, path.with_name(".half.json")]
    for file in (*hidden, panels, masks / "1.png"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"content")
    assert list(folder.shown_files()) == sorted([folder.config_path, path, path.with_suffix(".npz"), panels])


def test_a_run_has_weights_once_they_are_stored(folder: RunFolder) -> None:
    assert not folder.has_weights
    folder.path.mkdir()
    folder.weights_path.write_bytes(b"weights")
    assert folder.has_weights
