"""What own rows still lack. The numbers below may be lowered, never raised."""

from collections import Counter

from repro.experiments.measurement import Kind
from repro.papers import METRICS, Source
from tests.composed import COMPOSER, measured, papers

ROWS_NOT_BUILT = {"deeplabv3": 22, "vortex": 3, "dsnet": 4, "gald": 77}  # deeplabv3: 3 are batches that a device holds
WANTED_ROWS_NOT_BUILT = {"deeplabv3": 8, "vortex": 1, "dsnet": 11, "gald": 28}


def not_built(*, wanted=False):
    found = [item for item in measured().values() if item.kind is Kind.NOT_BUILT]
    return [item for item in found if item.cell.is_wanted is wanted]


def rows_of(items):
    rows = {(item.address.table, item.address.row) for item in items}
    return dict(Counter(papers().tables[table].paper for table, _ in rows))


def test_rows_that_are_not_built_are_counted():
    assert measured().problems == []
    assert rows_of(not_built()) == {paper: count for paper, count in ROWS_NOT_BUILT.items() if count}
    assert rows_of(not_built(wanted=True)) == WANTED_ROWS_NOT_BUILT


def test_what_is_lacking_is_data_and_metrics_and_no_network():
    reasons = {part for item in not_built() for part in item.reason.split("; ")}
    assert {reason.partition("=")[0] for reason in reasons} == {"dataset", "metric"}


def test_nothing_is_listed_as_not_built_that_exists():
    for paper in papers().papers.values():
        for thing in paper.not_built:
            key, is_choice, value = thing.partition("=")
            if key == "metric":
                assert METRICS[value].source is Source.none, f"{paper.name}: {thing} is built"
            elif is_choice:
                assert COMPOSER.compose([thing]).missing, f"{paper.name}: {thing} is built"
            else:
                assert COMPOSER.compose([f"{thing}=null"]).missing, f"{paper.name}: {thing} is built"


def test_everything_listed_as_not_built_is_needed_by_a_row():
    for paper in papers().papers.values():
        texts = [str(table) for table in papers().tables.values() if table.paper == paper.name]
        lacking = (*not_built(), *not_built(wanted=True))
        texts += [item.reason for item in lacking if papers().tables[item.address.table].paper == paper.name]
        for thing in paper.not_built:
            assert any(thing in text for text in texts), f"{paper.name}: no row needs {thing}"
