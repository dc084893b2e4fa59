"""What follows from the networks alone, and how relations are made of the papers' tables."""

from collections import Counter

import pytest

from repro.papers import Address
from repro.report.audit.blame import findings_of
from repro.report.audit.checks import printed_by
from repro.report.audit.finding import FindingKind
from repro.report.printed import Rounded
from tests.composed import papers


def test_the_papers_have_relations_of_every_kind() -> None:
    kinds = Counter(relation.kind for relation in printed_by(papers()).relations)
    assert kinds[FindingKind.DIFFERENCE] >= 45
    assert kinds[FindingKind.MEAN] >= 30
    assert kinds[FindingKind.CLOSED_FORM] == 4
    assert kinds[FindingKind.TOLERANCE] >= 200


@pytest.mark.parametrize(
    ("row", "right", "wrong"),
    [("ASPP", "0.0059", "0.0060"), ("Module A (5 x 5)", "0.148", "0.149"), ("Module A (9 x 9)", "0.479", "0.478"),
     ("Module B", "1", "0.9")],
)  # fmt: skip
def test_the_ratios_of_vortex_are_those_of_the_networks(row: str, right: str, wrong: str) -> None:
    printed = printed_by(papers())
    address = Address("vortex/prose", row, "utilization ratio")
    assert str(printed.place(address).number) == str(Rounded(float(right), len(right.partition(".")[2])))
    known = set(findings_of(printed))
    assert not any(address in item.places for item in known)
    moved = printed.changed(address, Rounded(float(wrong), len(wrong.partition(".")[2])))
    (found,) = set(findings_of(moved)) - known
    assert (found.kind, found.blamed) == (FindingKind.CLOSED_FORM, (address,))
    assert found.how.startswith("the network has ")


def test_a_mean_has_as_many_classes_as_its_data() -> None:
    means = [item for item in printed_by(papers()).relations if item.kind is FindingKind.MEAN]
    assert {int(item.terms[0][1]) for item in means} == {19, 21}
    assert all(item.high == (0.0 if len(item.terms) == 20 else 100.0) for item in means if item.terms[0][1] == 19)
