"""What a cell's configuration at a scale does otherwise than the paper's, leaf by leaf, computed."""

from dataclasses import dataclass
from typing import Any

from repro.config import identity
from repro.experiments.measurement import Config, Measurement

ABSENT = None


@dataclass(frozen=True)
class Deviation:
    """One leaf or group that differs: its value in the paper's configuration and in the one measured."""

    leaf: str
    paper: Any
    measured: Any

    def __str__(self) -> str:
        return f"{self.leaf}: {_shown(self.paper)} → {_shown(self.measured)}"


def deviations(measurement: Measurement) -> list[Deviation]:
    """Every difference between the cell's chain of trainings and the paper's, those of stages with the stage's name."""
    found = []
    for paper, measured in zip(measurement.paper_chain, measurement.chain, strict=False):
        prefix = f"{paper.name}: " if paper.name else ""
        found += [
            Deviation(prefix + item.leaf, item.paper, item.measured)
            for item in differences(paper.config, measured.config)
        ]
    return found


def differences(paper: Config, measured: Config) -> list[Deviation]:
    """The differing leaves of two configurations of a run; a group of another choice comes first, as one line.

    Of another data set only the choice is told, since its leaves describe other files.
    """
    choices = [config["composition"]["choices"] for config in (paper, measured)]
    found = [
        Deviation(group, choices[0].get(group), choices[1].get(group))
        for group in ("dataset", "backbone", "head", "auxiliary")
        if choices[0].get(group) != choices[1].get(group)
    ]
    told = {item.leaf for item in found if item.leaf == "dataset" or "missing" in paper.get(item.leaf, {})}
    told |= {"backbone.depth"} if any(item.leaf == "backbone" for item in found) else set()
    flat = [_leaves(config) for config in (paper, measured)]
    for leaf in sorted(flat[0].keys() | flat[1].keys()):
        before, after = (leaves.get(leaf, ABSENT) for leaves in flat)
        hidden = (
            leaf in told
            or leaf.partition(".")[0] in told
            or leaf.endswith(("_target_", ".missing"))
            or ".asked." in leaf
        )
        if before != after and not hidden:
            found.append(Deviation(leaf, before, after))
    return found


def _leaves(config: Config) -> dict[str, Any]:
    """Leaves that decide the score: those of the training, and those of the evaluation under their own names."""
    science = {key: value for key, value in identity.science(config).items() if key not in ("seed", "init")}
    protocol = identity.evaluation_protocol(config)["evaluation"]
    return identity.flatten({**science, "evaluation": protocol})


def _shown(value: Any) -> str:
    return "none" if value is ABSENT else str(value)
