"""What a paper states and what it leaves open, setting by setting, with the value that we use and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from repro.papers.located import Located, SpecError, check_keys, mapping_of, read_yaml, text_of, texts_of, word_of

BY_ROW = "by row"
"""Value of a leaf that the rows or columns of the table set themselves."""


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
        leaves: dotted leaf or group of the configuration to the value that we use, or `BY_ROW`.
        value: the value in words, where leaves do not tell it.
        why: why this value.
        alternatives: for an open setting, short name to the overrides of another reading.
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
    optional = ("leaves", "value", "why", "alternatives")
    check_keys(file, node, ("at", "status", "place"), optional, f"an entry of {setting}")
    status = word_of(file, node, "status", Standing)
    leaves = mapping_of(file, node, "leaves")
    if not leaves and not node.get("value"):
        raise SpecError(file, node.line, f"an entry of {setting} names neither leaves nor a value in words")
    if status is not Standing.STATED and not node.get("why"):
        raise SpecError(file, node.line, f"an entry of {setting} is {status} and lacks its why")
    alternatives = mapping_of(file, node, "alternatives")
    return Entry(
        setting=setting,
        at=texts_of(file, node, "at"),
        status=status,
        place=text_of(file, node, "place"),
        leaves=_plain(leaves),
        value=text_of(file, node, "value"),
        why=text_of(file, node, "why"),
        alternatives={name: texts_of(file, alternatives, name) for name in alternatives},
        line=node.line,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
