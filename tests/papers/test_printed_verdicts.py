"""Every claim of the papers: what kind of sentence it is, and what the papers' own numbers say about it."""

from collections import Counter

import pytest
import yaml

from repro.papers import Shape
from repro.report.printed_claims import PrintedSay, printed_claim
from tests.composed import papers
from tests.places import PRINTED_VERDICTS

EXPECTED = yaml.safe_load(PRINTED_VERDICTS.read_text(encoding="utf-8"))
CLAIMS = [(table, claim) for table in papers().tables.values() for claim in table.claims]


def found_in(key):
    return [
        {"says": claim.says, "shape": str(claim.shape), "printed": str(printed_claim(papers(), claim))}
        for table, claim in CLAIMS
        if table.key == key
    ]


@pytest.mark.parametrize("key", papers().tables)
def test_what_a_table_prints_about_its_claims(key):
    assert found_in(key) == EXPECTED.get(key, [])


def test_no_expectation_is_left_over():
    assert EXPECTED.keys() == {table.key for table, _ in CLAIMS}


def test_every_claim_has_a_place_and_says_it_in_a_sentence():
    for table, claim in CLAIMS:
        assert claim.place.strip(), f"{table.file}:{claim.line} has no place"
        assert claim.says.strip().endswith("."), f"{table.file}:{claim.line} does not say what is claimed"


def test_no_sentence_is_entered_twice():
    sentences = Counter((table.paper, claim.says, claim.shape) for table, claim in CLAIMS)
    assert [sentence for sentence, count in sentences.items() if count > 1] == []


# Below: so many hold, are reversed, are equal, are not printed.


def test_claims_are_counted_by_paper_and_by_what_print_says():
    counts = Counter((table.paper, printed_claim(papers(), claim)) for table, claim in CLAIMS)
    assert {paper: tuple(counts[paper, say] for say in PrintedSay) for paper in papers().papers} == {
        "deeplabv3": (46, 8, 0, 24),
        "dsnet": (16, 5, 0, 22),
        "gald": (52, 17, 1, 24),
        "vortex": (17, 1, 0, 14),
    }


def test_claims_are_counted_by_shape_and_by_what_print_says():
    counts = Counter((claim.shape, printed_claim(papers(), claim)) for _, claim in CLAIMS)
    assert {shape: tuple(counts[shape, say] for say in PrintedSay) for shape in Shape} == {
        "cost": (6, 1, 0, 15),
        "range": (0, 2, 0, 1),
        "amount": (43, 4, 0, 3),
        "in most": (3, 0, 0, 2),
        "saturates": (1, 0, 0, 0),
        "in all": (12, 8, 1, 10),
        "chain": (8, 3, 0, 1),
        "best of": (27, 8, 0, 4),
        "not worse": (3, 1, 0, 3),
        "equal": (0, 2, 0, 0),
        "greater": (28, 2, 0, 45),
    }
