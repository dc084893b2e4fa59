"""Names and places of checkpoints: which is the newest, what is set aside, what is cleared."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.store.checkpoints import CheckpointFiles


@pytest.fixture
def checkpoints(tmp_path: Path) -> CheckpointFiles:
    return CheckpointFiles(tmp_path / "checkpoints")


def test_without_a_folder_there_are_none(checkpoints: CheckpointFiles) -> None:
    assert (checkpoints.files(), checkpoints.best_files(), checkpoints.newest_step()) == ([], [], None)
    checkpoints.clear()
    assert not checkpoints.path.exists()


@settings(max_examples=30)
@given(steps=st.sets(st.integers(0, 999_999_999), min_size=1, max_size=5))
def test_they_are_listed_oldest_first_and_the_newest_is_gone_on_from(
    tmp_path_factory: pytest.TempPathFactory, steps: set[int]
) -> None:
    checkpoints = CheckpointFiles(tmp_path_factory.mktemp("run"))
    for step in steps:
        checkpoints.write(checkpoints.file(step), b"content")
    assert checkpoints.files() == [checkpoints.file(step) for step in sorted(steps)]
    assert checkpoints.newest_step() == max(steps)


def test_the_weights_of_the_best_step_are_apart(checkpoints: CheckpointFiles) -> None:
    for file in (checkpoints.best_file(20), checkpoints.best_file(None), checkpoints.file(30)):
        checkpoints.write(file, b"content")
    assert checkpoints.best_files() == [checkpoints.best_file(0), checkpoints.best_file(20)]
    assert checkpoints.files() == [checkpoints.file(30)]
    assert checkpoints.best_file(30) != checkpoints.file(30)


def test_a_damaged_one_is_set_aside_and_not_tried_again(checkpoints: CheckpointFiles) -> None:
    for step in (10, 20):
        checkpoints.write(checkpoints.file(step), b"%d" % step)
    aside = checkpoints.set_aside(checkpoints.file(20))
    assert aside.read_bytes() == b"20"
    assert checkpoints.newest_step() == 10


def test_strangers_do_not_count(checkpoints: CheckpointFiles) -> None:
    checkpoints.write(checkpoints.file(10), b"content")
    (checkpoints.path / "step_of_mine.pt").write_bytes(b"content")
    (checkpoints.path / ".step_000000020.pt.1-ab.partial").write_bytes(b"half")
    assert checkpoints.newest_step() == 10


def test_all_of_ours_are_cleared_and_nothing_else(checkpoints: CheckpointFiles) -> None:
    for file in (checkpoints.file(10), checkpoints.file(20), checkpoints.best_file(10)):
        checkpoints.write(file, b"content")
    checkpoints.set_aside(checkpoints.file(20))
    (checkpoints.path / "note.txt").write_text("mine")
    checkpoints.clear()
    assert [file.name for file in checkpoints.path.iterdir()] == ["note.txt"]
