"""Places made up for the audit: one letter for a quantity, and its printed numbers."""

from collections.abc import Sequence

from repro.papers import Address
from repro.report.audit.finding import FindingKind
from repro.report.audit.places import Place, Printed, Relation, printed_of
from repro.report.printed import Rounded

Numbers = dict[str, Sequence[str]]


def place(quantity: str, number: int, text: str, witness: str = "") -> Place:
    address = Address("made/table1", f"{quantity}{number}", "mIoU")
    rounded = Rounded(float(text), len(text.partition(".")[2]))
    return Place(address, text, rounded, witness or address)


def printed(numbers: Numbers, *relations: Relation, together: str = "") -> Printed:
    """Every number of every quantity at a place of its own; the quantities of `together` have one witness."""
    places = [
        (quantity, place(quantity, number, text, "together" if quantity in together else ""))
        for quantity, texts in numbers.items()
        for number, text in enumerate(texts)
    ]
    return printed_of(places, relations)


def difference(of: str, left: str, right: str) -> Relation:
    return Relation(FindingKind.DIFFERENCE, ((of, 1.0), (left, -1.0), (right, 1.0)))


def mean(of: str, parts: str) -> Relation:
    return Relation(FindingKind.MEAN, ((of, float(len(parts))), *((part, -1.0) for part in parts)))


def rising(after: str, before: str) -> Relation:
    return Relation(FindingKind.TOLERANCE, ((after, 1.0), (before, -1.0)), high=float("inf"))


def names(addresses: Sequence[Address]) -> list[str]:
    """The places as letter and number."""
    return [address.row for address in addresses]
