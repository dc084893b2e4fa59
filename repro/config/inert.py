"""What has no effect takes one form: the canonical values of groups of a resolved tree, for `identity`.

Functions that start with `settle_` change the group that they are given.
"""

import hashlib
from pathlib import Path
from typing import Any

from repro.config.content import content_of
from repro.config.settings import FirstDraw, Length, window_stride
from repro.config.tree import Tree, without
from repro.errors import ConfigError

OF_THE_FIRST_DRAW = frozenset({"logits_std", "std", "zero_init"})
"""Switches of our own heads and their parts that say how weights start, and nothing else."""

OF_THE_TRAINING_SPLIT = frozenset({"dataset.train_split", "dataset.duplicate", "dataset.duplicate_times"})
"""Leaves of a data set that do not concern what is evaluated."""


def settle_views(evaluation: dict[str, Any], align_corners: bool) -> None:
    """How views are scaled and padded, where it can matter."""
    evaluation.setdefault("scaled_align_corners", align_corners)
    single = evaluation.get("scales") == [1]
    if not _shrinks(evaluation.get("scales")):
        evaluation.pop("antialias", None)
    if single:
        evaluation.pop("scaled_size", None)
        evaluation.pop("scaled_align_corners")
    if "pad_to" not in evaluation or (single and not evaluation.get("flip")):
        evaluation.pop("pad_first", None)  # nothing is padded, or nothing else happens to an image


def _shrinks(scales: Any) -> bool:
    """Whether some factor makes an image smaller; what is no list of numbers is refused elsewhere."""
    numbers = scales if isinstance(scales, list) else []
    return any(isinstance(scale, (int, float)) and scale < 1 for scale in numbers)


def settle_windows(evaluation: dict[str, Any]) -> None:
    """Windows have a stride and take the place of padding; without them there is none."""
    if window := evaluation.get("window"):
        evaluation.setdefault("window_stride", window_stride(window))
        evaluation.pop("pad_to", None)  # an image is padded to the window
    else:
        evaluation.pop("window_stride", None)


def settle_validation(tree: dict[str, Any]) -> None:
    """What validations that choose the weights take over from the evaluation: a single view, so averages of windows."""
    evaluation = tree.get("evaluation", {})
    settle_windows(evaluation)
    if "window" not in evaluation:
        evaluation.pop("average", None)
    if not evaluation:
        tree.pop("evaluation", None)


def settle_network(tree: dict[str, Any]) -> None:
    """Leaves of backbone and auxiliary head that others make idle; weights by name or by content."""
    backbone = tree.get("backbone", {})
    if all(rate == 1 for rate in backbone.get("multi_grid") or ()):
        backbone.pop("multi_grid", None)
    if backbone.get("stride_at") == "last":
        backbone.pop("first_unit", None)  # where the last unit strides, the first one has nothing to lose
    if backbone.get("stride_at") != "last" or not _is_published(backbone.get("weights") or "/"):
        backbone.pop("weights_of_other_strides", None)
    if "blocks" not in backbone:
        backbone.pop("block_shortcut", None)
    if weights := backbone.pop("weights", None):
        backbone["weights"] = _weights_name(weights)
    auxiliary = tree.get("auxiliary", {})
    if "_target_" not in auxiliary or auxiliary.get("weight") == 0:
        tree.pop("auxiliary", None)
    _settle_draws(tree)


def _settle_draws(tree: dict[str, Any]) -> None:
    for part in ("backbone", "head", "auxiliary"):
        if "first_draw" in tree.get(part, {}):
            tree[part]["first_draw"] = str(FirstDraw.parse(tree[part]["first_draw"], f"{part}.first_draw"))
    if "weights" in tree.get("backbone", {}) and "blocks" not in tree["backbone"]:
        tree["backbone"].pop("first_draw", None)  # weights replace every convolution
    if _is_logits_alone(tree):
        tree["head"].pop("first_draw", None)


def _is_logits_alone(tree: Tree) -> bool:
    """Whether the head has neither a convolution before that of the logits, nor batch norm."""
    head = tree.get("head", {})
    return head.get("_target_") == "repro.nn.FCN" and head.get("width") is None


def without_draws(node: Tree) -> dict[str, Any]:
    """A group without the switches that say how weights start, where it is known that they say nothing else."""
    ours = str(node.get("_target_")).startswith("repro.nn.")
    inner = {key: without_draws(value) if isinstance(value, dict) else value for key, value in node.items()}
    return {key: value for key, value in inner.items() if not (ours and key in OF_THE_FIRST_DRAW)}


