"""Claims that the papers' own numbers contradict."""

from dataclasses import replace

from repro.papers import Amount, Claim, Margin, Operator, Part, Table
from repro.report.audit.checks import audit
from repro.report.audit.claims import contradicted_claims
from repro.report.audit.finding import FindingKind
from tests.report.audit.made_tables import MIOU, table_of
from tests.report.made_results import library_of


def argued(operator: Operator, by: Amount | None = None, within: Margin | None = None, **values: float) -> Table:
    """A table whose one claim compares its two rows."""
    table = table_of("made/table1", {label: {"mIoU": (value, MIOU)} for label, value in values.items()})
    left, right = (row.cells["mIoU"].address for row in table.rows.values())
    claim = Claim(((left,), (right,)), (operator,), (Part(left, operator, right),), "section 1", by=by, within=within)
    return replace(table, claims=(claim,))


def test_a_reversed_claim_is_a_finding_with_both_sides_and_the_place() -> None:
    (found,) = audit(library_of(argued(Operator.GREATER, ours=70.0, theirs=71.5)))
    assert (found.kind, found.blamed, found.printed) == (FindingKind.CLAIM, (), "−1.5")
    assert [place.row for place in found.places] == ["ours", "theirs"]
    assert found.how == "section 1: ours > theirs; but 70.0 is printed against 71.5"


def test_what_rounding_or_the_margin_allows_is_none() -> None:
    assert audit(library_of(argued(Operator.GREATER, ours=71.5, theirs=70.0))) == []
    assert audit(library_of(argued(Operator.GREATER, ours=70.0, theirs=70.0))) == []
    margin = Margin(2.0, False, "the text's")
    assert audit(library_of(argued(Operator.NOT_LESS, within=margin, ours=70.0, theirs=71.5))) == []
    assert len(audit(library_of(argued(Operator.NOT_LESS, ours=70.0, theirs=71.5)))) == 1


def test_an_amount_that_is_not_printed_is_a_finding() -> None:
    by = Amount(1.5, 2.0)
    assert list(contradicted_claims(library_of(argued(Operator.GREATER, by, ours=71.5, theirs=70.0)))) == []
    (found,) = contradicted_claims(library_of(argued(Operator.GREATER, by, ours=70.5, theirs=70.0)))
    assert "ours > theirs by 1.5 to 2" in found.how
