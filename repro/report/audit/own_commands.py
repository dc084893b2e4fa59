"""Every recorded command composed again: what it gives today, held against what its line says."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from repro.config.compose import compose
from repro.config.composer import Composer
from repro.config.configuration import Configuration
from repro.config.recorded_command import Command, read_command
from repro.config.tree import flatten
from repro.errors import ReproError
from repro.report.audit.contradiction import Contradiction, OwnKind
from repro.store.record import Names
from repro.store.runs_csv import Recorded, flat

OURS = "repro."


@dataclass(frozen=True)
class Recomposed:
    """What came of a command.

    Attributes:
        contradictions: with what its line says.
        note: a clause on why it could not be held against it; empty where it was.
    """

    contradictions: tuple[Contradiction, ...] = ()
    note: str = ""


def recomposed(line: Recorded) -> Recomposed:
    """Composes the command of a line, as the run did, and compares ids, seed, names, split and network."""
    if not line.command:
        return Recomposed(note="the line has no command")
    try:
        command = read_command(line.command)
        configuration = _composed(command)
        ids = _of_ids(line, configuration)
        if ids and _counts_by_content(configuration):
            return Recomposed(note=f"what counts by its content has changed since: {ids[0].right}")
        return Recomposed((*ids, *_of_names(line, configuration), *_of_what_is_built(line, configuration)))
    except (ReproError, ValueError) as error:
        return Recomposed(note=f"its command cannot be composed today ({error})")


def _composed(command: Command) -> Configuration:
    """As a plan composes it, which is what a run composes in a hundredth of the time, or as a run does."""
    folder = Path(command.user_folder) if command.user_folder else None
    if not any(key.startswith(("+", "~")) for key in command.overrides):
        found = _composer(folder).compose(command.overrides)
        if not found.missing:
            return found
    return compose(command.overrides, user_folder=folder)  # which says what is not there


@cache
def _composer(folder: Path | None) -> Composer:
    return Composer(folder)


def _of_ids(line: Recorded, configuration: Configuration) -> list[Contradiction]:
    since = f"; either was altered, or the files of conf/ have changed since commit {line.commit[:12] or 'unknown'}"
    right = {"run_id": configuration.run_id, "evaluation_id": configuration.evaluation_id}
    return [
        Contradiction(OwnKind.IDENTITY, column, getattr(line, column), f"its command gives {value}{since}")
        for column, value in right.items()
        if getattr(line, column) != value
    ]


def _of_names(line: Recorded, configuration: Configuration) -> Iterator[Contradiction]:
    leaves, names = configuration.leaves, [item.name for item in fields(Names)]
    right: dict[str, Any] = {name: configuration.choices[name] for name in names}
    right |= {column: leaves.get(column) for column in ("seed", "recipe", "determinism")}
    right["split"] = leaves.get("evaluation.split") or leaves.get("dataset.evaluation_split")
    values = flat(line)
    for column, wanted in right.items():
        if values[column] not in ("", wanted):
            yield Contradiction(OwnKind.COMMAND, column, values[column], f"its command gives {wanted}")


def _of_what_is_built(line: Recorded, configuration: Configuration) -> Iterator[Contradiction]:
    """Parameters of a network without numbers; images of a data set that is drawn, and so needs no files."""
    leaves = configuration.leaves
    classes, parameters = _network(_Same(configuration, configuration.key("backbone", "head", "auxiliary", "dataset")))
    if parameters != line.parameters:
        yield Contradiction(OwnKind.COMMAND, "parameters", line.parameters, f"its command builds {parameters}")
    if classes != tuple(line.per_class_iou_percent):
        yield Contradiction(OwnKind.COMMAND, "per_class_iou_percent", ", ".join(line.per_class_iou_percent),
                            f"its data set has the classes {', '.join(classes)}")  # fmt: skip
    if line.split and "dataset.root" not in leaves and str(leaves.get("dataset._target_")).startswith(OURS):
        from repro.build import build_dataset  # torch, which a report that composes nothing does without

        drawn = build_dataset(configuration, line.split)
        for column, found, right in (("images", line.images, len(drawn)),
                                     ("split_sha256", line.split_sha256, drawn.split_sha256())):  # fmt: skip
            if found not in (None, "", right):
                yield Contradiction(OwnKind.SPLIT, column, found, f"its command draws {right}")


class _Same:
    """A configuration as a key of a cache."""

    def __init__(self, configuration: Configuration, key: str) -> None:
        self.configuration, self._key = configuration, key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@cache
def _network(same: _Same) -> tuple[tuple[str, ...], int]:
    """Names of the classes and number of parameters."""
    import torch  # as above

    from repro.build import build_model, dataset_class, parameter_count

    classes = tuple(dataset_class(same.configuration).class_names)
    with torch.device("meta"):
        return classes, parameter_count(build_model(same.configuration, len(classes), pretrained=False)[0])


def _counts_by_content(configuration: Configuration) -> bool:
    """Whether code of one's own, files of weights or undeclared images decide the id: they may have changed rightly."""
    science = configuration.science
    texts = (value for value in flatten(science).values() if isinstance(value, str))
    return "code" in science or any(text.startswith(("sha256:", "file:")) for text in texts)
