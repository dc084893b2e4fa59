"""Where a printed cell stands."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Address:
    """The place of one printed cell: `table` such as vortex/table1, label of the row, head of the column."""

    table: str
    row: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}: {self.row} @ {self.column}"
