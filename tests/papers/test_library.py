import pytest

from repro.errors import ConfigError
from repro.papers import Address, load_papers
from tests.composed import papers
from tests.papers.small_paper import ABLATION, small_library, write_paper


@pytest.fixture(scope="module")
def with_ours(tmp_path_factory):
    """Our papers and the small one, which has two tables, and a scale of its own."""
    folder = write_paper(tmp_path_factory.mktemp("sweeps"), table2=ABLATION)
    (folder / "scales").mkdir()
    (folder / "scales" / "one_gpu.yaml").write_text("title: half\nmultiply:\n  schedule.batch_size: {by: 0.5}\n")
    return load_papers([folder])


def test_tables_are_chosen_by_pattern(with_ours):
    assert [table.key for table in with_ours.matching("small/*")] == ["small/table1", "small/table2"]
    assert [table.key for table in with_ours.matching(["small/table2", "small/table1"])] == [
        "small/table1",
        "small/table2",
    ]
    assert {"vortex/table1", "small/table1"} <= {table.key for table in with_ours.matching("table1")}


def test_a_users_own_paper_and_scale_lie_beside_ours(with_ours):
    assert with_ours.problems == []
    assert with_ours.papers.keys() == {*papers().papers, "small"}
    assert with_ours.papers["small"].not_built["head=unbuilt"] == "a head that nobody wrote"
    assert with_ours.scale("one_gpu").multiply["schedule.batch_size"].by == 0.5
    assert with_ours.cell(Address("small/table1", "best", "mIoU")).published == 60.0


def test_an_unknown_table_is_answered_with_the_nearest_names(with_ours):
    with pytest.raises(ConfigError, match=r"there is no table small/tabel1; did you mean small/table1"):
        with_ours.matching("small/tabel1")
    with pytest.raises(ConfigError, match=r"there is no table qqq; there are .*small/table1, small/table2"):
        with_ours.matching("qqq")


def test_a_broken_table_is_answered_with_its_mistake(tmp_path):
    library = small_library(tmp_path, ablation=ABLATION.replace("kind: ablation", "kind: none"))
    with pytest.raises(ConfigError, match=r"table1\.yaml:4: kind is none"):
        library.matching("small/table1")


def test_an_unknown_scale_is_answered_with_those_there_are():
    with pytest.raises(ConfigError, match="there is no scale huge; there are camvid, paper, shapes, smoke"):
        papers().scale("huge")
    with pytest.raises(ConfigError, match="did you mean smoke"):
        papers().scale("smok")


def test_papers_of_the_package_are_read_again_once_a_file_changes(tmp_path, monkeypatch):
    ours = write_paper(tmp_path / "ours")
    monkeypatch.setattr("repro.papers.library.sweeps_folder", lambda: ours)
    own = write_paper(tmp_path / "own")
    (own / "small").rename(own / "other")
    first = load_papers()
    assert load_papers([own]).tables.keys() == {"small/table1", "other/table1"}
    assert load_papers() == first
    assert load_papers().tables["small/table1"] is first.tables["small/table1"]
    paper = ours / "small" / "paper.yaml"
    paper.write_text(paper.read_text().replace("title: ", "title: Not "))
    assert load_papers().papers["small"].title == f"Not {first.papers['small'].title}"


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="there is no folder"):
        load_papers([tmp_path / "nowhere"])


def test_a_name_that_is_taken_is_a_problem_and_the_first_one_stays(tmp_path):
    folder = write_paper(tmp_path)
    (folder / "small").rename(folder / "vortex")
    (folder / "scales").mkdir()
    (folder / "scales" / "smoke.yaml").write_text("title: another\n")
    library = load_papers([folder])
    problems = [str(problem) for problem in library.problems]
    assert any("vortex/table1 is also " in text and "a paper needs a name of its own" in text for text in problems)
    assert any("there is another paper of vortex already; it needs a name of its own" in text for text in problems)
    assert any("there is another smoke of scales already" in text for text in problems)
    assert library.papers["vortex"] == papers().papers["vortex"]
    assert library.scales["smoke"] == papers().scales["smoke"]


def test_a_paper_says_who_and_when(tmp_path):
    library = small_library(tmp_path, paper="title: A\nyear: 2020\nvenue: nowhere\n")
    assert [problem.message for problem in library.problems] == ["the paper lacks the key authors"]
    assert "small" not in library.papers
    assert "small/table1" in library.tables


def test_tables_stand_in_printed_order_and_prose_last():
    keys = [table.name for table in papers().matching("deeplabv3/*")]
    assert keys == [*(f"table{number}" for number in range(1, 14)), "prose"]
    assert [table.name for table in papers().matching("gald/*")][:4] == ["table1a", "table1b", "table1c", "table1d"]
