import pytest

from repro.errors import ConfigError
from repro.papers import load_papers
from tests.papers.small_paper import ABLATION, small_library, write_paper


def test_tables_are_chosen_by_pattern(tmp_path):
    library = small_library(tmp_path, table2=ABLATION)
    assert [table.key for table in library.matching("small/*")] == ["small/table1", "small/table2"]
    assert [table.key for table in library.matching(["small/table2", "small/table1"])] == [
        "small/table1",
        "small/table2",
    ]
    assert "vortex/table1" in [table.key for table in library.matching("table1")]


def test_an_unknown_table_is_answered_with_the_nearest_names(tmp_path):
    library = small_library(tmp_path)
    with pytest.raises(ConfigError, match="there is no table small/tabel1; did you mean small/table1"):
        library.matching("small/tabel1")


def test_a_broken_table_is_answered_with_its_mistake(tmp_path):
    library = small_library(tmp_path, ablation=ABLATION.replace("kind: ablation", "kind: none"))
    with pytest.raises(ConfigError, match=r"table1\.yaml:4: kind is none"):
        library.matching("small/table1")


def test_an_unknown_scale_is_answered_with_those_there_are(tmp_path):
    with pytest.raises(ConfigError, match="there is no scale huge; there are camvid, paper, shapes, smoke"):
        small_library(tmp_path).scale("huge")
    with pytest.raises(ConfigError, match="did you mean smoke"):
        small_library(tmp_path / "again").scale("smok")


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="there is no folder"):
        load_papers([tmp_path / "nowhere"])


def test_a_paper_of_a_name_that_is_taken_is_a_problem(tmp_path):
    folder = write_paper(tmp_path)
    (folder / "small").rename(folder / "vortex")
    problems = load_papers([folder]).problems
    assert any("a paper needs a name of its own" in str(problem) for problem in problems)


def test_a_users_own_scale_lies_beside_the_papers(tmp_path):
    folder = write_paper(tmp_path)
    (folder / "scales").mkdir()
    (folder / "scales" / "one_gpu.yaml").write_text("title: half\nmultiply:\n  schedule.batch_size: {by: 0.5}\n")
    scale = load_papers([folder]).scale("one_gpu")
    assert scale.multiply["schedule.batch_size"].by == 0.5
    (folder / "scales" / "one_gpu.yaml").write_text("title: half\nmultiply:\n  schedule.batch_size: {by: x}\n")
    assert any("holds 'x', which is no number" in str(problem) for problem in load_papers([folder]).problems)


def test_tables_stand_in_printed_order_and_prose_last():
    keys = [table.name for table in load_papers().matching("deeplabv3/*")]
    assert keys == [*(f"table{number}" for number in range(1, 14)), "prose"]
    assert [table.name for table in load_papers().matching("gald/*")][:4] == [
        "table1a",
        "table1b",
        "table1c",
        "table1d",
    ]
