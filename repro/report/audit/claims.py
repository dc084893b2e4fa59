"""What the papers argue, held against what they print."""

from collections.abc import Iterator

from repro.papers import Claim, Gain, Library, Part, Quantity
from repro.report.audit.finding import Finding, FindingKind
from repro.report.printed import number
from repro.report.printed_claims import PrintedSay, printed_claim, printed_part, quantity


def contradicted_claims(library: Library) -> Iterator[Finding]:
    """Claims that the printed numbers reverse; equal numbers may be a rounding of what is argued."""
    for table in library.tables.values():
        for claim in table.claims:
            if printed_claim(library, claim) is PrintedSay.REVERSED:
                yield _finding(library, claim)


def _finding(library: Library, claim: Claim) -> Finding:
    parts = [part for part in claim.parts if printed_part(library, claim, part).say is PrintedSay.REVERSED]
    places = dict.fromkeys(address for part in parts for address in part.addresses())
    argued = claim.says.rstrip(".") or "; ".join(_argued(claim, part) for part in parts)
    differences = [printed_part(library, claim, part).difference for part in parts]
    printed = "; ".join(number(item.value, item.decimals) for item in differences if item is not None)
    how = "; ".join(_numbers(library, part) for part in parts)
    return Finding(FindingKind.CLAIM, tuple(places), (), printed, "", f"{claim.place}: {argued}; but {how}")


def _argued(claim: Claim, part: Part) -> str:
    by = ""
    if claim.by is not None:
        scale, unit = (100, " %") if claim.by.is_share else (1, "")
        ends = dict.fromkeys(f"{end * scale:g}" for end in (claim.by.low, claim.by.high))
        by = f" by {' to '.join(ends)}{unit}"
    return f"{_side(part.left)} {part.operator} {_side(part.right)}{by}"


def _side(side: Quantity) -> str:
    if isinstance(side, Gain):
        return f"({side.first.row} − {side.second.row})"
    return f"{side:g}" if isinstance(side, float | int) else side.row


def _numbers(library: Library, part: Part) -> str:
    left, right = quantity(library, part.left), quantity(library, part.right)
    return f"{left} is printed against {right}"
