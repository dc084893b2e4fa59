"""The folder of a sweep's job."""

from pathlib import Path

from repro.store.jobs import JobFolder


def test_its_files_lie_side_by_side_and_nothing_is_made(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path / "aa")
    assert {path.parent for path in (folder.job_path, folder.log_path, folder.result_path)} == {tmp_path / "aa"}
    assert len({folder.job_path, folder.log_path, folder.result_path}) == 3
    assert not folder.path.exists()


def test_a_process_finds_the_folder_from_the_file_that_it_is_given(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path / "aa")
    again = JobFolder.of(folder.job_path)
    assert (again.path, again.result_path) == (folder.path, folder.result_path)
