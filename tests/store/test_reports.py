"""Files of a report against those that are there."""

from repro.store.reports import claims_file, differing, document_file, readings_file, superfluous, table_file, write

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


def test_names_say_scale_paper_table_and_kind():
    assert table_file("camvid", "vortex/table1", "csv") == "camvid/vortex/table1.csv"
    assert readings_file("camvid", "vortex") == "camvid/vortex/ledger.md"
    assert document_file("camvid") == "camvid/tables.tex"


def test_what_a_whole_report_has_no_more_is_named_at_its_scales_only(tmp_path):
    kept = {table_file("camvid", "vortex/table1", kind): "text" for kind in ("md", "csv", "tex")}
    kept[claims_file("camvid", "vortex/table1")] = "text"
    gone = [
        table_file("camvid", "gald/table9", "csv"),
        claims_file("camvid", "gald/table9"),
        readings_file("camvid", "gald"),
    ]
    elsewhere = [table_file("paper", "gald/table9", "md"), "camvid/vortex/mine.txt", "camvid/vortex/picture.png"]
    write(tmp_path, kept | dict.fromkeys([*gone, *elsewhere], "text"))
    assert superfluous(tmp_path, kept, ["camvid"]) == sorted(gone)
    assert superfluous(tmp_path, kept, ["camvid", "paper"]) == sorted([*gone, elsewhere[0]])
    assert superfluous(tmp_path, kept, ["smoke"]) == []
