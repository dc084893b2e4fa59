from pathlib import Path

import pytest

from repro.config.command import Given
from repro.errors import ConfigError
from repro.experiments.selection import read_selection
from tests.composed import papers
from tests.papers.small_paper import ABLATION, small_library, write_paper

DEFAULTS = {"table": None, "scale": None, "outputs": "outputs", "reports": "reports", "sweeps_folder": None,
            "conf_folder": None}  # fmt: skip


def selected(*, paper=None, **given):
    return read_selection(Given({**DEFAULTS, **given}), paper=paper)


def keys(selection, library=None):
    return [table.key for table in selection.tables_of(library or papers())]


def test_everything_is_chosen_unless_something_is_said():
    assert keys(selected()) == list(papers().tables)
    assert selected().patterns == ()


@pytest.mark.parametrize(
    ("paper", "table", "expected"),
    [
        (None, "vortex/table1", ["vortex/table1"]),
        (None, "*/table10", ["deeplabv3/table10", "gald/table10"]),
        (None, ["vortex/table2", "dsnet/table1"], ["dsnet/table1", "vortex/table2"]),
        ("vortex", None, ["vortex/table1", "vortex/table2", "vortex/table3", "vortex/prose"]),
        ("vortex", "table1", ["vortex/table1"]),
    ],
)
def test_tables_are_chosen_by_name_pattern_and_paper(paper, table, expected):
    assert keys(selected(paper=paper, table=table)) == [key for key in papers().tables if key in expected]
    assert set(expected) >= set(keys(selected(paper=paper, table=table)))


def test_the_patterns_stand_for_the_paper_where_no_table_is_named():
    assert selected(paper="vortex").patterns == ("vortex/*",)
    assert selected(paper="vortex", table="table1").patterns == ("table1",)


def test_what_was_given_is_read_with_its_type(tmp_path):
    found = selected(table=["a", "b"], scale="smoke", outputs=str(tmp_path), sweeps_folder="mine", conf_folder="own")
    assert (found.tables, found.scale, found.outputs.root) == (("a", "b"), "smoke", tmp_path)
    assert (found.reports, found.sweeps_folders, found.conf_folder) == (Path("reports"), (Path("mine"),), Path("own"))


def test_papers_of_a_users_own_are_among_the_library(tmp_path):
    found = selected(sweeps_folder=[str(write_paper(tmp_path))], table="small/*")
    assert keys(found, found.library()) == ["small/table1"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"paper": "vortx"}, "there is no paper vortx; did you mean vortex?"),
        ({"table": "vortex/tabel1"}, "there is no table vortex/tabel1; did you mean vortex/table1"),
        ({"paper": "vortex", "table": "table13"}, "no table of vortex is called table13"),
        ({"table": 5}, "table is 5; it must be a text or a list of texts"),
        ({"outputs": None}, "outputs is None; it must be a text"),
    ],
)
def test_a_mistake_is_a_sentence(given, sentence):
    with pytest.raises(ConfigError) as caught:
        keys(selected(**given))
    assert sentence in str(caught.value)


def test_a_paper_none_of_whose_tables_can_be_read_is_answered_with_its_mistake(tmp_path):
    library = small_library(tmp_path, ablation=ABLATION.replace("kind: ablation", "kind: none"))
    with pytest.raises(ConfigError, match=r"table1\.yaml:4: kind is none"):
        selected(paper="small").tables_of(library)
