from repro.papers.names import OF_SELECTION, paper_names, scale_names, table_names
from tests.composed import papers


def test_the_names_of_files_are_those_of_what_they_hold():
    assert set(paper_names()) == papers().papers.keys()
    assert set(table_names()) == papers().tables.keys()
    assert set(scale_names()) == papers().scales.keys()
    assert {"table": table_names, "scale": scale_names} == OF_SELECTION
