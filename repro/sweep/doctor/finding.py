"""One thing found out: what it is about, what it means for a sweep, and how much it weighs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from textwrap import wrap

from repro.errors import full_sentence

WIDTH = 118


class Weight(StrEnum):
    """How much a finding weighs."""

    FINE = "fine"
    MIND = "mind"
    BLOCKS = "BLOCKS"


@dataclass(frozen=True)
class Finding:
    """A sentence about one subject.

    Attributes:
        weight: whether it is as it should be, is to be borne in mind, or keeps jobs from working.
        subject: one or two words.
        sentence: what is so, and where it bites, what to do.
    """

    weight: Weight
    subject: str
    sentence: str


def fine(subject: str, sentence: str) -> Finding:
    """Something that is as it should be."""
    return Finding(Weight.FINE, subject, sentence)


def mind(subject: str, sentence: str) -> Finding:
    """Something that bites those who do not know it."""
    return Finding(Weight.MIND, subject, sentence)


def blocks(subject: str, sentence: str) -> Finding:
    """Something that keeps jobs from working."""
    return Finding(Weight.BLOCKS, subject, sentence)


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """The findings as text, each sentence wrapped beside its weight and subject."""
    for finding in findings:
        head = f"{finding.weight:<7} {finding.subject:<14} "
        yield from wrap(
            head + full_sentence(finding.sentence), WIDTH, subsequent_indent=" " * len(head), break_on_hyphens=False,
            break_long_words=False, drop_whitespace=True,
        )  # fmt: skip
