"""What a configuration at a scale does otherwise than the paper's, leaf by leaf, computed."""

from dataclasses import dataclass
from typing import Any

from repro.config.configuration import Configuration
from repro.config.tree import Leaves, flatten
from repro.experiments.measurement import Measurement

ABSENT = None


@dataclass(frozen=True)
class Difference:
    """One leaf or group that differs: its value in the paper's configuration and in the one measured."""

    leaf: str
    paper: Any
    measured: Any

    def __str__(self) -> str:
        return f"{self.leaf}: {_shown(self.paper)} → {_shown(self.measured)}"


def chain_differences(measurement: Measurement) -> list[Difference]:
    """Every difference between the cell's chain of trainings and the paper's, those of stages with the stage's name."""
    found = []
    for paper, measured in zip(measurement.paper_chain.links, measurement.chain.links, strict=False):
        prefix = f"{paper.stage}: " if paper.stage else ""
        found += [
            Difference(prefix + item.leaf, item.paper, item.measured)
            for item in differences(paper.configuration, measured.configuration)
        ]
    return found


def differences(paper: Configuration, measured: Configuration) -> list[Difference]:
    """The differing leaves of two configurations of a run; a group of another choice comes first, as one line.

    Of another data set only the choice is told, since its leaves describe other files.
    """
    found = [
        Difference(group, paper.choices.get(group), measured.choices.get(group))
        for group in ("dataset", "backbone", "head", "auxiliary")
        if paper.choices.get(group) != measured.choices.get(group)
    ]
    told = {item.leaf for item in found if item.leaf == "dataset" or f"{item.leaf}.missing" in paper.leaves}
    told |= {"backbone.depth"} if any(item.leaf == "backbone" for item in found) else set()
    flat = [_deciding_leaves(configuration) for configuration in (paper, measured)]
    for leaf in sorted(flat[0].keys() | flat[1].keys()):
        before, after = (leaves.get(leaf, ABSENT) for leaves in flat)
        hidden = (
            leaf in told
            or leaf.partition(".")[0] in told
            or leaf.endswith(("_target_", ".missing"))
            or leaf.startswith("code.")
            or ".asked." in leaf
        )
        if before != after and not hidden:
            found.append(Difference(leaf, before, after))
    return found


def _deciding_leaves(configuration: Configuration) -> Leaves:
    """Leaves that decide the score: those of the training, and those of the evaluation under their own names."""
    science = {key: value for key, value in configuration.science.items() if key not in ("seed", "init")}
    return flatten({**science, "evaluation": configuration.protocol["evaluation"]})


def _shown(value: Any) -> str:
    return "none" if value is ABSENT else str(value)
