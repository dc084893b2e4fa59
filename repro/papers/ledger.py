"""What a paper states and what it leaves open, setting by setting, with the value that we use and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from repro.papers.located import Located, SpecError, check_keys, mapping_of, read_yaml, text_of, texts_of, word_of

BY_ROW = "by row"
"""Value of a leaf that the rows or columns of the table set themselves."""

SOME = "some"
"""Value of a leaf that the paper states to be there, whatever it is, such as windows of a size that it leaves open."""


class Standing(StrEnum):
    """How the paper stands to a setting: it states it, leaves it open, or says two things."""

    STATED = "stated"
    OPEN = "open"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True)
class Entry:
    """One answer of the ledger.

    Attributes:
        setting: its name, such as train_output_stride.
        at: where it holds: `paper`, a table's name, or table's name/row's label; the most specific entry answers.
        status: how the paper stands to it.
        place: where the paper says it.
        leaves: dotted leaf or group of the configuration to the value that we use, or `BY_ROW`, or `SOME`.
        value: the value in words, where leaves do not tell it.
        why: why this value, of those that the paper allows.
        alternatives: short name to the overrides of another reading; of a stated setting, of a control.
        says: what the sentence at the place says, in our words; of a contradicted setting, one text per reading, ours
            first.
        by_reference: what the place refers to, and what that says, in our words.
        no_alternative: why no other reading can be swept.
        line: in the file.
    """

    setting: str
    at: tuple[str, ...]
    status: Standing
    place: str
    leaves: dict[str, Any]
    value: str = ""
    why: str = ""
    alternatives: dict[str, tuple[str, ...]] | None = None
    says: tuple[str, ...] = ()
    by_reference: str = ""
    no_alternative: str = ""
    line: int = 0


@dataclass(frozen=True)
class Ledger:
    """The ledger of one paper."""

    paper: str
    file: Path
    settings: dict[str, tuple[Entry, ...]]

    def entries(self) -> Iterator[Entry]:
        """Every entry, in the order of the file."""
        for entries in self.settings.values():
            yield from entries

    def answer(self, table: str, row: str, setting: str) -> Entry | None:
        """The most specific entry for a row of a table (its name, such as table1), or None."""
        for place in (f"{table}/{row}", table, "paper"):
            for entry in self.settings.get(setting, ()):
                if place in entry.at:
                    return entry
        return None

    def answers(self, table: str, row: str) -> list[Entry]:
        """The answer to every setting that has one for a row."""
        found = (self.answer(table, row, setting) for setting in self.settings)
        return [entry for entry in found if entry is not None]


def read_ledger(file: Path) -> Ledger:
    """Reads `sweeps/<paper>/ledger.yaml`; raises `SpecError` with the line of the first mistake."""
    node = read_yaml(file)
    settings = {}
    for setting, entries in node.items():
        if not isinstance(entries, list) or not all(isinstance(item, Located) for item in entries):
            raise SpecError(file, node.lines[setting], f"{setting} must be a list of entries")
        settings[setting] = tuple(_read_entry(file, setting, item) for item in entries)
        places = [place for entry in settings[setting] for place in entry.at]
        for place in places:
            if places.count(place) > 1:
                raise SpecError(file, node.lines[setting], f"{setting} is answered twice at {place}")
    return Ledger(file.parent.name, file, settings)


def _read_entry(file: Path, setting: str, node: Located) -> Entry:
    optional = ("leaves", "value", "says", "by_reference", "why", "alternatives", "no_alternative")
    check_keys(file, node, ("at", "status", "place"), optional, f"an entry of {setting}")
    alternatives = mapping_of(file, node, "alternatives")
    entry = Entry(
        setting=setting,
        at=texts_of(file, node, "at"),
        status=word_of(file, node, "status", Standing),
        place=text_of(file, node, "place"),
        leaves=_plain(mapping_of(file, node, "leaves")),
        value=text_of(file, node, "value"),
        why=text_of(file, node, "why"),
        alternatives={name: texts_of(file, alternatives, name) for name in alternatives},
        says=texts_of(file, node, "says"),
        by_reference=text_of(file, node, "by_reference"),
        no_alternative=text_of(file, node, "no_alternative"),
        line=node.line,
    )
    if fault := _fault(entry):
        raise SpecError(file, node.line, f"an entry of {setting} {fault}")
    return entry


def _fault(entry: Entry) -> str:
    """What an entry lacks for its status, or has that this status excludes; empty if nothing."""
    if not entry.leaves and not entry.value:
        return "names neither leaves nor a value in words"
    if entry.status is Standing.STATED:
        if not entry.says and not entry.by_reference:
            return "is stated and lacks what the place says (says), or what it refers to (by_reference)"
        return "is stated and has a reason for no_alternative" if entry.no_alternative else ""
    if not entry.why:
        return f"is {entry.status} and lacks its why"
    if bool(entry.alternatives) == bool(entry.no_alternative):
        return f"is {entry.status} and must have alternatives, or else tell why not (no_alternative)"
    if entry.by_reference or (entry.says and entry.status is Standing.OPEN):
        return f"is {entry.status}; only what is stated has says or by_reference"
    if entry.status is Standing.CONTRADICTED:
        if len(entry.says) < 2:
            return "is contradicted and must tell the two things that the paper says (says), ours first"
        if entry.leaves and not entry.alternatives:
            return "is contradicted and must offer the other reading (alternatives)"
    return ""


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
