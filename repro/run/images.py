"""Which images trained, chose and measure, held against each other by their ids before anything is trained."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from repro.build import build_dataset
from repro.config.configuration import Configuration
from repro.config.settings import Length, Overlap, Selection
from repro.data import SegmentationDataset
from repro.errors import ConfigError, DamagedError, DataError
from repro.store.images import UsedImages
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder

log = logging.getLogger(__name__)

TEST = "test"
"""Name of the split that chooses no weights."""


@dataclass(frozen=True)
class Splits:
    """Which split of its data set a run uses for what; read from the leaves, since a plan asks it of thousands.

    Attributes:
        training: trained on; None if nothing is trained.
        selecting: scored to choose the weights; None if the last ones are taken.
        watching: scored on the way without choosing anything; None if none is.
        measured: evaluated.
        allowed: images that may be among those trained on.
        start: what `init.from` names.
    """

    training: str | None
    selecting: str | None
    watching: str | None
    measured: str
    allowed: frozenset[str]
    start: str | None

    @classmethod
    def of(cls, configuration: Configuration) -> "Splits":
        """The splits of a configuration."""
        leaves = configuration.leaves
        trains = Length.parse(leaves["schedule.length"], "schedule.length", least=0).count > 0
        chooses = str(leaves["selection"]) == Selection.best.value
        for leaf in ("dataset.train_split", "dataset.evaluation_split"):
            if leaves.get(leaf) is None:
                raise ConfigError(f"{leaf} is missing; every data set has it")
        customary = leaves["dataset.evaluation_split"]
        validated = leaves["validation.split"] or customary
        return cls(
            training=leaves["dataset.train_split"] if trains else None,
            selecting=validated if trains and chooses else None,
            watching=validated if trains and not chooses and leaves["validation.every"] else None,
            measured=leaves["evaluation.split"] or customary,
            allowed=frozenset(map(str, leaves.get("dataset.allow_overlap") or ())),
            start=leaves["init.from"],
        )


Ids = Callable[[Configuration, str], tuple[str, frozenset[str]]]
"""Opens a split: name of the data set, and the ids."""


def ids_of(configuration: Configuration, split: str) -> tuple[str, frozenset[str]]:
    """Name of the configured data set, and the ids of one of its splits.

    Raises:
        ReproError: the split cannot be opened.
    """
    return _known_by(build_dataset(configuration, split))


def ids_by(open_split: Callable[[str], SegmentationDataset]) -> Ids:
    """The same for one configuration, whose splits are opened by another function."""
    return lambda _, split: _known_by(open_split(split))


def _known_by(dataset: SegmentationDataset) -> tuple[str, frozenset[str]]:
    return dataset.name, frozenset(dataset.ids)


def opened_once() -> Ids:
    """The same for many configurations of few data sets: each split is opened once."""
    known: dict[tuple[str, str], tuple[str, frozenset[str]]] = {}

    def ids(configuration: Configuration, split: str) -> tuple[str, frozenset[str]]:
        key = (configuration.key("dataset"), split)
        if key not in known:
            known[key] = ids_of(configuration, split)
        return known[key]

    return ids


def used_before(configuration: Configuration, outputs: Outputs) -> UsedImages:
    """The images behind the weights that a run starts from; of files and published weights they are unknown."""
    used = UsedImages()
    weights = str(configuration.science.get("backbone", {}).get("weights", ""))
    if weights.startswith("sha256:"):
        used = used.after_unknown(f"file:{weights.removeprefix('sha256:')[:16]}")
    source = Splits.of(configuration).start
    if source is None:
        return used
    origin, _, name = source.partition(":")
    match origin:
        case "run":
            found = stored(outputs.run(name))
            return found if found is not None else used.after_unknown(source)
        case "file":
            digest = str(configuration.science["init"]["from"]).removeprefix("file:")
            return used.after_unknown(f"file:{digest[:16]}")
        case _:
            return used.after_unknown(source)


def stored(folder: RunFolder) -> UsedImages | None:
    """What a run folder says of its images; None where it says nothing, or what it says is damaged.

    Raises:
        StoreError: the disk refuses it, which says nothing about it.
    """
    try:
        return folder.read_used_images()
    except DamagedError as error:
        log.warning("%s", error)
        return None


def used_after(configuration: Configuration, before: UsedImages, ids: Ids = ids_of) -> UsedImages:
    """The images behind the weights that a run leaves.

    Raises:
        ConfigError: weights would be chosen by the test split, or by images that are trained on, unasked for.
        DataError: a split cannot be opened.
    """
    splits = Splits.of(configuration)
    if splits.training is None:
        return before
    used = before.trained_on(*ids(configuration, splits.training))
    if splits.selecting is None:
        return used
    if splits.selecting == TEST:
        raise ConfigError(f"selection=best would choose the weights by the test split; {_way_out(configuration, ids)}")
    name, selecting = ids(configuration, splits.selecting)
    trained = selecting & used.trained.get(name, frozenset())
    if trained and Overlap.selecting.value not in splits.allowed:
        raise ConfigError(
            f"selection=best would choose the weights by split {splits.selecting} of {name}, "
            f"{_share(trained, selecting)} are trained on {_where(configuration, trained, ids)}; "
            f"{_way_out(configuration, ids)}, or ask for it with dataset.allow_overlap=[selecting]"
        )
    return used.selected_by(name, selecting)


def check_measured(configuration: Configuration, used: UsedImages, ids: Ids = ids_of) -> None:
    """Refuses a measurement on images that were trained on, unless it is asked for.

    Raises:
        ConfigError: naming the splits, the number of images and what would be right.
        DataError: a split cannot be opened.
    """
    splits = Splits.of(configuration)
    name, measured = ids(configuration, splits.measured)
    trained = measured & used.trained.get(name, frozenset())
    if trained and Overlap.measured.value not in splits.allowed:
        raise ConfigError(
            f"split {splits.measured} of {name} would be measured, {_share(trained, measured)} are trained "
            f"on {_where(configuration, trained, ids)}, so that the score says nothing of new ones; choose another "
            "evaluation.split or dataset.train_split, or ask for it with dataset.allow_overlap=[measured]"
        )


def told_of_validations(configuration: Configuration, used: UsedImages, ids: Ids = ids_of) -> str:
    """A sentence about validations that choose nothing, if their images are trained on; else nothing."""
    split = Splits.of(configuration).watching
    if split is None:
        return ""
    name, seen = ids(configuration, split)
    trained = seen & used.trained.get(name, frozenset())
    if not trained:
        return ""
    return (
        f"the validations are of split {split} of {name}, {_share(trained, seen)} are trained on: "
        "they choose nothing, but they say nothing of new images either"
    )


def _share(some: frozenset[str], whole: frozenset[str]) -> str:
    return f"of whose {len(whole):,} images {'all' if len(some) == len(whole) else format(len(some), ',')}"


def _where(configuration: Configuration, trained: frozenset[str], ids: Ids) -> str:
    """Which training saw some images: the run's own, or one before it."""
    splits = Splits.of(configuration)
    if splits.training is not None and trained & ids(configuration, splits.training)[1]:
        return f"(dataset.train_split={splits.training})"
    return f"by the runs that it starts from (init.from={splits.start})"


def _way_out(configuration: Configuration, ids: Ids) -> str:
    """Splits by which weights may be chosen."""
    own = configuration.leaves["dataset.train_split"]
    for train in dict.fromkeys((own, "train")):
        try:
            if not ids(configuration, "val")[1] & ids(configuration, train)[1]:
                return "give validation.split=val" + (f" dataset.train_split={train}" if train != own else "")
        except (ConfigError, DataError):
            continue  # a data set whose splits have other names
    return "give a validation.split that is not trained on"
