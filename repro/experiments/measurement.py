"""How one printed cell is measured: its chain of trainings at one scale, or why there is none."""

from dataclasses import dataclass
from enum import StrEnum

from repro.config.configuration import Configuration
from repro.experiments.chain import NOTHING, Chain
from repro.papers import Address, Cell, Metric


class Kind(StrEnum):
    """What becomes of a printed cell at a scale: it is run, worked out from the network, or neither."""

    SETTING = "setting"
    BLANK = "blank"
    CITED = "cited"
    SERVER_ONLY = "server only"
    CANNOT_BE_RUN = "cannot be run"
    NOT_BUILT = "not built"
    NOT_AT_THIS_SCALE = "not at this scale"
    SAME_AS = "same as"
    NOT_RUN = "not run"
    STATIC = "static"
    RUN = "run"

    @property
    def is_measured(self) -> bool:
        """Whether there is something to measure."""
        return self in (Kind.RUN, Kind.STATIC)


@dataclass(frozen=True)
class Measurement:
    """One printed cell at one scale.

    Attributes:
        cell: the cell, with its metric and published value.
        scale: name of the scale.
        kind: what becomes of it.
        reason: what is not built, which row it is the same as, why it cannot be run.
        chain: its trainings; empty if nothing is to be run.
        paper_chain: the same at the paper's scale; groups that are not built hold nothing but `missing: <choice>`.
        twin: the cell that this one is the same as at the scale.
    """

    cell: Cell
    scale: str
    kind: Kind
    reason: str = ""
    chain: Chain = NOTHING
    paper_chain: Chain = NOTHING
    twin: Address | None = None

    @property
    def address(self) -> Address:
        """Where the cell is printed."""
        return self.cell.address

    @property
    def metric(self) -> Metric:
        """What the cell measures."""
        return self.cell.metric

    @property
    def reference(self) -> Address | None:
        """For a difference or a ratio, the cell that it is taken against."""
        return self.cell.metric.reference

    def configuration(self, seed: int) -> Configuration:
        """The complete configuration of the cell's own run and evaluation for a seed."""
        assert self.chain, f"{self.address} is not run"
        return self.chain.configurations(seed)[-1]

    def run_id(self, seed: int) -> str:
        """The run id of the cell's own training."""
        return self.configuration(seed).run_id

    def evaluation_id(self, seed: int) -> str:
        """The id of the cell's own evaluation."""
        return self.configuration(seed).evaluation_id
