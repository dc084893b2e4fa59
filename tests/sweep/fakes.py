"""Measurements without any configuration behind them: chains of names."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from repro.experiments.measurement import Kind
from repro.papers import Address
from repro.sweep.plan.job import Wanted


@dataclass(frozen=True)
class FakeConfiguration:
    """A training by its name, after those that it starts from; the ids add seed and protocol."""

    names: tuple[str, ...]
    protocol: str
    seed: int = 0

    @property
    def run_id(self) -> str:
        return f"{'>'.join(self.names)}#{self.seed}"

    @property
    def evaluation_id(self) -> str:
        return f"{self.run_id}@{self.protocol}"


@dataclass(frozen=True)
class FakeLink:
    stage: str
    configuration: FakeConfiguration


@dataclass(frozen=True)
class FakeChain:
    """Trainings that are named, upstream first."""

    names: tuple[str, ...]
    protocol: str

    @cached_property
    def links(self) -> tuple[FakeLink, ...]:
        return tuple(
            FakeLink(name if place < len(self.names) else "", FakeConfiguration(self.names[:place], self.protocol))
            for place, name in enumerate(self.names, 1)
        )

    def configurations(self, seed: int) -> tuple[FakeConfiguration, ...]:
        return tuple(replace(link.configuration, seed=seed) for link in self.links)


@dataclass(frozen=True)
class FakeMeasurement:
    """A cell of a chain of names."""

    label: str
    names: tuple[str, ...]
    protocol: str = "whole"
    kind: Kind = Kind.RUN
    reason: str = ""
    reference: Address | None = None

    @property
    def address(self) -> Address:
        return Address("mine/table1", self.label, "mIoU")

    @property
    def chain(self) -> FakeChain:
        return FakeChain(self.names, self.protocol)

    def configuration(self, seed: int) -> FakeConfiguration:
        return self.chain.configurations(seed)[-1]

    def run_id(self, seed: int) -> str:
        return self.configuration(seed).run_id

    def evaluation_id(self, seed: int) -> str:
        return self.configuration(seed).evaluation_id


def want(label: str, *names: str, **more: Any) -> Wanted:
    return Wanted(FakeMeasurement(label, names or (label,), **more))  # type: ignore[arg-type]
