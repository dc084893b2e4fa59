"""What own rows still lack. The numbers below may be lowered, never raised."""

from collections import Counter

from repro.config.composer import Composer
from repro.experiments import FROM_RECORDS, STATIC, measurements
from repro.papers import load_papers

LIBRARY = load_papers()
ROWS_NOT_BUILT = {"deeplabv3": 19, "vortex": 3, "dsnet": 4, "gald": 77}


def rows_not_built():
    found = measurements(LIBRARY, list(LIBRARY.tables.values()), LIBRARY.scale("paper"))
    assert found.problems == []
    rows = {(address.table, address.row) for address, item in found.items() if item.kind == "not built"}
    return Counter(table.partition("/")[0] for table, _ in rows)


def test_rows_that_are_not_built_are_counted():
    assert rows_not_built() == {paper: count for paper, count in ROWS_NOT_BUILT.items() if count}


def test_what_is_lacking_is_data_and_metrics_and_no_network():
    found = measurements(LIBRARY, list(LIBRARY.tables.values()), LIBRARY.scale("paper"))
    reasons = {part for item in found.values() if item.kind == "not built" for part in item.reason.split("; ")}
    assert {reason.partition("=")[0] for reason in reasons} == {"dataset", "metric"}


def test_nothing_is_listed_as_not_built_that_exists():
    composer = Composer()
    for paper in LIBRARY.papers.values():
        for thing in paper.not_built:
            key, is_choice, value = thing.partition("=")
            if key == "metric":
                assert value not in FROM_RECORDS | STATIC, f"{paper.name}: {thing} is built"
            elif is_choice:
                assert composer.compose([thing]).missing, f"{paper.name}: {thing} is built"
            else:
                assert composer.compose([f"{thing}=null"]).missing, f"{paper.name}: {thing} is built"


def test_everything_listed_as_not_built_is_needed_by_a_row():
    for paper in LIBRARY.papers.values():
        tables = [table for table in LIBRARY.tables.values() if table.paper == paper.name]
        texts = [str(table) for table in tables]
        found = measurements(LIBRARY, tables, LIBRARY.scale("paper"))
        texts += [item.reason for item in found.values() if item.kind == "not built"]
        for thing in paper.not_built:
            assert any(thing in text for text in texts), f"{paper.name}: no row needs {thing}"
