"""Measurements without any configuration behind them: chains of names."""

from dataclasses import dataclass
from typing import Any

from repro.papers import Address
from repro.sweep.plan.plan import Wanted


@dataclass(frozen=True)
class FakeStage:
    name: str


@dataclass(frozen=True)
class FakeMeasurement:
    """A cell whose trainings are named, upstream first; their ids add the seed, and that of the stage before."""

    label: str
    names: tuple[str, ...]
    protocol: str = "whole"
    kind: str = "run"
    reason: str = ""
    reference: Address | None = None

    @property
    def address(self) -> Address:
        return Address("mine/table1", self.label, "mIoU")

    @property
    def chain(self) -> tuple[FakeStage, ...]:
        return tuple(FakeStage(name) for name in self.names)

    def run_ids(self, seed: int) -> tuple[str, ...]:
        return tuple(f"{'>'.join(self.names[: place + 1])}#{seed}" for place in range(len(self.names)))

    def run_id(self, seed: int) -> str:
        return self.run_ids(seed)[-1]

    def evaluation_id(self, seed: int) -> str:
        return f"{self.run_id(seed)}@{self.protocol}"

    def configs(self, seed: int) -> tuple[dict[str, Any], ...]:
        return tuple({"name": name, "seed": seed, "protocol": self.protocol} for name in self.names)


def want(label: str, *names: str, **more: Any) -> Wanted:
    return Wanted(FakeMeasurement(label, names or (label,), **more))  # type: ignore[arg-type]
