"""What the text of each paper says about each of its own experiments, as `protocols_index.json` has it.

The index was read from the texts, not from the ledgers: each status, and the value of what is stated, where a leaf of a
configuration holds it. What all rows of a printed table have in common stands there once.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INDEX = json.loads((Path(__file__).parent / "protocols_index.json").read_text())
OUR_NAMES = {"output_stride_train": "train_output_stride", "output_stride_eval": "evaluation_output_stride"}
WORDS = object()
"""In place of a value that no leaf of a configuration holds."""


@dataclass(frozen=True)
class Said:
    """What the text says about one setting of one experiment; the value is `WORDS` where none can be compared."""

    table: str
    row: str
    setting: str
    status: str
    value: Any

    def __str__(self) -> str:
        return f"{self.table}/{self.row}/{self.setting}"


def experiments(paper: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name of our table, label of the row, and what is said about every setting."""
    for key, table in INDEX.items():
        name, _, printed = key.partition("/")
        if name == paper:
            for label, own in table["rows"].items():
                yield "prose" if "inline" in printed else printed, label, {**table["every row"], **own}


def said(paper: str) -> Iterator[Said]:
    """Everything that is said about any experiment of a paper."""
    for table, label, settings in experiments(paper):
        for setting, what in settings.items():
            status, value = what if isinstance(what, list) else (what, WORDS)
            yield Said(table, label, OUR_NAMES.get(setting, setting), status, value)
