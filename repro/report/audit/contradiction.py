"""What the audit of our own numbers finds: a value that another one rules out, and where it stands."""

from dataclasses import dataclass
from enum import StrEnum


class OwnKind(StrEnum):
    """What a value of ours contradicts: the scores beside it, what it can be, what its id was taken of, and so on."""

    SCORES = "scores"
    RANGE = "range"
    IDENTITY = "identity"
    COMMAND = "command"
    SCALE = "scale"
    SPLIT = "split"
    OTHERS = "others"
    MATRIX = "matrix"
    RECORD = "record"


@dataclass(frozen=True)
class Contradiction:
    """One value that another one rules out.

    Attributes:
        kind: what it contradicts.
        column: as it is called in runs.csv.
        found: what stands there.
        right: a clause with what would be right, and what says so.
    """

    kind: OwnKind
    column: str
    found: object
    right: str


@dataclass(frozen=True)
class OwnFinding:
    """A contradiction with its place.

    Attributes:
        file: a runs.csv, a record, or the address of a tracking server with what was fetched.
        line: of the file, the first being 1; 0 where there is none.
        evaluation_id: which evaluation it is about.
        about: what is wrong.
    """

    file: str
    line: int
    evaluation_id: str
    about: Contradiction

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        found = "empty" if self.about.found in (None, "") else str(self.about.found)
        return f"{place}: {self.about.column} is {_shortened(found)}, but {self.about.right}"


def _shortened(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
