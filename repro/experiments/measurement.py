"""How one printed cell is measured: its configurations at one scale, and the ids of its runs for any seed."""

import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from repro.config import identity
from repro.experiments.scaling import written
from repro.papers import Address, Cell, Metric

Config = dict[str, Any]

KINDS = (
    "setting",
    "blank",
    "cited",
    "server only",
    "cannot be run",
    "not built",
    "not at this scale",
    "same as",
    "static",
    "run",
)


@dataclass(frozen=True)
class StageConfig:
    """One training of a chain, upstream of the next: name, configuration, and the weights it does not take over."""

    name: str
    config: Config
    drop: tuple[str, ...] = ()

    @cached_property
    def science(self) -> Config:
        """The part of the configuration that makes the run's identity."""
        return identity.science(self.config)


@dataclass(frozen=True)
class Measurement:
    """One printed cell at one scale.

    Attributes:
        cell: the cell, with its metric and published value.
        scale: name of the scale.
        kind: one of `KINDS`.
        reason: what is not built, which row it is the same as, why it cannot be run.
        chain: the trainings, upstream first, the last one being the cell's own; empty if nothing is to be run.
        paper_chain: the same at the paper's scale; groups that are not built hold nothing but `missing: <choice>`.
        twin: the cell that this one is the same as at the scale.
    """

    cell: Cell
    scale: str
    kind: str
    reason: str = ""
    chain: tuple[StageConfig, ...] = ()
    paper_chain: tuple[StageConfig, ...] = ()
    twin: Address | None = None
    _ids: dict[int, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def address(self) -> Address:
        """Where the cell is printed."""
        return self.cell.address

    @property
    def metric(self) -> Metric:
        """What the cell measures."""
        return self.cell.metric

    @property
    def published(self) -> float | str | None:
        """The published value."""
        return self.cell.published

    @property
    def reference(self) -> Address | None:
        """For a difference or a ratio, the cell that it is taken against."""
        return self.cell.metric.reference

    @property
    def config(self) -> Config | None:
        """The cell's own configuration at this scale; its seed is that of the composition."""
        return self.chain[-1].config if self.chain else None

    @property
    def paper_config(self) -> Config | None:
        """The cell's own configuration as the paper has it."""
        return self.paper_chain[-1].config if self.paper_chain else None

    @property
    def stages(self) -> tuple[Config, ...]:
        """The configurations of the trainings before the cell's own, upstream first."""
        return tuple(stage.config for stage in self.chain[:-1])

    def run_ids(self, seed: int) -> tuple[str, ...]:
        """The run ids of the chain, upstream first."""
        if seed not in self._ids:
            found: list[str] = []
            for stage in self.chain:
                science = {**stage.science, "seed": seed}
                if found:
                    science = identity.started_from(science, f"run:{found[-1]}", stage.drop)
                found.append(identity.digest(science))
            self._ids[seed] = tuple(found)
        return self._ids[seed]

    def run_id(self, seed: int) -> str:
        """The run id of the cell's own training."""
        return self.run_ids(seed)[-1]

    def evaluation_id(self, seed: int) -> str:
        """The id of the cell's own evaluation."""
        return identity.digest({"run": self.run_id(seed), **self._protocol})

    @cached_property
    def _protocol(self) -> Config:
        assert self.config is not None, f"{self.address} is not run"
        return identity.evaluation_protocol(self.config)

    def configs(self, seed: int) -> tuple[Config, ...]:
        """The complete configurations of the chain for a seed, upstream first, as they are frozen in run folders."""
        ids: tuple[str | None, ...] = (None, *self.run_ids(seed))
        return tuple(
            seeded(stage, seed, upstream, self.scale) for stage, upstream in zip(self.chain, ids, strict=False)
        )

    def config_for(self, seed: int) -> Config:
        """The complete configuration of the cell's own run for a seed."""
        return self.configs(seed)[-1]

    def stage_configs(self, seed: int) -> tuple[Config, ...]:
        """The complete configurations of the trainings before the cell's own, upstream first."""
        return self.configs(seed)[:-1]


def seeded(stage: StageConfig, seed: int, upstream: str | None, scale: str) -> Config:
    """A stage's configuration with seed, upstream run and scale filled in."""
    config = copy.deepcopy(stage.config)
    composition = config["composition"]
    config["seed"] = seed
    composition["scale"] = scale
    given = {"seed": str(seed)}
    if upstream is not None:
        config["init"] = {"from": f"run:{upstream}", "drop": list(stage.drop)}
        given |= {"init.from": f"run:{upstream}"}
        given |= {"init.drop": written(list(stage.drop))} if stage.drop else {}
    composition["overrides"] = [*composition["overrides"], *(f"{key}={value}" for key, value in given.items())]
    return config
