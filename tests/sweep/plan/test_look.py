"""`seeds=auto` on the small paper of the reports: records in, number of seeds out."""

import pytest

from repro.papers import PAPER_SCALE
from repro.store.outputs import Outputs
from repro.sweep.plan.job import Wanted
from repro.sweep.plan.look import look, undecided_claims
from repro.sweep.plan.questions import sentence_of
from tests.report.made_runs import Made, write_papers

ROWS = ("Plain", "Rates", "Rates, smaller")
CLEAR = [0.0, 0.1, -0.1, 0.05, -0.05, 0.1, -0.1, 0.0, 0.05, -0.05, 0.1, -0.1]
NOISY = [30.0, -30.0, 0.0, 15.0, -15.0, 30.0, -30.0, 0.0, 15.0, -15.0, 30.0, -30.0]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(write_papers(tmp_path_factory.mktemp("looks")), PAPER_SCALE)


def lines(made, seeds, noise):
    """Records of rows ten points apart, of which every other one scatters the other way."""
    found = {}
    for place, row in enumerate(ROWS):
        scores = [40.0 + 10 * place + (-1) ** place * item for item in noise[:seeds]]
        found |= made.lines(row, scores)
    return found


def looked(made, tmp_path, known):
    return look([Wanted(item) for item in made.found.values()], made.found, Outputs(tmp_path), known)


def test_the_first_look_is_at_three_seeds(made, tmp_path):
    for known in ({}, lines(made, 2, CLEAR)):
        found = looked(made, tmp_path, known)
        assert (found.complete, found.undecided, found.seeds) == (0, (), (0, 1, 2))
        assert list(found.lines()) == ["look        the first is at 3 seeds of every row"]


@pytest.mark.parametrize(("seeds", "complete", "number"), [(3, 3, 5), (4, 3, 5), (5, 5, 8), (11, 8, 12), (12, 12, 12)])
def test_what_is_open_takes_the_next_number_until_the_last(made, tmp_path, seeds, complete, number):
    found = looked(made, tmp_path, lines(made, seeds, NOISY))
    assert (found.complete, found.number) == (complete, number)
    assert [sentence_of(claim) for claim in found.undecided][:1] == ["Rates > Plain"]
    (line,) = found.lines()
    assert f"at {complete} seeds Rates > Plain and 2 more are open" in line
    assert ("12 is the last look" in line) == (complete == 12)


def test_no_more_are_planned_where_all_is_decided(made, tmp_path):
    known = lines(made, 12, [item * (1 + place % 3) for place, item in enumerate(CLEAR)])
    assert list(undecided_claims(made.found, known)) == []
    found = looked(made, tmp_path, known)
    assert (found.number, list(found.lines())) == (
        12, ["look        at 12 seeds all claims are decided: no more are planned"]
    )  # fmt: skip


def test_a_row_that_lacks_a_seed_holds_the_look_back(made, tmp_path):
    known = lines(made, 5, NOISY)
    del known[made.cell("Rates").evaluation_id(4)]
    assert looked(made, tmp_path, known).complete == 3
