"""Evaluations held against each other: what one run, one experiment, one split or one matrix must agree in."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from repro.config.recorded_command import read_command
from repro.report.audit.contradiction import Contradiction, OwnKind
from repro.store.runs_csv import ClassScores, Recorded, flat

OF_A_RUN = ("seed", "recipe", "parameters", "batch_norm_samples", "determinism")
OF_AN_EXPERIMENT = (
    "recipe", "backbone", "head", "dataset", "schedule", "evaluation", "parameters", "batch_norm_samples", "split",
    "classes", "determinism",
)  # fmt: skip
OF_A_SPLIT = ("images", "split_sha256", "classes")
OF_A_MATRIX = ("miou_percent", "pixel_accuracy_percent", "per_class_iou_percent")

_SPLITS_ALONE = frozenset({"root", "train_split", "evaluation_split", "duplicate", "duplicate_times", "allow_overlap"})
"""Leaves of a data set that say nothing of the images in one of its splits."""


_Values = Mapping[str, Hashable]
"""Column to value."""


class _Group(NamedTuple):
    """Evaluations that must agree.

    Attributes:
        key: equal for those that must.
        name: what they have in common, in words.
        columns: in which they must agree.
    """

    key: Hashable
    name: str
    columns: Sequence[str]


def disagreements(evaluations: Mapping[str, Recorded]) -> Iterator[tuple[str, Contradiction]]:
    """Evaluation id and contradiction, for each one that the others of its group outvote; without a majority for all.

    A value that an older line does not hold disagrees with nothing.
    """
    groups: dict[Hashable, tuple[_Group, dict[str, _Values]]] = {}
    for evaluation_id, line in evaluations.items():
        values: _Values = {column: _hashable(value) for column, value in flat(line).items()}
        values = {**values, "classes": tuple(line.per_class_iou_percent)}
        for group in _groups_of(line):
            groups.setdefault(group.key, (group, {}))[1][evaluation_id] = values
    told: set[tuple[str, str]] = set()
    for group, lines in groups.values():
        if len(lines) < 2:
            continue
        for column in group.columns:
            for evaluation_id, contradiction in _disagreeing(group, column, lines):
                if (evaluation_id, column) not in told:
                    told.add((evaluation_id, column))
                    yield evaluation_id, contradiction


def _groups_of(line: Recorded) -> Iterator[_Group]:
    key: Hashable = ("run", line.run_id)
    yield _Group(key, f"of run {line.run_id}", OF_A_RUN)
    yield _Group(("matrix", line.confusion_sha256), "with this confusion matrix", OF_A_MATRIX)
    try:
        command = read_command(line.command)
    except ValueError:
        return
    leaves = {key: value for key, value in command.of_group("dataset").items() if key not in _SPLITS_ALONE}
    if line.split:
        key = ("split", line.names.dataset, line.split, command.user_folder, tuple(sorted(leaves.items())))
        yield _Group(key, f"on the split {line.split} of {line.names.dataset}", OF_A_SPLIT)
    if line.commit and line.dirty is False and not command.user_folder:  # other code may make another network of it
        key = ("experiment", line.commit, line.science_code, command.without_seed())
        yield _Group(key, "of the same command but for the seed", OF_AN_EXPERIMENT)


def _disagreeing(group: _Group, column: str, lines: Mapping[str, _Values]) -> Iterator[tuple[str, Contradiction]]:
    values = {evaluation_id: line[column] for evaluation_id, line in lines.items()}
    counts = Counter(value for value in values.values() if value not in (None, ""))
    if len(counts) < 2:
        return
    (first, votes), (_, next_votes) = counts.most_common(2)
    for evaluation_id, value in values.items():
        if value in (None, "") or (value == first and votes > next_votes):
            continue
        said = _told(first, column) if votes > next_votes else " and ".join(_told(item, column) for item in counts)
        who = f"{votes} evaluations {group.name} say" if votes > next_votes else f"evaluations {group.name} say both"
        told = "per_class_iou_percent" if column == "classes" else column
        yield evaluation_id, Contradiction(OwnKind.OTHERS, told, _told(value, column), f"{who} {said}")


def _hashable(value: Hashable | ClassScores) -> Hashable:
    return tuple(value.items()) if isinstance(value, dict) else value


def _told(value: Hashable, column: str) -> str:
    if column == "classes" and isinstance(value, tuple):
        return f"{len(value)} classes, {', '.join(map(str, value))}"
    return str(dict(value)) if isinstance(value, tuple) else str(value)