def settle_dropout(node: dict[str, Any], *, trains: bool) -> None:
    """Leaves out of a head of this package and of its parts what is said of a dropout that never drops."""
    for part in node.values():
        if isinstance(part, dict):
            settle_dropout(part, trains=trains)
    if not str(node.get("_target_")).startswith("repro.nn."):
        return  # of another class these names may mean anything
    if not trains or not node.get("extra_conv"):
        node.pop("extra_conv_dropout", None)
    if not trains:
        node.pop("dropout", None)
    if not node.get("dropout") and not node.get("extra_conv_dropout"):
        node.pop("dropout_kind", None)


def content_hash(tree: Tree, *splits: str | None) -> str | None:
    """The hash of the data set's files, if one of the splits used declares none."""
    used = [split for split in splits if split is not None]
    return content_of(tree.get("dataset", {}), used, Path(tree.get("outputs", "outputs")))


def set_content(dataset: dict[str, Any], content: str | None) -> None:
    """What counts of the files of a data set: their hash, in place of the leaf that names them."""
    dataset.pop("content", None)
    if content is not None:
        dataset["content"] = f"sha256:{content}"


def settle_dataset(tree: dict[str, Any], content: str | None) -> None:
    """The files by their hash; oversampled classes in order and once, or not at all."""
    dataset = tree.get("dataset", {})
    set_content(dataset, content)
    if dataset.get("duplicate") is None:
        dataset.pop("duplicate", None)
        dataset.pop("duplicate_times", None)
    elif isinstance(dataset["duplicate"], list):
        dataset["duplicate"] = sorted(set(map(str, dataset["duplicate"])))


def settle_schedule(tree: dict[str, Any]) -> None:
    """Leaves of the optimisation that others make idle; without any training nothing but that."""
    schedule = tree.get("schedule", {})
    if "length" in schedule:
        length = Length.parse(schedule["length"], "schedule.length", least=0)
        schedule["length"] = str(length)
        if length.count == 0:  # what trains, how it is chosen, and on what, has no effect
            tree["schedule"] = {"length": "0 steps"}
            unused = ["selection", "validation", "evaluation", "auxiliary"] + ["seed"] * (
                not tree.get("init", {}).get("drop")
            )
            for key in unused:
                tree.pop(key, None)
            tree["dataset"] = without(tree.get("dataset", {}), OF_THE_TRAINING_SPLIT | {"dataset.content"}, "dataset.")
            return
    if "loss" not in schedule:
        schedule.pop("ohem", None)
    if "every" in tree.get("validation", {}):
        tree["validation"]["every"] = str(Length.parse(tree["validation"]["every"], "validation.every"))
    batch_norm = schedule.get("batch_norm", {})
    if batch_norm.get("frozen"):
        still = ("backbone",) if batch_norm.get("frozen_in") == "backbone" else ("backbone", "head")
        for part in still:  # frozen statistics do not move; the batch they stand for still splits sums
            batch_norm.pop(f"{part}_momentum", None)
    else:
        batch_norm.pop("frozen_in", None)
    if _is_logits_alone(tree) and "auxiliary" not in tree and "blocks" not in tree.get("backbone", {}):
        batch_norm.pop("head_momentum", None)
    if "batch_size" in schedule:
        batch_norm.setdefault("samples", schedule["batch_size"])
    _settle_average(schedule, batch_norm)
    augmentation = schedule.get("augmentation", {})
    if not _shrinks(augmentation.get("scale_range")):
        augmentation.pop("antialias", None)
    if augmentation.get("scale_range", [1, 1]) == [1, 1]:
        augmentation.pop("label_from_corner", None)
    if schedule.get("weight_decay") == 0:
        schedule.pop("weight_decay_on", None)


def _settle_average(schedule: dict[str, Any], batch_norm: Tree) -> None:
    """A group of all images is the batch, one of a single image that image, and a batch of one image all three."""
    batch, group = schedule.get("batch_size"), batch_norm.get("samples")
    if batch == 1 or (schedule.get("loss_average") == "group" and group == batch):
        schedule["loss_average"] = "batch"
    elif schedule.get("loss_average") == "group" and group == 1:
        schedule["loss_average"] = "image"


def _weights_name(weights: str) -> str:
    """A file counts by its content, a published set of weights by its name."""
    if _is_published(weights):
        return weights
    return "sha256:" + file_sha256(Path(weights), "backbone.weights")


def _is_published(weights: str) -> bool:
    """Whether weights of a backbone are a published set's name, and not a file."""
    return "/" not in weights and not weights.endswith((".pth", ".pt"))


def file_sha256(path: Path, leaf: str) -> str:
    """The sha256 of the file that a leaf names.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        with path.expanduser().open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{leaf} names the file {path}, which cannot be read: {error.strerror}") from error
