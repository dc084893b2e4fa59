"""Files of a report against those that are there."""

from repro.store.reports import differing, write

FILES = {"a.md": "one\n", "deep/er/b.csv": "é,2\n"}


def test_everything_is_missing_at_first(tmp_path):
    assert differing(tmp_path / "none", FILES) == {"a.md": "missing", "deep/er/b.csv": "missing"}


def test_written_files_are_level_and_not_written_again(tmp_path):
    assert write(tmp_path, FILES) == 2
    assert differing(tmp_path, FILES) == {}
    before = (tmp_path / "a.md").stat()
    assert write(tmp_path, FILES) == 0
    assert (tmp_path / "a.md").stat().st_ino == before.st_ino


def test_an_edited_file_differs_down_to_its_line_ends(tmp_path):
    write(tmp_path, FILES)
    (tmp_path / "a.md").write_bytes(b"one\r\n")
    (tmp_path / "deep/er/b.csv").unlink()
    assert differing(tmp_path, FILES) == {"a.md": "differs", "deep/er/b.csv": "missing"}
    assert write(tmp_path, FILES) == 2


def test_a_folder_in_the_place_of_a_file(tmp_path):
    (tmp_path / "a.md").mkdir()
    assert "cannot be read" in differing(tmp_path, FILES)["a.md"]


def test_other_files_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    write(tmp_path, FILES)
    assert (tmp_path / "mine.txt").read_text() == "mine"
